"""Results of other arenas, scored as ours are: equity recomputed from their logs of positions and from market prices.

A log is a Parquet file with one row for each action: ``model``, ``ts`` (UTC, when the positions hold from), ``step``
(order within a model), ``cash`` (quote currency) and ``positions_json`` (units by instrument, after the action). That
is how AI-Trader publishes the trading of its language models.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from trading.domain.errors import DataError
from trading.domain.instants import iso
from trading.marketdata import Tape, expand_paths, load_tape
from trading.marketdata.naming import parse_candle_name
from trading.stats import (
    FloatArray,
    IntArray,
    holm,
    interval,
    log_growth,
    max_drawdown,
    optimal_block_length,
    paired_difference,
    resampled_sums,
    simple_returns,
)

_COLUMNS = {"model", "ts", "step", "cash", "positions_json"}
_DAY_MS = 86_400_000
_RESAMPLES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLog:
    """One model's account over time: at ``ts_ms`` (actions,) it came to hold ``cash`` and ``units`` by instrument."""

    model: str
    ts_ms: IntArray
    cash: FloatArray
    units: tuple[dict[str, float], ...]

    @property
    def instruments(self) -> set[str]:
        """Everything it ever held."""
        return {symbol for held in self.units for symbol, amount in held.items() if amount}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDesk:
    """A model of another arena, recomputed.

    ``equity`` (marks,) is NaN wherever it depends on an instrument without prices, and ``unknown`` says on which and
    from when. Returns and their interval are over the whole span, None unless all of it is known. ``p_first`` is how
    often it comes first on joint resamples among the models that are known throughout.
    """

    model: str
    equity: FloatArray
    known_until: str | None
    unknown: str | None
    total_return: float | None
    return_ci95: tuple[float, float] | None
    max_drawdown: float | None
    p_first: float | None
    actions: int

    def to_json(self) -> dict[str, Any]:
        """The entry of ``desks``."""
        last = self.equity[np.isfinite(self.equity)]
        return {
            "desk": self.model,
            "equity_start": float(self.equity[0]) if np.isfinite(self.equity[0]) else None,
            "equity_end": float(self.equity[-1]) if np.isfinite(self.equity[-1]) else None,
            "equity_last_known": float(last[-1]) if last.size else None,
            "known_until": self.known_until,
            "unknown": self.unknown,
            "return": self.total_return,
            "return_ci95": None if self.return_ci95 is None else list(self.return_ci95),
            "max_drawdown": self.max_drawdown,
            "p_first": self.p_first,
            "actions": self.actions,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignBoard:
    """All models of a log over the same marks, and the pairs that are both known throughout."""

    ts_ms: IntArray
    desks: tuple[ForeignDesk, ...]
    pairs: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """The document that is printed."""
        return {
            "from": iso(int(self.ts_ms[0])),
            "to": iso(int(self.ts_ms[-1])),
            "marks": int(self.ts_ms.size),
            "desks": [desk.to_json() for desk in self.desks],
            "pairs": list(self.pairs),
        }


def read_logs(path: Path) -> list[PositionLog]:
    """The logs of a file, by model. Raises DataError for a file that is not such a log, by row and reason."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read ({str(error)[:200]}); expected a Parquet log of positions") from None
    lacking = sorted(_COLUMNS - set(table.column_names))
    if lacking or not table.num_rows:
        raise DataError(
            f"{path}: has no {', '.join(lacking) or 'rows'}; a log has columns {', '.join(sorted(_COLUMNS))}"
        )
    try:
        instants = table["ts"].cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_pylist()
        cash = table["cash"].cast(pa.float64()).to_pylist()
    except pa.ArrowException as error:
        raise DataError(f"{path}: ts must be instants and cash numbers ({str(error)[:200]})") from None
    for row, (instant, amount) in enumerate(zip(instants, cash, strict=True)):
        if instant is None or amount is None or not math.isfinite(amount):
            raise DataError(f"{path}: row {row} has no cash or no instant")
    units = [_units(path, row, text) for row, text in enumerate(table["positions_json"].to_pylist())]
    models, steps = table["model"].to_pylist(), table["step"].to_pylist()
    logs = []
    for model in sorted(set(models), key=str):
        rows = sorted(
            (row for row, one in enumerate(models) if one == model), key=lambda row: (instants[row], steps[row])
        )
        logs.append(
            PositionLog(
                model=str(model),
                ts_ms=np.array([instants[row] for row in rows], np.int64),
                cash=np.array([cash[row] for row in rows], np.float64),
                units=tuple(units[row] for row in rows),
            )
        )
    return logs


def score_logs(
    logs: Sequence[PositionLog], patterns: Sequence[str], root: Path, *, rng: np.random.Generator
) -> ForeignBoard:
    """Equity of every log at every bar from the first action to a day after the last, and what can be said of it.

    Prices are closes of the candle files that ``patterns`` name. Raises DataError where no instrument has prices.
    """
    held = sorted(set().union(*(log.instruments for log in logs)))
    files = expand_paths(patterns, root)
    priced = {parse_candle_name(path).symbol for path in files}
    known = [symbol for symbol in held if symbol in priced]
    if not known:
        raise DataError(f"none of {', '.join(held) or 'the instruments'} has candles; give their files with --data")
    start_ms, end_ms = min(int(log.ts_ms[0]) for log in logs), max(int(log.ts_ms[-1]) for log in logs) + _DAY_MS
    wanted = [path for path in files if parse_candle_name(path).symbol in known]
    tape = load_tape(wanted, [], known, start_ms, end_ms, history_bars=1)
    ends = tape.open_ms + tape.step_ms
    marks = ends[(ends >= start_ms) & (ends <= end_ms)]
    equities = [_equity(log, tape, marks) for log in logs]
    shares = _first_shares([equity for equity in equities if np.isfinite(equity).all()], rng)
    desks = [
        _desk(log, equity, marks, next(shares) if np.isfinite(equity).all() else None, known, rng)
        for log, equity in zip(logs, equities, strict=True)
    ]
    desks.sort(key=lambda desk: (desk.total_return is None, -(desk.total_return or 0.0), desk.model))
    return ForeignBoard(ts_ms=marks, desks=tuple(desks), pairs=tuple(_pairs(desks, rng)))


def _units(path: Path, row: int, text: object) -> dict[str, float]:
    try:
        found = orjson.loads(str(text))
        units = {str(symbol): float(amount) for symbol, amount in found.items()}
    except (ValueError, AttributeError, TypeError):
        raise DataError(f"{path}: row {row}: positions {str(text)[:80]!r} are not amounts by instrument") from None
    if not all(np.isfinite(list(units.values()))):
        raise DataError(f"{path}: row {row}: a position is not a finite amount")
    return units


def _equity(log: PositionLog, tape: Tape, marks: IntArray) -> FloatArray:
    """Cash and positions at the last close known at each mark; NaN where something held has no price."""
    rows = np.searchsorted(tape.open_ms + tape.step_ms, marks, side="right") - 1
    at = np.searchsorted(log.ts_ms, marks, side="right") - 1
    equity = np.full(marks.size, np.nan)
    for number in range(marks.size):
        if at[number] < 0:
            continue
        held = {symbol: amount for symbol, amount in log.units[at[number]].items() if amount}
        if any(symbol not in tape.index for symbol in held):
            continue
        values = [amount * tape.close[tape.index[symbol], rows[number]] for symbol, amount in held.items()]
        equity[number] = log.cash[at[number]] + float(np.sum(values))
    return equity


def _desk(
    log: PositionLog,
    equity: FloatArray,
    marks: IntArray,
    p_first: float | None,
    priced: Sequence[str],
    rng: np.random.Generator,
) -> ForeignDesk:
    there = np.isfinite(equity)
    whole = bool(there.all())
    gap = int(np.argmin(there)) if not whole else marks.size
    growth = log_growth(simple_returns(equity)) if whole else np.empty(0)
    bounds = interval(growth, lambda drawn: np.asarray(drawn.sum(axis=-1)), rng=rng) if whole else None
    missing = sorted(log.instruments - set(priced))
    return ForeignDesk(
        model=log.model,
        equity=equity,
        known_until=iso(int(marks[gap - 1])) if gap else None,
        unknown=None
        if whole
        else f"{', '.join(missing)}: no candles, held from {iso(int(marks[min(gap, marks.size - 1)]))}",
        total_return=float(equity[-1] / equity[0] - 1.0) if whole else None,
        return_ci95=None if bounds is None else (float(np.expm1(bounds[0])), float(np.expm1(bounds[1]))),
        max_drawdown=max_drawdown(equity) if whole else None,
        p_first=p_first,
        actions=int(log.ts_ms.size),
    )


def _first_shares(equities: Sequence[FloatArray], rng: np.random.Generator) -> Iterator[float]:
    """How often each comes first on joint stationary resamples of the marks, ties shared."""
    if not equities:
        return iter(())
    growth = np.stack([log_growth(simple_returns(equity)) for equity in equities])
    length = max(optimal_block_length(row) for row in growth)
    drawn = resampled_sums(growth, resamples=_RESAMPLES, block_length=length, rng=rng)
    best = drawn >= drawn.max(axis=1, keepdims=True) - 1e-12
    return iter((best / best.sum(axis=1, keepdims=True)).mean(axis=0).tolist())


def _pairs(desks: Sequence[ForeignDesk], rng: np.random.Generator) -> list[dict[str, Any]]:
    whole = [desk for desk in desks if desk.total_return is not None]
    found = []
    for at, first in enumerate(whole):
        for second in whole[at + 1 :]:
            one, other = (log_growth(simple_returns(desk.equity)) for desk in (first, second))
            gap = paired_difference(one, other, lambda drawn: np.asarray(drawn.sum(axis=-1)), rng=rng)
            if gap is not None:
                found.append((first.model, second.model, gap))
    adjusted = holm([gap.p_value for _, _, gap in found]).tolist()
    return [
        {"first": first, "second": second, "difference": gap.difference, "ci95": list(gap.ci95), "p_value": p_value}
        for (first, second, gap), p_value in zip(found, adjusted, strict=True)
    ]
