"""Breakers: what a fall from the peak does to a desk and to the arena. A fold over the journal: it survives a crash."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.event import Event, EventKind
from trading.domain.money import ZERO, money_text
from trading.risk.limits import Limits

ARENA = "arena"
REDUCE_ONLY = "reduce_only"
HALTED = "halted"

_ALL = ""
"""Where the sum over all desks is kept: a desk may be called anything but nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TripReason:
    """A breaker that tripped: ``limit`` and ``value`` are fractions.

    ``state`` is ``"reduce_only"`` with the desk as ``scope``, or ``"halted"`` with ``"arena"``.
    """

    scope: str
    rule: str
    state: str
    limit: Decimal
    value: Decimal

    def text(self) -> str:
        """The trip in one line."""
        return f"{self.rule} {money_text(round(self.value, 6))} of {money_text(self.limit)}"


class Breakers:
    """Which desks may only reduce, and whether everything is halted.

    A desk past its drawdown limit stays reduce-only and a halted arena stays halted until a person resumes; a resume
    measures the next drawdown from the equity at that moment.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._equity: dict[str, Decimal] = {}
        self._peak: dict[str, Decimal] = {}
        self._reduce_only: set[str] = set()
        self._halt_reason: str | None = None

    @property
    def halted(self) -> bool:
        """Whether no order may leave at all."""
        return self._halt_reason is not None

    @property
    def halt_reason(self) -> str | None:
        """Why everything is halted, None while it is not."""
        return self._halt_reason

    def reduce_only(self, desk: str) -> bool:
        """Whether a desk may only shrink its positions."""
        return desk in self._reduce_only

    def peak(self, desk: str) -> Decimal:
        """The equity from which a desk's drawdown is measured."""
        return self._peak.get(desk, ZERO)

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.MARKED:
            self._mark({desk: Decimal(mark["equity"]) for desk, mark in event.payload["desks"].items()})
        elif event.kind is EventKind.BREAKER_TRIPPED:
            if event.payload["state"] == HALTED:
                self._halt_reason = f"{event.payload['rule']}: {event.payload['value']} of {event.payload['limit']}"
            else:
                self._reduce_only.add(event.payload["scope"])
        elif event.kind is EventKind.HALTED:
            self._halt_reason = event.payload["reason"]
        elif event.kind is EventKind.RESUMED:
            self._halt_reason = None
            self._reduce_only.clear()
            self._peak = dict(self._equity)

    def due(self) -> list[TripReason]:
        """Breakers that the last mark trips and that have not tripped yet, the desks first."""
        trips = [
            TripReason(
                scope=desk,
                rule="desk_drawdown",
                state=REDUCE_ONLY,
                limit=self._limits.desk_drawdown,
                value=self._drawdown(desk),
            )
            for desk in self._equity
            if desk != _ALL and desk not in self._reduce_only and self._drawdown(desk) >= self._limits.desk_drawdown
        ]
        if not self.halted and self._drawdown(_ALL) >= self._limits.arena_drawdown:
            trips.append(
                TripReason(
                    scope=ARENA,
                    rule="arena_drawdown",
                    state=HALTED,
                    limit=self._limits.arena_drawdown,
                    value=self._drawdown(_ALL),
                )
            )
        return trips

    def _mark(self, equity: Mapping[str, Decimal]) -> None:
        self._equity = {**equity, _ALL: sum(equity.values(), ZERO)}
        for scope, value in self._equity.items():
            self._peak[scope] = max(self._peak.get(scope, value), value)

    def _drawdown(self, scope: str) -> Decimal:
        peak = self._peak.get(scope, ZERO)
        return (peak - self._equity[scope]) / peak if peak > 0 and scope in self._equity else ZERO
