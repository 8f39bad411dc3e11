"""The controls of the arena, of prices over a window, of volume, messages, repeats and confidence, at their borders."""

import math
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.markets import OTHER_PERP, PERP, SPOT, START_MS, limit, market
from tests.trading.risk.test_controls import LIMITS, TRADED, resting, rule, state, tight
from trading.domain import ExecutionStyle, Quote, Ruling, Side, TradeIntent
from trading.risk import MarketCondition
from trading.risk.arena_book import ArenaBook
from trading.risk.controls import CONTROLS, control, discover
from trading.risk.traffic import MessageCount, TokenBucket, Traffic

D = Decimal


class Past:
    """Means and volumes that are given."""

    def __init__(self, mean: float | None = 100.0, volume: float | None = 1000.0) -> None:
        self.mean, self.volume = mean, volume

    def window_mean(self, symbol: str) -> float | None:
        return self.mean

    def daily_volume(self, symbol: str) -> float | None:
        return self.volume


def book(equity: str = "100000", venues: dict[str, str] | None = None, **held: str) -> ArenaBook:
    """An arena in which desk ``b`` holds ``perp`` and ``other``, everything at 100."""
    made = ArenaBook(
        equity=D(equity), prices=dict.fromkeys(TRADED, D(100)), venues=venues or dict.fromkeys(TRADED, "one")
    )
    for name, quantity in held.items():
        made.hold("b", {"perp": PERP, "other": OTHER_PERP}[name], D(quantity))
    return made


def quoted(bid: float | None, ask: float | None) -> Any:
    made = state()
    made.quotes = {PERP: Quote(instrument=PERP, price=100.0, ts_ms=0, as_of_ms=0, bid=bid, ask=ask)}
    return made


def traffic(second: int, minute: int) -> Traffic:
    """Buckets of the limits below from which so many messages were taken at this instant."""
    buckets = TokenBucket(span_ms=1000), TokenBucket(span_ms=60_000)
    for bucket, capacity, taken in zip(buckets, (5, 20), (second, minute), strict=True):
        for _ in range(taken):
            bucket.take(capacity, 10**6)
    return Traffic(*buckets, 10**6)


SLOW = LIMITS.model_copy(update={"max_messages_per_second": 5, "max_messages_per_minute": 20})
WAITS = LIMITS.model_copy(update={"max_repeats": 3})
GAP = {PERP: MarketCondition(instrument=PERP, sequence_gap=True)}
LOST = {PERP: MarketCondition(instrument=PERP, feed_lost=True)}


def worked(style: ExecutionStyle) -> TradeIntent:
    """What trades 1 over two bars; the season ends with the window."""
    return market("buy", "1", style=style, window_s=7200)


REFUSED = [
    ("crossed_book", market("buy", "1"), quoted(100.0, 99.0)),
    ("crossed_book", market("buy", "1"), quoted(100.0, 100.0)),
    ("crossed_book", market("buy", "1"), quoted(math.nan, 100.0)),
    ("price_known", market("buy", "1"), state(price=math.inf)),
    ("sequence_gap", market("buy", "1"), state(conditions=GAP)),
    ("sequence_gap", market("sell", "1"), state({PERP: "5"}, conditions=LOST)),
    ("price_collar_window", market("buy", "1"), state(reference=Past(mean=79.99))),
    ("price_collar_window", market("sell", "1"), state(reference=Past(mean=133.4))),
    ("price_collar_window", limit("buy", "1", "95.5"), state(reference=Past(mean=127.4))),
    ("price_collar_window", market("buy", "1"), state(reference=Past(mean=None))),
    ("max_volume_share", market("buy", "1"), state(reference=Past(volume=None))),
    ("max_messages", market("buy", "1"), state(traffic=traffic(5, 5), limits=SLOW)),
    ("max_messages", market("buy", "1"), state(traffic=traffic(0, 20), limits=SLOW)),
    ("max_messages", market("buy", "1"), state(traffic=traffic(3, 3), orders_this_round=2, limits=SLOW)),
    ("max_repeats", market("buy", "1"), state(repeats={(PERP, Side.BUY): 3}, limits=WAITS)),
    ("self_match", limit("sell", "1", "100"), state(arena_orders=(resting(1, "buy"),))),
    ("self_match", market("sell", "1"), state(arena_orders=(resting(1, "buy"),))),
    ("arena_gross_exposure", market("buy", "1"), state(arena=book(perp="2500", other="0"))),
    ("arena_gross_exposure", market("sell", "1"), state(arena=book(equity="0"))),
    ("reduce_only", market("buy", "1"), state(barred_instruments={PERP: "max_anomaly 0.99 of 0.95"})),
    ("work_window", market("buy", "1", style=ExecutionStyle.TWAP, window_s=7199), state()),
    ("work_window", market("buy", "1", style=ExecutionStyle.TWAP, window_s=7201), state(ends_ms=START_MS + 7_200_000)),
    ("usual_volume", worked(ExecutionStyle.VWAP), state(reference=Past(volume=None))),
    ("usual_volume", worked(ExecutionStyle.POV), state(reference=Past(volume=None))),
]


