"""The counter of a season that trades: previews by the gate, tickets that fill, and refusals that say why."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from arena.commands.serve import demo_rules
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.settings import Settings
from arena.tickets import TicketState
from arena.tickets.counter import Counter
from arena.tickets.order import order_ticket
from trading.domain.errors import RequestError, TradingHalted
from trading.domain.verdict import Ruling
from trading.risk import KillSwitch

BTC = "BTC-USDT-PERP"
PATIENCE_S = 60


def until(true, what):
    """Waits for something to become so."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


@pytest.fixture(scope="module")
def trading(tmp_path_factory) -> Iterator[tuple[LiveFloor, Counter]]:
    """The floor and the counter of the served demo, in which rounds follow each other quickly."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings.load({"home": home})
    floor = LiveFloor(KillSwitch(home))
    counter = Counter(home, floor.snapshot)
    season = BackgroundSeason(demo_rules(), settings, floor, round_s=0.3, warmup_rounds=2, counter=counter)
    season.start()
    until(lambda: counter.stand("you"), "the first round")
    yield floor, counter
    season.stop()


def order(**fields):
    """A ticket that buys a little bitcoin."""
    return order_ticket(**{"instrument": BTC, "side": "buy", "quantity": "0.01", **fields})


def test_the_desks_and_instruments_are_known_before_the_season_begins(tmp_path):
    counter = Counter(tmp_path, lambda: None)
    BackgroundSeason(
        demo_rules(),
        Settings.load({"home": tmp_path}),
        LiveFloor(KillSwitch(tmp_path)),
        round_s=1,
        warmup_rounds=1,
        counter=counter,
    )
    assert counter.desks == ("you",)
    assert BTC in counter.instruments
    with pytest.raises(RequestError, match="person = true"):
        counter.place("you", who="ann", order=order())


def test_a_preview_says_ruling_cost_and_risk(trading):
    _, counter = trading
    found = counter.preview("you", order(stop_loss="90000"))
    price = counter.stand("you").prices[BTC]
    assert found.verdict.ruling is Ruling.ALLOWED
    assert found.price > 0
    assert found.fee == pytest.approx(found.verdict.quantity_after * price * Decimal("0.00045"), rel=Decimal("0.2"))
    assert found.slippage > 0
    assert found.at_stop > 0
    assert found.gross_after > found.gross_before
    assert found.var_after > found.var_before


def test_a_preview_of_too_much_is_cut_or_refused_by_a_rule(trading):
    _, counter = trading
    verdict = counter.preview("you", order(quantity="1000")).verdict
    assert verdict.ruling in (Ruling.RESIZED, Ruling.REFUSED)
    assert verdict.rule


@pytest.mark.parametrize(
    ("desk", "fields", "said"),
    [
        ("momentum", {}, "not traded by hand"),
        ("<script>", {}, "not traded by hand"),
        ("you", {"instrument": "XRP-USDT"}, "not traded here"),
    ],
)
def test_strange_desks_and_instruments_are_refused(trading, desk, fields, said):
    _, counter = trading
    for act in (
        lambda: counter.preview(desk, order(**fields)),
        lambda: counter.place(desk, who="a", order=order(**fields)),
    ):
        with pytest.raises(RequestError, match=said):
            act()


def test_a_ticket_fills_and_the_desk_holds_it(trading):
    _, counter = trading
    ticket = counter.place("you", who="ann", order=order(), ticket_id="t-one")
    assert counter.place("you", who="ann", order=order(), ticket_id="t-one") == ticket

    def filled():
        return [one for one in counter.tickets("you") if one.ticket_id == "t-one" and one.state is TicketState.FILLED]

    until(filled, "the fill")
    held = until(lambda: counter.stand("you").account.positions.get(BTC), "the position")
    assert held.quantity == Decimal("0.01")
    with pytest.raises(RequestError, match="is filled already"):
        counter.withdraw("you", "t-one")


def test_a_halted_floor_refuses_tickets_with_the_reason(trading):
    floor, counter = trading
    floor.halt("a look at the counter")
    try:
        with pytest.raises(TradingHalted, match="a look at the counter"):
            counter.place("you", who="ann", order=order())
        with pytest.raises(TradingHalted, match="a look at the counter"):
            counter.preview("you", order())
    finally:
        floor.resume("seen")


def test_a_season_that_is_over_takes_no_ticket(tmp_path):
    counter = Counter(tmp_path, lambda: None)
    with pytest.raises(RequestError, match="runs here"):
        counter.preview("you", order())
