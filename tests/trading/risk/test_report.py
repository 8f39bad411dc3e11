"""The risk report: known where the past is long enough, None where not, and what it says of odd books."""

import dataclasses

import numpy as np
import pytest

from trading.domain.errors import BadArguments, Unavailable
from trading.marketdata import Bars, FloatArray
from trading.risk.report import Book, RiskReport, risk_report

HOUR_MS = 3_600_000
METHODS = ("historical", "parametric", "cornish_fisher", "filtered", "monte_carlo")


def bars_of(symbol: str, close: FloatArray) -> Bars:
    return Bars(
        instrument=symbol,
        step_ms=HOUR_MS,
        open_ms=np.arange(len(close), dtype=np.int64) * HOUR_MS,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.full(len(close), 10.0),
    )


def walk(seed: int, count: int = 4000) -> FloatArray:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.005, count)))


def asked(weights: dict[str, float], bars: dict[str, Bars], **options: object) -> RiskReport:
    book = Book(
        weights=weights,
        quantities={symbol: weight * 10 for symbol, weight in weights.items()},
        maintenance={symbol: 0.005 for symbol in weights if symbol.endswith("-PERP")},
    )
    settings = {"horizon_ms": 24 * HOUR_MS, "rng": np.random.default_rng(1), **options}
    return risk_report(book, bars, **settings)


def test_on_noise_all_methods_agree() -> None:
    found = asked({"A-USDT": 1.0}, {"A-USDT": bars_of("A-USDT", walk(1, 12_000))})
    truth = 0.005 * np.sqrt(24) * 2.3263
    for method in METHODS:
        assert found.tails[method].var[0.99] == pytest.approx(truth, rel=0.25)
    assert all(one.coverage.p_value > 0.01 for one in found.backtests.values())
    assert found.volatility == pytest.approx(0.005 * np.sqrt(8760), rel=0.03)


def test_a_perfect_hedge_has_no_risk_but_counts_as_exposure() -> None:
    bars = {symbol: bars_of(symbol, walk(2)) for symbol in ("A-USDT", "A-USDT-PERP")}
    found = asked({"A-USDT": 1.0, "A-USDT-PERP": -1.0}, bars)
    assert found.tails["historical"].var[0.99] == pytest.approx(0, abs=1e-12)
    assert found.tails["monte_carlo"].var[0.99] == pytest.approx(0, abs=1e-9)
    assert found.concentration.effective == 2.0
    assert found.margin.used == 0.005


def test_twice_the_book_has_twice_the_var() -> None:
    bars = {symbol: bars_of(symbol, walk(seed)) for seed, symbol in enumerate(("A-USDT", "B-USDT"))}
    once, twice = (asked({"A-USDT": 0.4 * k, "B-USDT": -0.2 * k}, bars) for k in (1, 2))
    for method in ("historical", "parametric", "filtered", "cornish_fisher"):
        assert twice.tails[method].var[0.99] == pytest.approx(2 * once.tails[method].var[0.99], rel=1e-6)


def test_nothing_held_risks_nothing() -> None:
    found = asked({"A-USDT": 0.0}, {})
    assert all(found.tails[method].var[0.99] == 0.0 for method in METHODS)
    assert found.instruments == ()


@pytest.mark.parametrize("count", [2, 30, 300, 900])
def test_a_short_past_leaves_figures_unknown(count: int) -> None:
    found = asked({"A-USDT": 1.0}, {"A-USDT": bars_of("A-USDT", walk(3, count))})
    assert found.tails["historical"].var[0.99] is None or count >= 524
    assert found.backtests == {}
    assert found.notes


def test_a_market_that_never_moves() -> None:
    found = asked({"A-USDT": 1.0}, {"A-USDT": bars_of("A-USDT", np.full(3000, 5.0))})
    assert found.tails["historical"].var[0.99] == 0.0
    assert found.tails["filtered"].var[0.99] is None
    assert found.tails["monte_carlo"].var[0.99] is None


def test_beta_to_the_benchmark() -> None:
    close = walk(5)
    bars = {"B-USDT": bars_of("B-USDT", close), "A-USDT": bars_of("A-USDT", close)}
    assert asked({"A-USDT": 0.7}, bars, benchmark="B-USDT").beta == pytest.approx(0.7)


def test_missing_bars_are_not_invented() -> None:
    close = walk(6)
    whole = bars_of("A-USDT", close)
    kept = np.delete(np.arange(len(close)), np.s_[1000:1100])
    names = ("open_ms", "open", "high", "low", "close", "volume")
    holed = dataclasses.replace(whole, **{name: getattr(whole, name)[kept] for name in names})
    found = asked({"A-USDT": 1.0}, {"A-USDT": holed})
    assert found.observations == len(close) - 24 - 100 - 24


def test_what_cannot_be_asked() -> None:
    with pytest.raises(Unavailable, match="no candles of A-USDT"):
        asked({"A-USDT": 1.0}, {})
    with pytest.raises(BadArguments, match="whole number of bars"):
        asked({"A-USDT": 1.0}, {"A-USDT": bars_of("A-USDT", walk(7))}, horizon_ms=1000)
