"""``serve``: the page, the API and the season behind them in one process, and the same season again after a stop."""

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

SEASON = """
[season]
name = "served"
start = 2026-01-01T00:00:00Z
end = 2026-06-01T00:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP"]

[[desk]]
name = "random"
model = "house/random"
"""


class Served:
    """A served season in a process of its own."""

    def __init__(self, lab: Any, season: Path, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._lab = lab
        self.process = lab.spawn("serve", "--season", season, "--home", home, "--port", self.port)

    def get(self, path: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def post(self, path: str, reason: str) -> tuple[int, str]:
        body = json.dumps({"reason": reason}).encode()
        headers = {"content-type": "application/json", "x-tradefloor": "1"}
        return self._ask(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers))

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    @property
    def snapshot(self) -> dict[str, Any]:
        """What the page shows; empty while nothing is published."""
        status, text = self.get("/api/v1/snapshot")
        return json.loads(text) if status == 200 else {}

    def decisions(self) -> int:
        return sum(desk["decisions"] for desk in self.snapshot.get("desks", ()))

    def stop(self) -> Any:
        self.process.terminate()
        return self._lab.ended(self.process)


@pytest.fixture
def season(tmp_path: Path) -> Path:
    path = tmp_path / "served.toml"
    path.write_text(SEASON, "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_serves_halts_stops_cleanly_and_goes_on_with_the_same_run(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = Served(lab, season, home)
    lab.wait_until(lambda: first.decisions() > 5, every_s=0.1)
    status, page = first.get("/")
    assert status == 200
    assert "Tradefloor" in page
    assert json.loads(first.get("/readyz")[1])["status"] == "running"
    before = first.snapshot
    lab.wait_until(lambda: first.snapshot["version"] > before["version"], every_s=0.1)
    assert first.post("/api/v1/resume", "nothing to resume")[0] == 409
    assert first.post("/api/v1/halt", "a test of the button")[0] == 200
    halted = first.snapshot
    assert (halted["status"], halted["halt_reason"]) == ("halted", "a test of the button")
    assert lab.call("run", season, "--home", home).code == 4, "the switch is the one of the whole home"
    assert lab.call("resume", "--reason", "from a terminal", "--home", home).code == 0
    decided = first.decisions()
    # The page says at once that trading may go on; that it does is known when the engine's next round says so.
    lab.wait_until(lambda: first.snapshot["status_text"] == "Running" and first.decisions() > decided, every_s=0.1)
    stopped = first.stop()
    assert stopped.code == 0, stopped.err
    assert "Traceback" not in stopped.err
    assert stopped.err.splitlines() == [
        f"Tradefloor is on http://127.0.0.1:{first.port} (Ctrl-C stops it; the season goes on next time)",
        "stopped; the season goes on next time",
    ]
    stood = lab.call("standings", "--home", home, "--json").document
    assert (stood["status"], stood["halt_reason"]) == ("unfinished", None)
    assert lab.call("journal", "verify", "--home", home).code == 0

    second = Served(lab, season, home)
    lab.wait_until(second.decisions, every_s=0.1)
    assert second.snapshot["run_id"] == before["run_id"]
    assert second.decisions() >= stood["desks"][0]["decisions"]
    assert second.stop().code == 0
    assert len(lab.call("runs", "--home", home, "--json").document["runs"]) == 1


def test_a_port_that_is_taken_and_a_host_that_is_not_ours_are_refused(lab: Any, season: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = lab.call("serve", "--season", season, "--home", tmp_path, "--port", port)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert f"port {port}" in said.err
    assert "--port" in said.err
    open_to_all = lab.call("serve", "--season", season, "--home", tmp_path, "--host", "0.0.0.0")
    assert open_to_all.code == 2
    assert "127.0.0.1" in open_to_all.err
    assert not (tmp_path / "runs").exists()


def test_a_season_that_cannot_be_served_is_refused_before_the_page_opens(
    lab: Any, season: Path, tmp_path: Path
) -> None:
    said = lab.call("serve", "--season", season, "--home", tmp_path, "--set", "season.capital=0")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "season.capital" in said.err
