"""What a person waits for who opens a page: Chromium, with nothing kept of earlier visits, on a season that trades."""

import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figure import Figure
from bench.viewers import served, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VISITS = 7
DESKS = "#tf-desks .tf-card"
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def measure() -> list[Figure]:
    """From the click to the first paint, as the browser itself has it, and to the desks of the page."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as address:
        asyncio.run(watch(address, viewers=1, seconds=100.0, until_round=60))
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=found, args=["--no-sandbox"]) as browser,
        ):
            visits = [_visit(browser, address) for _ in range(VISITS)]
    painted, shown = (statistics.median(times) for times in zip(*visits, strict=True))
    return [
        Figure(name="the arena, first paint, median", value=painted / 1000, unit="s", note=f"{VISITS} visits"),
        Figure(name="the arena with its desks, median", value=shown, unit="s", target="< 2"),
    ]


def _visit(browser: "Browser", address: str) -> tuple[float, float]:
    """Milliseconds to the first paint and seconds to its desks, in a context of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.locator(DESKS).first.wait_for(timeout=60_000)
        shown = time.perf_counter() - begun
        return float(page.evaluate(_FIRST_PAINT)), shown
    finally:
        context.close()
