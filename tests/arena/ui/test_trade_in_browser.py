"""Trading by hand in a real browser: a ticket is previewed, sent, filled, and the position closed again."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.arena.ui.trading_house import TradingHouse, opened, trading_house, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingHouse]:
    """A house with a desk by hand."""
    with trading_house(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_a_ticket_is_previewed_sent_filled_and_closed(house: TradingHouse, browser: Any, keep: Any) -> None:
    with opened(browser, house, "/trade") as page:
        expect(page.locator("#tf-hand-facts")).to_contain_text("Equity of you", timeout=60_000)
        expect(page.locator("#tf-t-preview")).to_contain_text("Type a size")
        page.get_by_label("Size", exact=True).fill("0.02")
        expect(page.locator("#tf-t-preview")).to_contain_text("The gate would let it through")
        expect(page.locator("#tf-t-preview")).to_contain_text("One-day VaR 99")
        page.get_by_role("button", name="Send for the next round").click()
        expect(page.locator("#tf-t-said")).to_contain_text("Sent: buy 0.02 BTC-USDT-PERP")
        expect(page.locator("#tf-hand-tickets tbody tr").first).to_contain_text("filled")
        expect(page.locator("#tf-hand-positions tbody tr")).to_contain_text("BTC-USDT-PERP")
        assert violations(page) == []
        keep(page, "trade-light-1440")

        close = page.locator("button[data-act=close]")
        close.click()
        expect(close).to_have_text("Confirm close")
        page.keyboard.press("Escape")
        expect(close).to_have_text("Close…")
        close.click()
        close.click()
        expect(page.locator("#tf-hand-positions")).to_contain_text("No open position")
        expect(page.locator("#tf-hand-tickets tbody tr").first).to_contain_text("close BTC-USDT-PERP")


def test_a_limit_order_rests_and_is_cancelled_on_a_phone(house: TradingHouse, browser: Any, keep: Any) -> None:
    with opened(browser, house, "/trade", phone=True, dark=True) as page:
        expect(page.locator("#tf-hand-facts")).to_contain_text("Equity of you", timeout=60_000)
        stand = house.counter.stand("you")
        assert stand is not None
        page.locator("#tf-t-type label", has_text="Limit").click()
        expect(page.get_by_label("Limit price")).to_be_visible()
        page.locator("#tf-t-unit label", has_text="Value").click()
        page.get_by_label("Size", exact=True).fill("900")
        page.get_by_label("Limit price").fill(f"{float(stand.prices['BTC-USDT-PERP']) * 0.985:.0f}")
        expect(page.locator("#tf-t-preview")).to_contain_text("It rests until it is cancelled")
        page.get_by_role("button", name="Send for the next round").click()
        expect(page.locator("#tf-hand-orders tbody tr")).to_contain_text("limit")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page) == []
        keep(page, "trade-dark-390")
        page.locator("button[data-act=cancel]").click()
        expect(page.locator("#tf-hand-orders")).to_contain_text("No open order")
        expect(page.locator("#tf-hand-tickets")).to_contain_text("cancelled by this machine")


def test_what_cannot_be_an_order_is_said_and_a_halted_floor_takes_none(house: TradingHouse, browser: Any) -> None:
    with opened(browser, house, "/trade", refused=True) as page:
        expect(page.locator("#tf-hand-facts")).to_contain_text("Equity of you", timeout=60_000)
        page.get_by_label("Size", exact=True).fill("<img src=x onerror=window.pwned=1>")
        expect(page.locator("#tf-t-preview")).to_contain_text("not an order")
        expect(page.locator("#tf-t-preview")).to_contain_text("<img src=x")
        assert page.evaluate("window.pwned") is None
        page.get_by_label("Size", exact=True).fill("1000")
        expect(page.locator("#tf-t-preview .tf-chip")).to_have_text("resized")
        house.floor.halt("a look at the page")
        try:
            page.get_by_label("Size", exact=True).fill("0.01")
            expect(page.locator("#tf-t-preview")).to_contain_text("trading is halted: a look at the page")
            page.get_by_role("button", name="Send for the next round").click()
            expect(page.get_by_text("trading is halted: a look at the page").last).to_be_visible()
        finally:
            house.floor.resume("seen")
