"""How much of each limit the desks and the arena use, from what the floor shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.settings import CONFIG
from trading.domain.errors import ConfigError, TradefloorError
from trading.risk import LimitBoard, Limits
from trading.stats import FloatArray, IntArray
from trading.storage.runs import Runs

ARENA = "all desks"
NEAR, AT = 0.8, 0.95
"""Shares of a limit from which its use is a warning, and from which it counts as reached."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """One limit of one desk, or of the arena: ``used`` of ``limit``, in the limit's own unit (fractions, multiples)."""

    who: str
    rule: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        """The part of the limit that is used."""
        return self.used / self.limit if self.limit > 0 else float("inf")


def season_limits(home: Path, run_id: str, board: LimitBoard) -> Limits:
    """What counts now in a run: the house's limits, tightened by its season, with what was changed live."""
    limits = Limits.load(CONFIG / "limits.toml")
    try:
        rules = Runs(home).get(run_id).manifest.get("rules", {})
        limits = limits.tightened(rules.get("limits") or {})
    except (TradefloorError, AttributeError):  # a season that keeps no rules here has the house's
        pass
    return board.effective(limits)


def limit_uses(snapshot: FloorSnapshot, limits: Limits) -> list[LimitUse]:
    """Every limit that the floor can measure, the most used first. Daily loss is as fine as the curve that is shown."""
    rows = [*_arena(snapshot, limits), *(row for desk in snapshot.desks for row in _desk(desk, limits))]
    return sorted(rows, key=lambda row: -row.share)


def fall_from_peak(equity: FloatArray) -> float | None:
    """How far the last of a curve lies below its highest, as a fraction; None without a curve."""
    known = equity[np.isfinite(equity)]
    peak = float(known.max()) if len(known) else 0.0
    return 1.0 - float(known[-1]) / peak if peak > 0 else None


def _desk(desk: DeskCard, limits: Limits) -> Iterator[LimitUse]:
    if desk.equity > 0:
        sizes = [abs(position.value) for position in desk.positions]
        net = abs(sum(position.value for position in desk.positions))
        yield _row(desk.name, "max_gross_exposure", sum(sizes) / desk.equity, limits.max_gross_exposure)
        yield _row(desk.name, "max_leverage", max(sizes, default=0.0) / desk.equity, limits.max_leverage)
        yield _row(desk.name, "max_net_exposure", net / desk.equity, limits.max_net_exposure)
    equity = np.array(desk.curve.equity, np.float64)
    fall = fall_from_peak(equity)
    if fall is not None:
        yield _row(desk.name, "desk_drawdown", fall, limits.desk_drawdown)
    loss = _daily_loss(desk)
    if loss is not None:
        yield _row(desk.name, "daily_loss", loss, limits.daily_loss)


def _arena(snapshot: FloorSnapshot, limits: Limits) -> Iterator[LimitUse]:
    equity = sum(desk.equity for desk in snapshot.desks)
    if equity <= 0:
        return
    net: dict[str, float] = {}
    gross = 0.0
    for desk in snapshot.desks:
        for position in desk.positions:
            net[position.instrument] = net.get(position.instrument, 0.0) + position.value
            gross += abs(position.value)
    largest = max(net, key=lambda name: abs(net[name]), default=None)
    yield _row(ARENA, "arena_gross_exposure", gross / equity, limits.arena_gross_exposure)
    yield _row(ARENA, "arena_net_exposure", abs(sum(net.values())) / equity, limits.arena_net_exposure)
    if largest is not None:
        used = abs(net[largest]) / equity
        yield _row(f"{ARENA}, {largest}", "arena_instrument_exposure", used, limits.arena_instrument_exposure)
    fall = fall_from_peak(arena_curve(snapshot)[1])
    if fall is not None:
        yield _row(ARENA, "arena_drawdown", fall, limits.arena_drawdown)


def arena_curve(snapshot: FloorSnapshot) -> tuple[IntArray, FloatArray]:
    """Instants (ms) and the equity of all desks together, empty where their curves have different lengths."""
    lengths = {len(desk.curve.equity) for desk in snapshot.desks}
    if len(lengths) != 1 or 0 in lengths:
        return np.empty(0, np.int64), np.empty(0)
    total: FloatArray = np.array([desk.curve.equity for desk in snapshot.desks], np.float64).sum(axis=0)
    return np.array(snapshot.desks[0].curve.ts_ms, np.int64), total


def _daily_loss(desk: DeskCard) -> float | None:
    at = np.array(desk.curve.ts_ms, np.int64)
    if len(at) < 2:
        return None
    first = int(np.searchsorted(at, at[-1] // _DAY_MS * _DAY_MS))
    opened = desk.curve.equity[first]
    return max(0.0, 1.0 - desk.curve.equity[-1] / opened) if opened > 0 else None


def _row(who: str, rule: str, used: float, limit: Decimal) -> LimitUse:
    return LimitUse(who=who, rule=rule, used=used, limit=float(limit))


def changeable() -> Mapping[str, str]:
    """Every limit with its house value, as texts. Raises ConfigError for a file that is wrong."""
    try:
        return {name: str(value) for name, value in Limits.load(CONFIG / "limits.toml") if not isinstance(value, tuple)}
    except ConfigError:
        return {}
