"""A served house in which a season with a desk by hand trades: for tests that act on pages as a person does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from arena.api.app import create_app
from arena.commands.serve import demo_rules
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.services import Services
from arena.settings import Settings
from arena.tickets.counter import Counter
from trading.risk import KillSwitch


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHouse:
    """Where it is served, its floor, and the counter at which its desk is traded."""

    address: str
    floor: LiveFloor
    counter: Counter


@contextmanager
def trading_house(home: Path) -> Iterator[TradingHouse]:
    """The demo season as it is served, with rounds half a second apart."""
    settings = Settings.load({"home": home})
    floor = LiveFloor(KillSwitch(home))
    reception, counter = Reception(snapshot=floor.snapshot), Counter(home, floor.snapshot)
    season = BackgroundSeason(
        demo_rules(), settings, floor, round_s=0.5, warmup_rounds=30, reception=reception, counter=counter
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(Services(floor=floor, settings=settings, reception=reception, counter=counter))
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    season.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (server.started and counter.stand("you")):
        time.sleep(0.05)
    try:
        assert server.started
        assert counter.stand("you")
        yield TradingHouse(address=f"http://127.0.0.1:{port}", floor=floor, counter=counter)
    finally:
        season.stop()
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def opened(
    browser: Any, house: TradingHouse, path: str, *, phone: bool = False, dark: bool = False, refused: bool = False
) -> Iterator[Any]:
    """A page of the house; that it complained of nothing and asked nobody else is checked when it closes.

    Where an act is ``refused``, Gradio answers with status 500, which the browser reports.
    """
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1440, "height": 900},
        is_mobile=phone,
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith((house.address, "data:", "blob:")) else complaints.append(r.url),
    )
    try:
        page.goto(house.address + path, wait_until="domcontentloaded")
        yield page
        assert [text for text in complaints if not (refused and "status of 500" in text)] == []
    finally:
        context.close()


def violations(page: Any) -> list[str]:
    """What axe finds serious or critical, with the element."""
    from tests.arena.ui.conftest import violations as all_violations

    found = all_violations(page)
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
