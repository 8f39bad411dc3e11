"""The demo season itself, trading behind the page in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from arena.commands.serve import DEMO
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from trading.risk import KillSwitch

pytestmark = pytest.mark.browser


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[LiveFloor]:
    """The floor of the demo season, which has just begun to trade."""
    settings = Settings.load({"home": tmp_path})
    floor = LiveFloor(KillSwitch(tmp_path))
    season = BackgroundSeason(load_rules(DEMO), settings, floor, round_s=1.0, warmup_rounds=4)
    season.start()
    yield floor
    season.stop()


def test_the_demo_season_shows_its_desks_and_goes_on_trading(floor: LiveFloor, visit: Any) -> None:
    seen = visit(floor)
    page = seen.page
    expect(page.locator(".tf-card")).to_have_count(8, timeout=20_000)
    for name in ("buyhold", "momentum", "random"):
        expect(page.locator(".tf-card", has_text=name).first).to_be_visible()
    expect(page.locator("#tf-status")).to_contain_text("SIMULATED")
    expect(page.locator("#tf-status")).to_contain_text("of 2,160")
    expect(page.locator("#tf-equity-chart .scatterlayer .trace").first).to_be_visible(timeout=20_000)
    expect(page.locator(".tf-feed > li").first).to_be_visible()
    before = page.locator("#tf-status").inner_text()
    expect(page.locator("#tf-status")).not_to_have_text(before, timeout=10_000)
    snapshot = floor.snapshot()
    assert snapshot is not None
    expect(page.locator("#tf-status")).to_contain_text(f"round {snapshot.round_index + 1} of", timeout=10_000)
    floor.halt("a look at the page")
    expect(page.get_by_role("alert")).to_contain_text("a look at the page", timeout=10_000)
    floor.resume("seen")
    expect(page.get_by_role("alert")).to_have_count(0, timeout=10_000)
    assert seen.complaints == []
    assert seen.elsewhere == []
