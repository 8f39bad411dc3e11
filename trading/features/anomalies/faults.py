"""Faults of the data: what feeds do and markets do not. Each is told at the first bar at which it can be known."""

import numpy as np

from trading.features.anomalies.anomaly import Anomaly, Kind, Severity
from trading.features.frame import FeatureFrame
from trading.marketdata import FloatArray

FAULTS = ("gap", "stuck price", "zero volume", "duplicated bar", "decimal slip", "bad tick", "wick")

PRICE_FAULTS = ("decimal slip", "bad tick")
"""Those that say that the price of a bar, or its way back, was none."""

_RARE_RUN = 1e-4
"""A run of bars counts as stuck when its length had at most this chance, by how often such bars came before."""

_TICK_DEVIATIONS = 8.0
_WICK_RANGES = 20.0
_CALM_BARS, _TIMES_BEFORE = 24, 3.0
"""A bad tick is at least so many times as far as any move of so many bars before: a wild market swings both ways."""

_REVERTED = 0.2
_SLIP_TOLERANCE = 0.05
_QUIET_VOLUME = 3.0


def faults(frame: FeatureFrame, moves: FloatArray, price: FloatArray, volume: FloatArray, window: int) -> list[Anomaly]:
    """The faults of ``frame``, oldest first; ``moves``, ``price`` and ``volume`` (bars,) are returns and the robust
    scores of the return and of the level of log volume.

    A bar with holes in its columns is not judged: that it has them is for the one who read the file to say.
    """
    columns = frame.columns
    still = (columns["high"] == columns["low"]) & _same_as_before(columns["close"])
    found = [
        *_gaps(frame),
        *_runs(frame, still, "stuck price", window),
        *_runs(frame, columns["volume"] == 0, "zero volume", window),
        *_duplicates(frame),
        *_slips(frame, moves),
        *_bad_ticks(frame, moves, price, volume),
        *_wicks(frame, volume, window),
    ]
    return sorted(found, key=lambda anomaly: anomaly.open_ms)


def _fault(frame: FeatureFrame, row: int, what: str, severity: Severity, score: float, **evidence: float) -> Anomaly:
    return Anomaly(
        open_ms=int(frame.open_ms[row]),
        kind=Kind.FAULT,
        what=what,
        method="fault check",
        severity=severity,
        score=float(score),
        evidence=evidence,
    )


def _same_as_before(values: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.concatenate([[False], values[1:] == values[:-1]])


def _gaps(frame: FeatureFrame) -> list[Anomaly]:
    missing = np.diff(frame.open_ms) // frame.step_ms - 1
    return [
        _fault(
            frame,
            row + 1,
            "gap",
            Severity.CRITICAL if missing[row] >= 24 else Severity.WARNING,
            missing[row],
            missing_bars=float(missing[row]),
        )
        for row in np.flatnonzero(missing > 0).tolist()
    ]


def _runs(
    frame: FeatureFrame, odd: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str, window: int
) -> list[Anomaly]:
    """The bar at which a run of ``odd`` bars has become too long for chance, and where it is four times as long."""
    found, length, share = [], 0, 0.0
    before = np.concatenate([[0], np.cumsum(odd)])
    for row in range(len(odd)):
        if not odd[row]:
            length = 0
            continue
        if length == 0:
            begin = max(0, row - window)
            share = (float(before[row] - before[begin]) + 0.5) / (row - begin + 1)
        length += 1
        needed = max(3, int(np.ceil(np.log(_RARE_RUN) / np.log(min(share, 0.99)))))
        if length in (needed, 4 * needed):
            severity = Severity.WARNING if length == needed else Severity.CRITICAL
            found.append(_fault(frame, row, what, severity, length, bars=float(length), usual_share=share))
    return found


def _duplicates(frame: FeatureFrame) -> list[Anomaly]:
    same = frame.columns["high"] > frame.columns["low"]
    for name in ("open", "high", "low", "close", "volume"):
        same = same & _same_as_before(frame.columns[name])
    return [
        _fault(frame, row, "duplicated bar", Severity.WARNING, 1.0, volume=float(frame.columns["volume"][row]))
        for row in np.flatnonzero(same & (frame.columns["volume"] > 0)).tolist()
    ]


def _slips(frame: FeatureFrame, moves: FloatArray) -> list[Anomaly]:
    """Closes that are a power of ten of the close before."""
    tens = moves / np.log(10.0)
    shift = np.round(tens)
    hit = (np.abs(shift) >= 1) & (np.abs(tens - shift) * np.log(10.0) <= _SLIP_TOLERANCE)
    return [
        _fault(
            frame,
            row,
            "decimal slip",
            Severity.CRITICAL,
            shift[row],
            factor=float(np.exp(moves[row])),
            close=float(frame.columns["close"][row]),
        )
        for row in np.flatnonzero(hit).tolist()
    ]


def _bad_ticks(frame: FeatureFrame, moves: FloatArray, price: FloatArray, volume: FloatArray) -> list[Anomaly]:
    """A jump that the next bar takes back, on volume as usual: known, and told, at the bar that takes it back."""
    there, back = moves[:-1], moves[1:]
    far = (np.abs(price[:-1]) >= _TICK_DEVIATIONS) & (np.abs(price[1:]) >= _TICK_DEVIATIONS)
    with np.errstate(invalid="ignore"):
        reverted = np.abs(there + back) <= _REVERTED * np.abs(there)
    quiet = ~(volume[:-1] > _QUIET_VOLUME)
    alone = np.zeros(len(there), bool)
    if len(there) > _CALM_BARS:
        before = np.lib.stride_tricks.sliding_window_view(np.abs(moves), _CALM_BARS).max(axis=1)
        alone[_CALM_BARS:] = np.abs(there[_CALM_BARS:]) >= _TIMES_BEFORE * before[: len(there) - _CALM_BARS]
    return [
        _fault(
            frame,
            row + 1,
            "bad tick",
            Severity.CRITICAL,
            price[row],
            bad_open_ms=float(frame.open_ms[row]),
            bad_close=float(frame.columns["close"][row]),
            jump=float(there[row]),
            taken_back=float(-back[row]),
        )
        for row in np.flatnonzero(far & reverted & quiet & alone).tolist()
    ]


def _wicks(frame: FeatureFrame, volume: FloatArray, window: int) -> list[Anomaly]:
    """A high or low many usual ranges away from open and close of its own bar, on volume as usual."""
    columns = frame.columns
    body_high, body_low = np.maximum(columns["open"], columns["close"]), np.minimum(columns["open"], columns["close"])
    reach = np.maximum(np.log(columns["high"] / body_high), np.log(body_low / columns["low"]))
    ranges = np.log(columns["high"] / columns["low"])
    usual = np.full(len(reach), np.nan)
    if len(reach) > window:
        usual[window:] = np.median(np.lib.stride_tricks.sliding_window_view(ranges, window)[:-1], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = reach / np.where(usual > 0, usual, np.nan)
    wicks = np.flatnonzero((score >= _WICK_RANGES) & ~(volume > _QUIET_VOLUME)).tolist()
    return [_fault(frame, row, "wick", Severity.WARNING, score[row], reach=float(reach[row])) for row in wicks]
