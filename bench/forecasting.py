"""What trained forecasts cost and what they are worth: times on the clock, and the table of walk-forward scores.

Scores need real candles: set ``TRADEFLOOR_TEST_DATA`` to a folder with ``ohlcv/binance/<SYMBOL>-1h.parquet``.
``python -m bench.forecasting > FILE`` prints the table of docs/forecasting.md (about a quarter of an hour).
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.figure import Figure
from trading.domain import parse_instant, to_ms
from trading.features.frame import FeatureFrame, frame_of
from trading.forecasting.comparison import Comparison, compare
from trading.forecasting.dataset import Dataset, make_dataset
from trading.forecasting.registry import Registry
from trading.forecasting.serving import serve
from trading.forecasting.training import Plan, train
from trading.marketdata import SimulationSpec, Tape, TapeView, load_tape, simulate

_T = TypeVar("_T")

HOUR_MS = 3_600_000
FIVE_YEARS = 5 * 8760
SYMBOLS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
HORIZONS = (24, 1, 4)
FROM, JUDGED_FROM, UNTIL = "2021-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
SHOWN = ("accuracy", "auc", "break_even_bps", "brier_skill", "crps_skill", "coverage90", "qlike", "log_volatility_rmse")


def measure() -> list[Figure]:
    """Features, training, loading and one forecast, on five years of simulated hourly bars."""
    tape = simulate(
        SimulationSpec(symbols=("BTC-USDT",), start_ms=0, end_ms=FIVE_YEARS * HOUR_MS, step_ms=HOUR_MS, seed=1)
    )
    frame = _frame(tape, "BTC-USDT")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        features, dataset = _timed(lambda: make_dataset(frame, cache_folder=home))
        cached, _ = _timed(lambda: make_dataset(frame, cache_folder=home))
        training, trained = _timed(lambda: train(dataset, Plan(horizon_ms=4 * HOUR_MS, steps=4)))
        registry = Registry(home)
        entry = registry.register(trained, dataset)
        registry.load(entry)
        loading, bundle = _timed(lambda: Registry(home).load(entry))
        view = TapeView(tape, FIVE_YEARS * HOUR_MS)
        spent = [_timed(lambda: serve(bundle, view, "BTC-USDT"))[0] for _ in range(30)]
    return [
        Figure(
            name="feature vectors of five years, hourly",
            value=features.clock_s,
            unit="s",
            note=f"{len(dataset.names)} features, {features.note}",
        ),
        Figure(name="  from the cache", value=cached.clock_s, unit="s"),
        Figure(
            name="training at one horizon, judged on four folds",
            value=training.clock_s,
            unit="s",
            target="< 60",
            note=training.note,
        ),
        Figure(
            name="loading from the registry, checked",
            value=1000 * loading.clock_s,
            unit="ms",
            target="<= 200",
            note=loading.note,
        ),
        Figure(
            name="one forecast, median, warm",
            value=1000 * statistics.median(each.clock_s for each in spent),
            unit="ms",
            target="<= 20",
            note=f"{1000 * statistics.median(each.processor_s for each in spent):.3g} ms of processor time",
        ),
    ]


def table(data: Path) -> None:
    """The scores of every model at every horizon, as Markdown."""
    sets = {symbol: _dataset(data, symbol) for symbol in SYMBOLS}
    for hours in HORIZONS:
        for symbol, dataset in sets.items():
            plan = Plan(horizon_ms=hours * HOUR_MS, steps=hours, test_from_ms=to_ms(parse_instant(JUDGED_FROM)))
            _print(symbol, hours, compare(dataset, plan))


def _dataset(data: Path, symbol: str) -> Dataset:
    path = data / "ohlcv" / "binance" / f"{symbol}-1h.parquet"
    begin_ms, until_ms = to_ms(parse_instant(FROM)), to_ms(parse_instant(UNTIL))
    return make_dataset(_frame(load_tape([path], (), (symbol,), begin_ms, until_ms, history_bars=0), symbol))


def _print(symbol: str, hours: int, found: Comparison) -> None:
    print(f"\n### {symbol}, {hours} h ahead ({found.judged} forecasts)\n")
    print("| model | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " | QLIKE against EWMA, p |")
    print("|---|" + "--:|" * (len(SHOWN) + 1))
    for name, scores in found.scores.items():
        cells = []
        for each in SHOWN:
            score = scores[each]
            digits = 1 if each == "break_even_bps" else 3
            text = "" if score.value is None else _figure(score.value, digits)
            if score.value is not None and score.ci95 is not None:
                text += f" ({_figure(score.ci95[0], digits)} to {_figure(score.ci95[1], digits)})"
            cells.append(text)
        test = found.against_ewma.get(name)
        worth = "" if test is None else f"{test.difference:+.3f}, {test.p_value:.1g}"
        print(f"| {name} | " + " | ".join(cells) + f" | {worth} |")
    sys.stdout.flush()


def _figure(value: float, digits: int) -> str:
    """Without the sign of a zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _frame(tape: Tape, symbol: str) -> FeatureFrame:
    view = TapeView(tape, int(tape.open_ms[-1]) + tape.step_ms)
    return frame_of(view, symbol, bars=len(tape))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Time on the clock, and what the process used of the processors, all threads together."""

    clock_s: float
    processor_s: float

    @property
    def note(self) -> str:
        """What a busy machine does not change."""
        return f"{self.processor_s:.3g} s of processor time, load {os.getloadavg()[0]:.1f}"


def _timed(call: Callable[[], _T]) -> tuple[_Spent, _T]:
    clock, processor = time.perf_counter(), time.process_time()
    found = call()
    return _Spent(clock_s=time.perf_counter() - clock, processor_s=time.process_time() - processor), found


if __name__ == "__main__":
    table(Path(os.environ.get("TRADEFLOOR_TEST_DATA", "data")))
