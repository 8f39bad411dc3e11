"""Breakers: what stops a desk, an instrument or the arena, and until when: a fold over the journal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.domain.event import Event, EventKind
from trading.risk.equity_path import ALL, EquityPath
from trading.risk.limits import Limits
from trading.risk.market_condition import MarketCondition, condition_from_payload
from trading.risk.trade_results import LossStreaks
from trading.risk.traffic import RepeatCount
from trading.risk.trip import ARENA, HALTED, REDUCE_ONLY, Clears, Over, TripReason, trip_from_payload

LOSS_PAUSE_MS = 86_400_000
"""How long, in market time, a streak of losses keeps a desk from opening anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """A breaker that its declared rule sets back, and the state its scope is in afterwards."""

    over: Over
    scope: str
    rule: str
    state: str


class Breakers:
    """Which desks and instruments may only reduce, which are halted, and whether everything is.

    | rule | stops | state | set back by |
    |---|---|---|---|
    | ``arena_drawdown`` | the arena | halted | a person |
    | ``desk_drawdown`` | the desk | reduce_only | a person |
    | ``max_repeats`` | the desk | halted | a person |
    | ``daily_loss`` | the desk | reduce_only | the next day (UTC) |
    | ``max_loss_streak`` | the desk | reduce_only | 24 hours of market time |
    | ``post_trade`` | the desk | reduce_only | being back within the limit |
    | ``max_volatility``, ``max_anomaly`` | the instrument | reduce_only | being back within the limit |

    A resume by a person sets back everything of its desk, or of all, and measures from the equity at that moment.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.repeats = RepeatCount()
        self._path = EquityPath()
        self._streaks = LossStreaks()
        self._conditions: dict[str, MarketCondition] = {}
        self._trips: dict[tuple[Over, str, str], TripReason] = {}
        self._halt_reason: str | None = None

    @property
    def halted(self) -> bool:
        """Whether no order may leave at all."""
        return self._halt_reason is not None

    @property
    def halt_reason(self) -> str | None:
        """Why everything is halted, None while it is not."""
        return self._halt_reason

    @property
    def conditions(self) -> dict[str, MarketCondition]:
        """The last condition that was noted of each instrument."""
        return self._conditions

    def reduce_only(self, desk: str) -> bool:
        """Whether a desk may at most shrink its positions."""
        return bool(self.standing(Over.DESK, desk))

    def desk_halt(self, desk: str) -> str | None:
        """Why a desk is halted, None while it is not."""
        return next((trip.text() for trip in self.standing(Over.DESK, desk) if trip.state == HALTED), None)

    def standing(self, over: Over, scope: str) -> list[TripReason]:
        """The breakers that stand on a desk or an instrument, oldest first."""
        return [trip for (kind, name, _), trip in self._trips.items() if (kind, name) == (over, scope)]

    def barred_instruments(self) -> dict[str, str]:
        """The instruments that may only be reduced, each with the reason."""
        return {scope: trip.text() for (over, scope, _), trip in self._trips.items() if over is Over.INSTRUMENT}

    def breaches(self) -> list[TripReason]:
        """Limits broken after the trade on which breakers stand, as far as the last mark still shows them."""
        found = []
        for (_, desk, rule), trip in self._trips.items():
            used, limit = self._path.worst_use(desk, self.limits)
            if rule == "post_trade" and used > limit:
                found.append(replace(trip, value=used, limit=limit))
        return found

    def peak(self, desk: str) -> Decimal:
        """The equity from which a desk's drawdown is measured."""
        return self._path.peak(desk)

    def arena_equity(self) -> Decimal:
        """The sum of all desks' equity at the last mark, of those below zero none."""
        return self._path.total()

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        self.repeats.apply(event)
        self._streaks.apply(event)
        if event.kind is EventKind.MARKED:
            self._path.mark(event.ts_ms, payload["desks"])
        elif event.kind is EventKind.BREAKER_TRIPPED:
            trip = trip_from_payload(payload)
            self._trips[trip.over, trip.scope, trip.rule] = trip
            if trip.over is Over.ARENA:
                self._halt_reason = f"{trip.rule}: {payload['value']} of {payload['limit']}"
        elif event.kind is EventKind.BREAKER_CLEARED:
            self._trips.pop((Over(payload["over"]), payload["scope"], payload["rule"]), None)
            if payload["rule"] == "max_loss_streak":
                self._streaks.forget(payload["scope"])
        elif event.kind is EventKind.CONDITION_NOTED:
            self._conditions[payload["instrument"]] = condition_from_payload(payload)
        elif event.kind is EventKind.HALTED:
            self._halt_reason = payload["reason"]
        elif event.kind is EventKind.RESUMED:
            self._resume(payload.get("desk"))

    def due(self) -> list[TripReason]:
        """Breakers that trip now and do not stand yet: the desks first, then instruments, then the arena."""
        found = [*self._of_desks(), *self._of_instruments()]
        trips = [trip for trip in found if (trip.over, trip.scope, trip.rule) not in self._trips]
        drawdown = self._path.drawdown(ALL)
        if not self.halted and drawdown >= self.limits.arena_drawdown:
            trips.append(
                TripReason(
                    scope=ARENA,
                    over=Over.ARENA,
                    rule="arena_drawdown",
                    state=HALTED,
                    limit=self.limits.arena_drawdown,
                    value=drawdown,
                )
            )
        return trips

    def clearances(self) -> list[Clearance]:
        """Breakers that stand and that their declared rule sets back now."""
        cleared = [trip for trip in self._trips.values() if self._is_over(trip)]
        left = {key: trip for key, trip in self._trips.items() if trip not in cleared}
        found = []
        for trip in cleared:
            states = {t.state for (over, scope, _), t in left.items() if (over, scope) == (trip.over, trip.scope)}
            state = HALTED if HALTED in states else REDUCE_ONLY if states else "normal"
            found.append(Clearance(over=trip.over, scope=trip.scope, rule=trip.rule, state=state))
        return found

    def _of_desks(self) -> Iterator[TripReason]:
        limits, path, now_ms = self.limits, self._path, self._path.now_ms
        for desk in path.desks():
            if (fall := path.drawdown(desk)) >= limits.desk_drawdown:
                yield TripReason(
                    scope=desk, rule="desk_drawdown", state=REDUCE_ONLY, limit=limits.desk_drawdown, value=fall
                )
            if (loss := path.daily_loss(desk)) >= limits.daily_loss:
                yield TripReason(
                    scope=desk,
                    rule="daily_loss",
                    state=REDUCE_ONLY,
                    limit=limits.daily_loss,
                    value=loss,
                    clears=Clears.NEXT_DAY,
                    until_ms=path.next_day_ms(),
                )
            if (streak := self._streaks.of(desk)) >= limits.max_loss_streak:
                yield TripReason(
                    scope=desk,
                    rule="max_loss_streak",
                    state=REDUCE_ONLY,
                    limit=Decimal(limits.max_loss_streak),
                    value=streak,
                    clears=Clears.PAUSE,
                    until_ms=now_ms + LOSS_PAUSE_MS,
                )
            used, limit = path.worst_use(desk, limits)
            if used > limit * (1 + limits.post_trade_excess):
                yield TripReason(
                    scope=desk,
                    rule="post_trade",
                    state=REDUCE_ONLY,
                    limit=limit,
                    value=used,
                    clears=Clears.BACK_WITHIN,
                )
        for desk in self.repeats.desks():
            if (run := self.repeats.longest(desk)) >= limits.max_repeats:
                yield TripReason(
                    scope=desk, rule="max_repeats", state=HALTED, limit=Decimal(limits.max_repeats), value=run
                )

    def _of_instruments(self) -> Iterator[TripReason]:
        for symbol, condition in self._conditions.items():
            for rule, found, limit in self._measured(condition):
                if found is not None and Decimal(repr(found)) > limit:
                    yield TripReason(
                        scope=symbol,
                        over=Over.INSTRUMENT,
                        rule=rule,
                        state=REDUCE_ONLY,
                        limit=limit,
                        value=Decimal(repr(found)),
                        clears=Clears.BACK_WITHIN,
                    )

    def _measured(self, condition: MarketCondition) -> tuple[tuple[str, float | None, Decimal], ...]:
        return (
            ("max_volatility", condition.volatility_rank, self.limits.max_volatility),
            ("max_anomaly", condition.anomaly, self.limits.max_anomaly),
        )

    def _is_over(self, trip: TripReason) -> bool:
        if trip.clears in (Clears.NEXT_DAY, Clears.PAUSE):
            return trip.until_ms is not None and self._path.now_ms >= trip.until_ms
        if trip.clears is not Clears.BACK_WITHIN:
            return False
        if trip.over is Over.DESK:
            used, limit = self._path.worst_use(trip.scope, self.limits)
            return used <= limit
        return not any(
            rule == trip.rule and (found is None or Decimal(repr(found)) > limit)
            for rule, found, limit in self._measured(self._conditions[trip.scope])
        )

    def _resume(self, desk: str | None) -> None:
        if desk is None:
            self._halt_reason = None
            self._trips.clear()
        else:
            self._trips = {key: trip for key, trip in self._trips.items() if key[:2] != (Over.DESK, desk)}
        for each in [desk] if desk else self._path.desks():
            self._streaks.forget(each)
        self._path.restart(desk)