@pytest.mark.parametrize(("expected", "intent", "standing"), REFUSED)
def test_a_control_refuses_with_its_rule(expected, intent, standing):
    verdict = rule(intent, standing)
    assert (verdict.ruling, verdict.rule, verdict.quantity_after) == (Ruling.REFUSED, expected, 0)
    assert verdict.message.endswith(".")
    assert len(verdict.message) < 250


CUT = [
    ("max_volume_share", market("buy", "150"), state(reference=Past()), "100", "100", "150"),
    ("max_spot_exposure", market("buy", "90", SPOT), state(cash="100000"), "85", "0.85", "0.9"),
    (
        "arena_gross_exposure",
        market("buy", "80"),
        state(arena=book(perp="-2450", equity="100000"), limits=tight(arena_instrument_exposure=9)),
        "50",
        "2.5",
        "2.53",
    ),
    (
        "arena_venue_exposure",
        market("buy", "80"),
        state(
            arena=book(perp="450", other="900", venues={PERP: "one", OTHER_PERP: "two"}),
            limits=tight(arena_venue_exposure="0.5"),
        ),
        "50",
        "0.5",
        "0.53",
    ),
    (
        "arena_instrument_exposure",
        market("buy", "80"),
        state(arena=book(perp="-450", other="900"), limits=tight(arena_instrument_exposure="0.5")),
        "50",
        "0.5",
        "0.53",
    ),
    (
        "arena_net_exposure",
        market("sell", "80"),
        state(arena=book(perp="-450", other="-500"), limits=tight(arena_net_exposure=1)),
        "50",
        "1",
        "1.03",
    ),
]


@pytest.mark.parametrize(("rule_name", "intent", "standing", "left", "bound", "found"), CUT)
def test_a_control_cuts_to_what_may_stand(rule_name, intent, standing, left, bound, found):
    verdict = rule(intent, standing)
    assert (verdict.ruling, verdict.rule) == (Ruling.RESIZED, rule_name)
    assert (verdict.quantity_after, verdict.limit, verdict.value) == (D(left), D(bound), D(found))


@pytest.mark.parametrize(
    ("intent", "standing"),
    [
        (market("buy", "1"), quoted(99.99, 100.0)),
        (market("buy", "1"), state(reference=Past(mean=80.0))),
        (market("buy", "100"), state(reference=Past())),
        (market("sell", "5"), state({PERP: "5"}, reference=Past(mean=None, volume=None))),
        (market("buy", "1"), state(traffic=traffic(4, 19), limits=SLOW)),
        (market("buy", "1"), state(repeats={(PERP, Side.BUY): 2, (PERP, Side.SELL): 9}, limits=WAITS)),
        (limit("sell", "1", "100.01"), state(arena_orders=(resting(1, "buy"),))),
        (market("buy", "1"), state(arena_orders=(resting(1, "buy"), resting(2, "sell", symbol=OTHER_PERP)))),
        (market("buy", "50"), state(arena=book(perp="2450"))),
        (market("buy", "85", SPOT), state(cash="100000")),
        (market("sell", "5"), state({PERP: "5"}, arena=book(equity="0", perp="10"))),
        (market("sell", "5"), state({PERP: "5"}, barred_instruments={PERP: "max_anomaly"})),
        (worked(ExecutionStyle.TWAP), state(ends_ms=START_MS + 7_200_000)),
        (worked(ExecutionStyle.VWAP), state(reference=Past())),
    ],
)
def test_at_its_boundary_a_control_says_nothing(intent, standing):
    verdict = rule(intent, standing)
    assert verdict.ruling is Ruling.ALLOWED, verdict


