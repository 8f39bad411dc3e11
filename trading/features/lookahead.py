"""Whether what is computed of a bar changes with the bars after it: the tape is cut off, or its future is poisoned."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import RequestError
from trading.features.frame import FeatureFrame
from trading.features.regimes import RegimeSettings, regime_series
from trading.features.vector import compute
from trading.marketdata import FloatArray

Recipe = Callable[[FeatureFrame], Mapping[str, FloatArray]]
"""From a frame to named columns, each with one value a bar."""

RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Differences up to this are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A value of the bar that opens at ``open_ms`` which moved with the bars after it; NaN is not known.

    ``future`` says what became of them: ``truncated`` or ``poisoned``.
    """

    name: str
    open_ms: int
    whole: float
    other: float
    future: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookaheadReport:
    """What was compared, and every name that moved with the first bar at which it did."""

    names: tuple[str, ...]
    cuts: int
    movements: tuple[Movement, ...]

    @property
    def moved(self) -> tuple[str, ...]:
        """The names that moved, in the order of ``names``."""
        return tuple(each.name for each in self.movements)


def look_ahead(
    recipe: Recipe,
    frame: FeatureFrame,
    *,
    samples: int = 20,
    seed: int = 0,
    on_sample: Callable[[int], None] | None = None,
) -> LookaheadReport:
    """Recompute ``recipe`` at ``samples`` instants, without the bars after them and with other ones there.

    The values of every bar up to the instant are compared with those over the whole frame. ``on_sample`` is told how
    many instants are done. Raises RequestError for a frame of fewer than two bars, or a recipe whose columns do not
    have one value a bar.
    """
    if len(frame) < 2:
        raise RequestError(f"look-ahead needs two bars or more; found {len(frame)}")
    rng = np.random.default_rng(seed)
    whole = _computed(recipe, frame)
    cuts = np.sort(rng.choice(np.arange(1, len(frame)), min(samples, len(frame) - 1), replace=False)).tolist()
    found: dict[str, Movement] = {}
    for done, cut in enumerate(cuts, 1):
        for future, other in (("truncated", frame.rows(0, cut)), ("poisoned", poisoned(frame, cut, rng))):
            for movement in _moved(whole, _computed(recipe, other), frame, cut, future):
                known = found.get(movement.name)
                if known is None or movement.open_ms < known.open_ms:
                    found[movement.name] = movement
        if on_sample is not None:
            on_sample(done)
    return LookaheadReport(
        names=tuple(whole), cuts=len(cuts), movements=tuple(found[name] for name in whole if name in found)
    )


def poisoned(frame: FeatureFrame, cut: int, rng: np.random.Generator) -> FeatureFrame:
    """The same bars up to row ``cut`` and other ones from there on, at the same instants, as wild as they are wrong."""
    columns = {name: column.copy() for name, column in frame.columns.items()}
    count = len(frame) - cut
    factor = np.exp(np.cumsum(rng.normal(0, 0.2, count)))
    for name, column in columns.items():
        if name != "open_s":
            column[cut:] *= factor * 7.0
    return FeatureFrame(instrument=frame.instrument, step_ms=frame.step_ms, open_ms=frame.open_ms, columns=columns)


def feature_recipe(frame: FeatureFrame) -> dict[str, FloatArray]:
    """The whole feature vector."""
    return compute(frame).by_name()


def regime_recipe(frame: FeatureFrame, settings: RegimeSettings | None = None) -> dict[str, FloatArray]:
    """Probabilities of all methods, the confidence, and the changes (1 at a bar with one)."""
    series = regime_series(frame, settings)
    changes = np.zeros(len(frame))
    changes[np.searchsorted(frame.open_ms, [change.open_ms for change in series.changes()])] = 1.0
    return {**series.columns(), "regime_change": changes}


def anomaly_recipe(frame: FeatureFrame) -> dict[str, FloatArray]:
    """The scores of all detectors, and the gravest severity a bar by what it is of (0 without)."""
    from trading.features.anomalies import Kind, scan

    found = scan(frame)
    columns = {f"anomaly_{name}": values for name, values in found.scores.items()}
    for kind in Kind:
        columns[f"anomaly_severity_{kind.name.lower()}"] = np.zeros(len(frame))
    for each in found.anomalies:
        column = columns[f"anomaly_severity_{each.kind.name.lower()}"]
        row = int(np.searchsorted(frame.open_ms, each.open_ms))
        column[row] = max(column[row], float(each.severity))
    return columns


RECIPES: Mapping[str, Recipe] = {"features": feature_recipe, "regimes": regime_recipe, "anomalies": anomaly_recipe}
"""All that is computed of bars here, by what it is."""


def together(recipes: Sequence[Recipe], keep: Callable[[str], bool] = lambda name: True) -> Recipe:
    """One recipe of several, with the columns whose name is kept."""

    def combined(frame: FeatureFrame) -> dict[str, FloatArray]:
        return {name: column for recipe in recipes for name, column in recipe(frame).items() if keep(name)}

    return combined


def _computed(recipe: Recipe, frame: FeatureFrame) -> Mapping[str, FloatArray]:
    found = recipe(frame)
    wrong = [name for name, column in found.items() if len(column) != len(frame)]
    if wrong:
        raise RequestError(f"{wrong[0]} has {len(found[wrong[0]])} values for {len(frame)} bars; expected one a bar")
    return found


def _moved(
    whole: Mapping[str, FloatArray], other: Mapping[str, FloatArray], frame: FeatureFrame, cut: int, future: str
) -> list[Movement]:
    """The first bar before ``cut`` at which each column differs."""
    found = []
    for name, column in whole.items():
        there = other.get(name)
        mine = column[:cut]
        theirs = np.full(cut, math.nan) if there is None else there[:cut]
        same = np.isclose(mine, theirs, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        if not same.all():
            row = int(np.argmin(same))
            found.append(
                Movement(
                    name=name,
                    open_ms=int(frame.open_ms[row]),
                    whole=float(mine[row]),
                    other=float(theirs[row]),
                    future=future,
                )
            )
    return found
