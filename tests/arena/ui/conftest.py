"""A real browser against a served floor: what was asked of the network and said on the console is kept for tests."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from arena.api.app import create_app
from arena.floor import Floor
from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services
from tests.arena.housing import house

expect.set_options(timeout=20_000)  # a machine at work on other tests is slow, not wrong

DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
ARTIFACTS = Path(__file__).parents[3] / "test-artifacts"

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class SwitchedFloor:
    """A floor that stands for another, so that one server does for all tests."""

    def __init__(self) -> None:
        self.behind: Floor | None = None

    def snapshot(self) -> FloorSnapshot | None:
        """The snapshot of the floor behind."""
        return None if self.behind is None else self.behind.snapshot()

    def halt(self, reason: str) -> None:
        """Passed on."""
        assert self.behind is not None
        self.behind.halt(reason)

    def resume(self, reason: str) -> None:
        """Passed on."""
        assert self.behind is not None
        self.behind.resume(reason)


@dataclass
class Visit:
    """An open page with what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as installed on this machine, or as named by TRADEFLOOR_TEST_BROWSER.

    It keeps an event loop running in this thread, so it ends with the file: asynchronous tests may come after it.
    """
    found = os.environ.get("TRADEFLOOR_TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install it, or name one in TRADEFLOOR_TEST_BROWSER")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, SwitchedFloor]]:
    """The address of a running server and the floor it shows."""
    floor = SwitchedFloor()
    with serving(house(floor)) as address:
        yield address, floor


@contextmanager
def serving(services: Services) -> Iterator[str]:
    """The address of a running server over ``services``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(services), host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=5)


@pytest.fixture
def visit(browser: Browser, served: tuple[str, SwitchedFloor]) -> Iterator[Callable[..., Visit]]:
    """Opens a page over a floor, at a size and in a theme."""
    address, switched = served
    contexts: list[Any] = []

    def open_page(floor: Floor, path: str = "/", *, viewport: ViewportSize = DESKTOP, scheme: Any = "light") -> Visit:
        switched.behind = floor
        phone = viewport["width"] < 760
        context = browser.new_context(
            viewport=viewport,
            is_mobile=phone,
            has_touch=phone,
            device_scale_factor=2 if phone else 1,
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        found = Visit(page=context.new_page())
        found.page.on("console", lambda m: found.complaints.append(m.text) if m.type == "error" else None)
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:")) else found.elsewhere.append(r.url),
        )
        found.page.goto(address + path, wait_until="domcontentloaded")
        return found

    yield open_page
    for context in contexts:
        context.close()


def violations(page: Page) -> list[Any]:
    """What the accessibility check finds once Gradio's own passing messages are gone."""
    expect(page.locator(".toast-header")).to_have_count(0)
    return list(Axe().run(page).response["violations"])


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Saves a picture of a page for people to look at."""

    def save(page: Page, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png")

    return save
