"""The trade audit: what each step took and cost, in memory that does not grow."""

import math
from decimal import Decimal

import numpy as np
import pytest

from tests.trading.engine.test_order_kinds import run
from tests.trading.markets import FREE, PERP, START_MS, flat, limit, market, tape_of
from trading.domain import Event, EventKind
from trading.execution.trade_audit import OrderLine, TradeAudit
from trading.stats.sketch import QuantileSketch


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_percentiles_are_within_a_percent(scale):
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.lognormal(0, 2, 20_000), -rng.lognormal(0, 1, 10_000), np.zeros(500)]) * scale
    sketch = QuantileSketch()
    for value in values:
        sketch.add(float(value))
    ordered = np.sort(values)
    for share in (0.0, 0.05, 0.3, 0.5, 0.9, 0.99, 1.0):
        exact = ordered[int(share * (len(values) - 1))]
        assert sketch.quantile(share) == pytest.approx(exact, rel=0.0101, abs=1e-6)
    assert sketch.mean == pytest.approx(values.mean())
    assert sketch.n == len(values)


def test_nothing_is_none_and_nan_is_not_counted():
    sketch = QuantileSketch()
    assert (sketch.quantile(0.5), sketch.mean) == (None, None)
    sketch.add(math.nan)
    assert sketch.n == 0
    sketch.add(7.0)
    assert [sketch.quantile(share) for share in (0, 0.5, 1)] == [7.0] * 3


def test_a_million_values_take_a_few_thousand_counters():
    sketch = QuantileSketch()
    for exponent in np.linspace(-12, 15, 20_000):
        sketch.add(10.0**exponent)
        sketch.add(-(10.0**exponent))
    assert len(sketch._counts) < 4200


def audited(engine, **more) -> TradeAudit:
    audit = TradeAudit(**more)
    for event in engine._journal.events:
        audit.apply(event)
    return audit


def test_the_time_line_of_an_order():
    costs = FREE.model_copy(update={"latency_ms": 250, "slippage_bps": Decimal(10)})
    bars = [*flat(100, 2), *flat(102, 4)]
    engine = run(tape_of({PERP: bars}), {1: [market("buy", "1"), limit("buy", "1", "90")]}, costs=costs)
    audit = audited(engine, thinking=lambda decision_id: 1234.0)
    filled, missed = audit.lines
    decided = START_MS + 2 * 3_600_000
    assert (filled.printed_ms, filled.decided_ms, filled.sent_ms) == (decided, decided, decided)
    assert (filled.acknowledged_ms, filled.filled_ms) == (decided + 250, decided + 250)
    assert (filled.decision_price, filled.arrival_price, filled.ended) == (100.0, 102.0, "filled")
    # Bought at 102 x 1.001 = 102.102, rounded up to 102.11: 211 bps on the decision, 10.8 on the arrival.
    assert filled.slippage_bps["decision_bps"] == pytest.approx(211.0)
    assert filled.slippage_bps["arrival_bps"] == pytest.approx((102.11 / 102 - 1) * 1e4)
    assert (missed.ended, missed.filled_ms) == ("expired", None)
    (desk,) = audit.summary()
    assert (desk["desk"], desk["venue"], desk["orders"], desk["fills"], desk["unfilled"]) == (
        "alpha",
        "simulated",
        2,
        1,
        1,
    )
    assert desk["stages"]["acknowledge_ms"]["p50"] == pytest.approx(250, rel=0.01)
    assert desk["stages"]["thinking_ms"]["max"] == 1234.0
    assert desk["stages"]["data_age_ms"]["max"] == 0


def test_what_was_not_measured_is_none():
    engine = run(tape_of({PERP: flat(100, 4)}), {1: [market("buy", "1")]})
    assert audited(engine).summary()[0]["stages"]["thinking_ms"] is None


def test_a_real_venues_acknowledgement_counts_where_there_is_one():
    audit = TradeAudit()
    order = {
        "order_id": "o", "desk": "a", "instrument": PERP, "side": "sell", "origin": "desk",
        "sent_ms": 1000, "arrives_ms": 1000,
    }  # fmt: skip
    fill = {"order_id": "o", "side": "sell", "price": "99", "ts_ms": 1500, "venue": "kraken"}
    opened = {"prices": {PERP: "100"}, "printed_ms": {PERP: 400}}
    for kind, ts_ms, payload in (
        (EventKind.ROUND_OPENED, 900, opened),
        (EventKind.ORDERED, 1000, order),
        (EventKind.ORDER_ACKNOWLEDGED, 1200, {"order_id": "o"}),
        (EventKind.FILLED, 1500, fill),
    ):
        audit.apply(Event(ts_ms=ts_ms, kind=kind, payload=payload))
    by_venue = {row["venue"]: row for row in audit.summary()}
    figures = by_venue["kraken"]["stages"]
    assert figures["acknowledge_ms"]["max"] == 200
    assert figures["fill_ms"]["max"] == 300
    assert by_venue[""]["stages"]["data_age_ms"]["max"] == 500
    assert audit.lines[0].slippage_bps == {"decision_bps": pytest.approx(100)}


def test_memory_is_bounded():
    audit = TradeAudit(last=5)
    for number in range(500):
        order = {
            "order_id": str(number), "desk": "a", "instrument": PERP, "side": "buy", "origin": "desk",
            "sent_ms": number, "arrives_ms": number,
        }  # fmt: skip
        audit.apply(Event(ts_ms=number, kind=EventKind.ORDERED, payload=order))
        audit.apply(Event(ts_ms=number, kind=EventKind.ORDER_CANCELLED, payload={"order_id": str(number)}))
    assert len(audit.lines) == 5
    assert not audit._open
    assert isinstance(audit.lines[0], OrderLine)
