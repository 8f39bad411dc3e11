"""Returns over overlapping horizons, across gaps and several instruments."""

from decimal import Decimal

import numpy as np
import pytest

from trading.domain import AccountView, Position
from trading.domain.errors import BadArguments, Unavailable
from trading.marketdata import Bars
from trading.risk.measures import horizon_returns, position_weights, returns_of_positions

HOUR_MS = 3_600_000


def make_bars(symbol: str, closes: dict[int, float]) -> Bars:
    """Bars by the hour at which they opened."""
    close = np.array(list(closes.values()), dtype=np.float64)
    opened = np.array(list(closes), dtype=np.int64) * HOUR_MS
    return Bars(
        instrument=symbol,
        step_ms=HOUR_MS,
        open_ms=opened,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=close,
    )


def make_account(equity: str = "1000", **quantities: str) -> AccountView:
    return AccountView(
        desk="a",
        as_of_ms=0,
        quote="USDT",
        cash=Decimal(equity),
        positions={name: Position(instrument=name, quantity=Decimal(held)) for name, held in quantities.items()},
        marks={name: Decimal(100) for name in quantities},
        equity=Decimal(equity),
        peak_equity=Decimal(equity),
        gross=Decimal(0),
        net=Decimal(0),
    )


def test_returns_overlap() -> None:
    found = horizon_returns(make_bars("A", {0: 100, 1: 110, 2: 121, 3: 60.5}), 2 * HOUR_MS)
    assert found.returns == pytest.approx([0.21, -0.45])
    assert found.start_ms.tolist() == [0, HOUR_MS]


def test_a_return_needs_the_bars_at_both_ends() -> None:
    found = horizon_returns(make_bars("A", {0: 100, 1: 110, 3: 121, 4: 99, 5: 60.5}), 2 * HOUR_MS)
    assert found.start_ms.tolist() == [1 * HOUR_MS, 3 * HOUR_MS]
    assert found.returns == pytest.approx([0.1, -0.5])


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_too_few_bars_have_no_return(hours: int) -> None:
    found = horizon_returns(make_bars("A", dict.fromkeys(range(hours), 100.0)), 2 * HOUR_MS)
    assert found.returns.shape == found.start_ms.shape == (0,)


@pytest.mark.parametrize("horizon_ms", [0, -HOUR_MS, HOUR_MS // 2, HOUR_MS + 1])
def test_a_horizon_is_a_whole_number_of_bars(horizon_ms: int) -> None:
    with pytest.raises(BadArguments, match="whole number of bars of 1h"):
        horizon_returns(make_bars("A", {0: 1.0}), horizon_ms)


def test_positions_are_added_where_all_have_a_return() -> None:
    first = horizon_returns(make_bars("A", {0: 100, 1: 110, 2: 121, 3: 121}), HOUR_MS)
    second = horizon_returns(make_bars("B", {1: 50, 2: 25, 3: 50, 4: 60}), HOUR_MS)
    found = returns_of_positions({"A": 0.5, "B": -0.2, "C": 0.0}, {"A": first, "B": second})
    assert found == pytest.approx([0.5 * 0.1 - 0.2 * -0.5, 0.5 * 0 - 0.2 * 1.0])


def test_a_perfect_hedge_has_no_return() -> None:
    history = {name: horizon_returns(make_bars(name, {0: 100, 1: 110, 2: 90}), HOUR_MS) for name in ("A", "B")}
    assert returns_of_positions({"A": 1.5, "B": -1.5}, history) == pytest.approx([0, 0], abs=1e-15)


def test_nothing_held_has_nothing_to_return() -> None:
    assert returns_of_positions({"A": 0.0}, {}).shape == (0,)


def test_a_held_instrument_without_history_is_not_skipped() -> None:
    with pytest.raises(Unavailable, match="no returns are known of B"):
        returns_of_positions({"A": 0.0, "B": 1.0}, {})


def test_weights_are_signed_values_over_equity() -> None:
    found = position_weights(make_account(A="2", B="-1"), {"B": Decimal(1), "C": Decimal("0.5")}, {"C": 40.0})
    assert found == pytest.approx({"A": 0.2, "B": 0.0, "C": 0.02})


def test_weights_need_equity_and_prices() -> None:
    with pytest.raises(Unavailable, match="no equity left"):
        position_weights(make_account(equity="0", A="1"), {}, {})
    with pytest.raises(Unavailable, match="C has no price"):
        position_weights(make_account(A="1"), {"C": Decimal(1)}, {})
