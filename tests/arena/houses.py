"""Houses whose season plays in the background, and a real server for them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.seasons.rulefile import load_rules
from arena.services import Services
from arena.settings import Settings
from trading.risk import KillSwitch

HERE = "http://127.0.0.1:7860"
PROGRAM = {"X-Tradefloor": "1"}
ROUNDS = 24

SEASON = """
[season]
name = "short"
seed = 7
start = 2026-01-01T00:00:00Z
end = {end}
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[memory]
mode = "on"

[[desk]]
name = "momentum"
model = "house/momentum"

[[desk]]
name = "equalweight"
model = "house/equalweight"
"""


@dataclass(slots=True)
class House:
    """A house whose season plays in the background."""

    services: Services
    floor: LiveFloor
    season: BackgroundSeason

    @property
    def run_id(self) -> str:
        """The run on the floor."""
        snapshot = self.floor.snapshot()
        assert snapshot is not None
        return snapshot.run_id

    def wait(self, true: Callable[[Any], Any], timeout_s: float = 100) -> Any:
        """The first snapshot for which it is true."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            snapshot = self.floor.snapshot()
            if snapshot is not None and true(snapshot):
                return snapshot
            time.sleep(0.01)
        raise AssertionError(f"it did not happen in time: {self.floor.snapshot()}")


@contextmanager
def open_house(home: Path, *, end: str = "2026-01-02T00:00:00Z", round_s: float = 0.0) -> Iterator[House]:
    """A house with its season under way."""
    file = home.parent / f"{home.name}.toml"
    file.write_text(SEASON.format(end=end), "utf-8")
    settings = Settings.load({"home": home})
    floor = LiveFloor(KillSwitch(home))
    reception = Reception(snapshot=floor.snapshot)
    season = BackgroundSeason(load_rules(file), settings, floor, round_s=round_s, warmup_rounds=0, reception=reception)
    season.start()
    try:
        yield House(Services(floor=floor, settings=settings, reception=reception, season=season), floor, season)
    finally:
        season.stop()


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The address of an application that a real server serves."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
