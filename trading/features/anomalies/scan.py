"""All detectors over a frame: a score a bar for each, and the anomalies they come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from trading.features.anomalies.anomaly import Anomaly, AnomalySettings, Kind, Severity
from trading.features.anomalies.charts import cusum_chart, ewma_chart
from trading.features.anomalies.faults import PRICE_FAULTS, faults
from trading.features.anomalies.forest import forest_pvalues
from trading.features.anomalies.robust import normal_scores, robust_scores, surprises
from trading.features.frame import FeatureFrame, step_returns
from trading.features.rolling import correlation as pair_correlation
from trading.marketdata import FloatArray, IntArray

_LOCAL_LEVEL = 24
"""How many bars the surprise of a volume or a spread is measured against."""

_CHART_WIDTH = {"price": 1.0, "volume": 2.0, "spread": 2.0}
"""How much further the lines of the charts lie: what persists from bar to bar would cross those for noise all day."""

_CORROBORATING_VOLUME = 2.0
_CORROBORATING_REFERENCE = 3.0
_FLOOR = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyScan:
    """``scores`` by detector, each of shape (bars,), NaN where not known; ``anomalies`` oldest first."""

    open_ms: IntArray
    scores: Mapping[str, FloatArray]
    anomalies: tuple[Anomaly, ...]

    def severity(self, rows: int = 1) -> Severity | None:
        """The gravest severity among the last ``rows`` bars; None where nothing is out of the ordinary."""
        if not len(self.open_ms):
            return None
        since = int(self.open_ms[max(0, len(self.open_ms) - rows)])
        return max((each.severity for each in self.anomalies if each.open_ms >= since), default=None)


def scan(frame: FeatureFrame, settings: AnomalySettings | None = None, *, newest: int | None = None) -> AnomalyScan:
    """Every anomaly of ``frame``, each from the bars up to its own.

    With ``newest``, only so many of the last bars are judged, which costs a fraction.

    The spread is judged where the frame has quotes, correlation where it has a reference that is not the instrument
    itself. Charts begin with the frame and count on from alarm to alarm.
    """
    settings = settings or AnomalySettings()
    if not len(frame):
        return AnomalyScan(open_ms=frame.open_ms, scores={}, anomalies=())
    judged = None if newest is None else newest + 1  # a bad tick is told by the bar after it
    series = _series(frame, settings)
    scores = {
        name: robust_scores(values, settings.window, floor=_FLOOR, newest=judged) for name, values in series.items()
    }
    if "reference" in series:
        scores["correlation"] = _correlation_scores(series["price"], series["reference"], settings)
    moves = np.nan_to_num(series["price"])
    scores["volume_level"] = robust_scores(_log_volume(frame), settings.window, floor=_FLOOR, newest=judged)
    told = faults(frame, moves, scores["price"], scores["volume_level"], settings.window)
    faulty = {each.open_ms for each in told if each.what in PRICE_FAULTS}
    anomalies = [*told, *_robust_anomalies(frame, scores, faulty, settings)]
    for name in _CHART_WIDTH:
        if name in series:
            anomalies += _charts(frame, name, series[name], scores, settings)
    anomalies += _forest(frame, series, scores, settings)
    anomalies.sort(key=lambda each: (each.open_ms, each.what, each.method))
    since = int(frame.open_ms[0 if newest is None else max(0, len(frame) - newest)])
    kept = tuple(each for each in anomalies if each.open_ms >= since)
    return AnomalyScan(open_ms=frame.open_ms, scores=scores, anomalies=kept)


def _series(frame: FeatureFrame, settings: AnomalySettings) -> dict[str, FloatArray]:
    """What is judged, one value a bar: the return, and log volume and spread less their level of late."""
    columns = frame.columns
    found = {"price": _returns(frame, "close")}
    if _has_reference(frame):
        found["reference"] = _returns(frame, "reference_close")
    with np.errstate(divide="ignore", invalid="ignore"):
        found["volume"] = surprises(_log_volume(frame), _LOCAL_LEVEL)
        found["range"] = np.log(np.maximum(np.log(columns["high"] / columns["low"]), 1e-6))
        if "bid" in columns and "ask" in columns:
            middle = 0.5 * (columns["bid"] + columns["ask"])
            width = (columns["ask"] - columns["bid"]) / middle
            found["spread"] = surprises(np.log(np.maximum(width, 1e-8)), _LOCAL_LEVEL)
    return found


def _returns(frame: FeatureFrame, column: str) -> FloatArray:
    """Return of each bar per root of the steps it took; the first is zero."""
    return np.concatenate([[0.0], step_returns(frame, column)])


def _log_volume(frame: FeatureFrame) -> FloatArray:
    found: FloatArray = np.log(np.maximum(frame.columns["volume"], _FLOOR))
    return found


def _has_reference(frame: FeatureFrame) -> bool:
    """Whether there is a reference that is not the instrument itself."""
    reference = frame.columns.get("reference_close")
    return reference is not None and not np.array_equal(reference, frame.columns["close"], equal_nan=True)


def _correlation_scores(moves: FloatArray, others: FloatArray, settings: AnomalySettings) -> FloatArray:
    """Fisher's z of the last ``recent`` correlations with the reference less that of the ``window`` bars before.

    On normal scores within the windows' own history, so that one wild bar does not make a correlation.
    """
    own, other = normal_scores(moves, settings.window), normal_scores(others, settings.window)
    found = np.full(len(moves), np.nan)
    first = settings.window
    count = len(moves) - first - settings.window - settings.recent + 1
    if count < 1:
        return found
    limit = 0.999
    near = pair_correlation(own[first:], other[first:], settings.recent)
    base = pair_correlation(own[first:], other[first:], settings.window)
    with np.errstate(invalid="ignore"):
        now = np.arctanh(np.clip(near[-count:], -limit, limit))
        then = np.arctanh(np.clip(base[:count], -limit, limit))
        error = np.sqrt(1 / (settings.recent - 3) + 1 / (settings.window - 3))
        found[-count:] = (now - then) / error
    return found


def _robust_anomalies(
    frame: FeatureFrame, scores: Mapping[str, FloatArray], faulty: set[int], settings: AnomalySettings
) -> Iterable[Anomaly]:
    """Scores beyond a line. Correlation overlaps from bar to bar, so only the bar at which a line is first crossed."""
    for name in ("price", "volume", "spread", "correlation"):
        values = np.nan_to_num(scores.get(name, np.zeros(len(frame))))
        for row in np.flatnonzero(np.abs(values) >= settings.levels[0]).tolist():
            severity = settings.severity(float(values[row]))
            assert severity is not None
            if name == "correlation" and (settings.severity(float(values[row - 1])) or 0) >= severity:
                continue
            open_ms = int(frame.open_ms[row])
            yield Anomaly(
                open_ms=open_ms,
                kind=Kind.MARKET if name != "price" else _price_kind(row, scores, faulty=open_ms in faulty),
                what=name,
                method="robust deviation",
                severity=severity,
                score=float(values[row]),
                evidence=_evidence(row, scores),
            )


def _price_kind(row: int, scores: Mapping[str, FloatArray], *, faulty: bool) -> Kind:
    """A price that moves alone may be a bad print; volume, or the reference moving with it, speaks for the market."""
    if faulty:
        return Kind.FAULT
    along = scores["reference"][row] * np.sign(scores["price"][row]) if "reference" in scores else np.nan
    moved = scores["volume_level"][row] >= _CORROBORATING_VOLUME or along >= _CORROBORATING_REFERENCE
    return Kind.MARKET if moved else Kind.UNCONFIRMED


def _evidence(row: int, scores: Mapping[str, FloatArray]) -> dict[str, float]:
    """The robust scores of the bar that are known."""
    return {f"{name}_deviations": float(values[row]) for name, values in scores.items() if not np.isnan(values[row])}


def _charts(
    frame: FeatureFrame, name: str, values: FloatArray, scores: dict[str, FloatArray], settings: AnomalySettings
) -> Iterable[Anomaly]:
    """Alarms of both charts on the normal scores of a series; their statistics go into ``scores``."""
    ranks = normal_scores(values, settings.window)
    wider = _CHART_WIDTH[name]
    limits = {"cusum": wider * settings.cusum_limit, "ewma": wider * settings.ewma_limit}
    charts = {
        "cusum": cusum_chart(ranks, slack=settings.cusum_slack, limit=limits["cusum"]),
        "ewma": ewma_chart(ranks, weight=settings.ewma_weight, limit=limits["ewma"]),
    }
    for chart, (statistic, alarms) in charts.items():
        scores[f"{name}_{chart}"] = statistic
        for row in np.flatnonzero(alarms).tolist():
            yield Anomaly(
                open_ms=int(frame.open_ms[row]),
                kind=Kind.MARKET,
                what=name,
                method=chart,
                severity=Severity.INFO,
                score=float(statistic[row]),
                evidence={"statistic": float(statistic[row]), "limit": limits[chart]},
            )


def _forest(
    frame: FeatureFrame, series: Mapping[str, FloatArray], scores: dict[str, FloatArray], settings: AnomalySettings
) -> Iterable[Anomaly]:
    points = np.column_stack([series["price"], np.abs(series["price"]), series["volume"], series["range"]])
    odd, pvalues = forest_pvalues(
        points,
        frame.open_ms,
        step_ms=frame.step_ms,
        window=settings.window,
        refit=settings.forest_refit,
        seed=settings.seed,
    )
    scores["forest"] = odd
    scores["forest_pvalue"] = pvalues
    rarest = 1 / (settings.window + 1)
    for row in np.flatnonzero(pvalues <= rarest * 1.0001).tolist():
        yield Anomaly(
            open_ms=int(frame.open_ms[row]),
            kind=Kind.MARKET,
            what="shape",
            method="isolation forest",
            severity=Severity.INFO,
            score=float(odd[row]),
            evidence={"p_value": float(pvalues[row]), "isolation": float(odd[row])},
        )
