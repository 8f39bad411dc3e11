"""Memory on a Chroma server of our own, in a process beside: written, searched, shared, and gone."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memory.embedding import embedding
from memory.store import MemoryStore
from tests.memory.conftest import HOUR_MS, START_MS, make_episode
from trading.domain.errors import MemoryUnavailable

_STARTS_WITHIN_S = 60.0


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`chroma run` as a child process on loopback."""

    def __init__(self, folder: Path) -> None:
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        chroma = Path(sys.executable).with_name("chroma")
        words = [str(chroma), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(self._port)]
        environment = {**os.environ, "ANONYMIZED_TELEMETRY": "False"}
        self._process = subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < until:
            assert self._process.poll() is None, "the server ended"
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=0.5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server did not answer in time")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("chroma-server"))
    try:
        found.wait()
        yield found
    finally:
        found.stop()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_store_on_a_server_finds_what_it_wrote_and_keeps_runs_apart(server: Server, tmp_path: Path) -> None:
    words = ["funding squeeze", "quiet drift", "breakout of the range", "volume dries up"]
    episodes = [make_episode(10 * number, text=words[number % 4]) for number in range(40)]

    def opened(run_id: str) -> MemoryStore:
        return MemoryStore(tmp_path / run_id, embedding(), run_id=run_id, chroma_url=server.url)

    with closing(opened("season-1")) as one, closing(opened("season-2")) as two:
        one.write(episodes, written_seq=400)
        two.write(episodes[:3], written_seq=21)
        assert (one.counts()["vectors"], two.counts()["vectors"]) == (40, 3)
        hits = one.search("a quiet drift", as_of_ms=START_MS + 95 * HOUR_MS, count=2)
        assert [episode.text for episode, _ in hits] == ["quiet drift", "quiet drift"]
        assert all(episode.decided_ms < START_MS + 95 * HOUR_MS for episode, _ in hits)
        assert one.search("x", as_of_ms=START_MS, count=5) == []
    with closing(opened("season-1")) as again:
        assert again.heal() == 0, "what was written is still there"
        assert again.counts()["vectors"] == 40


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_server_that_goes_away_is_told_and_what_it_missed_is_written_later(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    server = Server(kept)
    try:
        server.wait()
        store = MemoryStore(tmp_path / "run", embedding(), run_id="run-1", chroma_url=server.url)
        store.write([make_episode(number) for number in range(5)], written_seq=5)
        server.stop()
        with pytest.raises(MemoryUnavailable, match="Chroma cannot be used") as lost:
            store.write([make_episode(number) for number in range(9)], written_seq=9)
        assert not lost.value.is_locked
        store.close()
    finally:
        server.stop()
    other = Server(kept)
    try:
        other.wait()
        with closing(MemoryStore(tmp_path / "run", embedding(), run_id="run-1", chroma_url=other.url)) as store:
            assert (store.counts()["episodes"], store.counts()["vectors"], store.written_seq) == (9, 9, 9)
    finally:
        other.stop()
