"""The markets page in a real browser: it draws, follows its address and its switches, and asks nobody else."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.arena.ui.trading_house import TradingHouse, opened, trading_house, violations

FIRST_MS = 90_000
"""The first look measures the market, for which libraries are loaded: on a busy machine that takes a while."""

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingHouse]:
    """A house with a market that moves."""
    with trading_house(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_an_instrument_is_drawn_with_what_is_known_of_it(house: TradingHouse, browser: Any, keep: Any) -> None:
    with opened(browser, house, "/markets?instrument=ETH-USDT-PERP") as page:
        expect(page.locator("#tf-mk-title")).to_contain_text("ETH-USDT-PERP", timeout=FIRST_MS)
        expect(page.locator("#tf-mk-chart .candlestickvalue, #tf-mk-chart .boxlayer path").first).to_be_attached()
        expect(page.locator("#tf-mk-facts")).to_contain_text("Last close")
        expect(page.locator("#tf-mk-together .tf-rk-heat td")).to_have_count(9)
        expect(page.locator("#tf-mk-forecasts tbody tr").first).to_be_visible()
        expect(page.locator("#tf-mk-none")).to_contain_text("no source of news")
        expect(page.locator("#tf-mk-chart")).to_contain_text("RSI 14")
        page.locator("#tf-choice-3 label", has_text="None").click()
        expect(page.locator("#tf-mk-chart")).not_to_contain_text("RSI 14")
        page.locator("#tf-choice-0 label", has_text="4h").click()
        expect(page.locator("#tf-mk-chart")).to_contain_text("4h candles")
        assert violations(page) == []
        keep(page, "markets-light-1440")
        page.get_by_role("link", name="SOL-USDT").click()
        expect(page.locator("#tf-mk-title")).to_contain_text("SOL-USDT-PERP")


def test_a_strange_instrument_is_said_and_a_phone_scrolls_one_way(house: TradingHouse, browser: Any, keep: Any) -> None:
    strange = "/markets?instrument=%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E"
    with opened(browser, house, strange, phone=True, dark=True) as page:
        expect(page.locator("#tf-mk-links")).to_contain_text(
            "is not traded here; this is BTC-USDT-PERP", timeout=FIRST_MS
        )
        expect(page.locator("#tf-mk-facts")).to_contain_text("Regime")
        assert page.evaluate("window.pwned") is None
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page) == []
        keep(page, "markets-dark-390")