@pytest.mark.parametrize(
    ("stated", "threshold", "strict", "left"),
    [
        (0.75, "0.75", False, "10"),
        (0.7, "0.75", False, "8"),
        (0.55, "0.75", False, "2"),
        (0.5, "0.75", False, "0"),
        (0.0, "0.75", False, "0"),
        (0.84, "0.85", True, "0"),
        (0.85, "0.85", True, "10"),
        (None, "0.85", True, "10"),
        (0.1, None, True, "10"),
    ],
)
def test_confidence_opens_in_full_from_the_threshold_on(stated, threshold, strict, left):
    standing = state(full_confidence=None if threshold is None else D(threshold), refuses_doubt=strict)
    verdict = rule(market("buy", "10", confidence=stated), standing)
    assert verdict.quantity_after == D(left)
    assert verdict.rule == ("" if left == "10" else "confidence")


def test_getting_out_needs_no_confidence():
    standing = state({PERP: "10"}, full_confidence=D("0.75"))
    assert rule(market("sell", "10", confidence=0.0), standing).ruling is Ruling.ALLOWED
    standing = state({PERP: "10"}, full_confidence=D("0.75"))
    assert rule(market("sell", "30", confidence=0.0), standing).quantity_after == 10, "a turn is cut to the close"


def test_every_rule_that_a_control_can_give_is_tried():
    from tests.trading.risk import test_controls

    tried = {expected for expected, _, _ in [*REFUSED, *test_controls.REFUSED]} | {expected for expected, *_ in CUT}
    elsewhere = {"confidence", "market_data", "max_leverage", "max_gross_exposure", "max_net_exposure"}
    elsewhere |= {"max_order_value", "min_notional"}
    assert {each for found in CONTROLS for each in found.rules} - tried <= elsewhere


def test_controls_are_asked_in_order_and_each_says_what_it_is():
    assert list(CONTROLS) == sorted(CONTROLS, key=lambda found: found.stage)
    assert len(CONTROLS) >= 25
    for found in CONTROLS:
        assert found.says.endswith(".")
        assert set(found.limits) <= set(type(LIMITS).model_fields)


def _silent(*_: Any) -> None:
    """Says nothing."""


def test_two_controls_cannot_share_an_id(monkeypatch):
    from trading.risk.controls import halts

    twin = control("halted", stage=999, scope=CONTROLS[0].scope, unit="state")(_silent)
    monkeypatch.setattr(halts, "twin", twin, raising=False)
    with pytest.raises(ValueError, match="rule 'halted'"):
        discover()


def test_a_bucket_is_exact_under_a_burst():
    bucket, capacity = TokenBucket(span_ms=1000), 50
    sent = []
    for now_ms in range(5000):
        while bucket.level(capacity, now_ms) >= 1:
            bucket.take(capacity, now_ms)
            sent.append(now_ms)
    # A full bucket at once, then exactly fifty a second: never more than the burst and the flow in any span.
    assert sent[:50] == [0] * 50
    for start in (1, 777, 2500):
        assert sum(start <= at < start + 1000 for at in sent) == 50
    assert len(sent) == 50 + 4999 * capacity // 1000


def test_a_clock_that_steps_back_fills_nothing():
    bucket = TokenBucket(span_ms=1000)
    for _ in range(5):
        bucket.take(5, 10_000)
    assert bucket.level(5, 4_000) == bucket.level(5, 10_000) == 0
    bucket.take(5, 4_000)
    assert bucket.level(5, 10_000) == 0
    assert bucket.level(5, 10_200) == 1


def test_cancels_pass_at_zero_tokens_and_are_counted():
    from trading.domain import Event, EventKind

    count = MessageCount(SLOW)
    payload = {"desk": "a", "origin": "desk", "order_id": "o"}
    for _ in range(9):  # nothing asks a cancel whether it may: the fold takes it and the bucket stays at nothing
        count.apply(Event(ts_ms=0, kind=EventKind.ORDER_CANCELLED, payload=payload))
    assert count.traffic("a", 0).short_of(SLOW, already=0) == ("second", 5)
    assert count.traffic("b", 0).short_of(SLOW, already=0) is None
    assert count.traffic("a", 1000).short_of(SLOW, already=4) is None
    assert count.traffic("a", 1000).short_of(SLOW, already=5) == ("second", 5)
