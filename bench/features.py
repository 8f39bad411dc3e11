"""What the feature vector costs, over a year of hourly bars and bar by bar."""

import statistics
import time

import numpy as np

from bench.figure import Figure
from trading.features.feature import COLUMNS, Feature, Group
from trading.features.frame import FeatureFrame
from trading.features.registry import FEATURES
from trading.features.stream import FeatureStream
from trading.features.vector import compute

HOUR_MS = 3_600_000
YEAR = 8760
INSTRUMENTS = 9
NEW_BARS = 240


def measure() -> list[Figure]:
    """Nine instruments with every input there is, first without and then with what is chaotic; then new bars of one."""
    frames = [_frame(np.random.default_rng(seed)) for seed in range(INSTRUMENTS)]
    quick = tuple(feature for feature in FEATURES if feature.group is not Group.CHAOS)
    slow = tuple(feature for feature in FEATURES if feature.group is Group.CHAOS)
    plain_s, chaos_s = _seconds(frames, quick), _seconds(frames, slow)
    bars_ms, chaos_ms = _bar_ms(frames[0], quick), _bar_ms(frames[0], FEATURES)
    return [
        Figure(
            name="whole vector, a year of hourly bars, nine instruments",
            value=plain_s + chaos_s,
            unit="s CPU",
            target="< 20",
            note=f"{len(FEATURES)} features",
        ),
        Figure(name="  of it chaos", value=chaos_s, unit="s CPU", note=f"{len(slow)} features"),
        Figure(
            name="one new bar of one instrument, median",
            value=statistics.median(chaos_ms),
            unit="ms CPU",
            target="<= 5",
        ),
        Figure(name="  without chaos", value=statistics.median(bars_ms), unit="ms CPU", note=f"{len(quick)} features"),
        Figure(name="  at its slowest, all of chaos measured", value=max(chaos_ms), unit="ms CPU"),
    ]


def _seconds(frames: list[FeatureFrame], features: tuple[Feature, ...]) -> float:
    started = time.process_time()
    for frame in frames:
        compute(frame, features)
    return time.process_time() - started


def _bar_ms(frame: FeatureFrame, features: tuple[Feature, ...]) -> list[float]:
    stream = FeatureStream(frame.step_ms, features)
    stream.extend(frame.rows(0, YEAR - NEW_BARS))
    spent = []
    for row in range(YEAR - NEW_BARS, YEAR):
        columns = {name: float(column[row]) for name, column in frame.columns.items()}
        started = time.process_time()
        stream.push(int(frame.open_ms[row]), columns)
        spent.append(1000 * (time.process_time() - started))
    return spent


def _frame(rng: np.random.Generator) -> FeatureFrame:
    """A year by chance with a value in every column."""
    columns = {name: rng.lognormal(0, 0.3, YEAR) for names in COLUMNS.values() for name in names}
    close = 100 * np.exp(np.cumsum(0.005 * rng.standard_t(4, YEAR)))
    reach = 1 + 0.003 * rng.random(YEAR)
    columns |= {"open": close, "high": close * reach, "low": close / reach, "close": close}
    columns |= {"bid": close * 0.9999, "ask": close * 1.0001}
    open_ms = HOUR_MS * np.arange(YEAR, dtype=np.int64)
    columns["open_s"] = open_ms / 1000
    return FeatureFrame(instrument="X-USDT", step_ms=HOUR_MS, open_ms=open_ms, columns=columns)
