"""Playing a season: round after round, every desk at the same time on the same market view."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from agents.brief import RoundBrief
from arena.autonomous.paced_market import PacedMarket
from arena.seasons.looking_back import LookedBack, LookingBack
from arena.seasons.own_record import OwnRecords
from arena.seasons.remembering import SeasonMemory
from arena.seasons.seating import Seating
from arena.seasons.spending import Spending
from arena.tickets import TicketTaker
from graphs import Approver, Checkpoints, DeskGraph, DeskTeam, Seat
from tools.context import ChampionForecasts
from trading.domain import ids
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.event import Event, EventKind
from trading.engine import Engine, Round
from trading.marketdata.depth import BookTape
from trading.marketdata.recorded_books import books_seen
from trading.storage.journal import Journal, Telemetry

if TYPE_CHECKING:
    from arena.autonomous.live import LiveTrading

Found = TypeVar("Found")
OnSeated = Callable[[Sequence[DeskTeam], Sequence[Seat]], None]


class Ending(StrEnum):
    """How playing ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    OUT_OF_BUDGET = "out of budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast rounds follow each other: after the first ``warmup_rounds``, one every ``round_s`` wall seconds."""

    round_s: float = 0.0
    warmup_rounds: int = 0


class SeasonRun:
    """One run of a season, from wherever its journal stands to its end.

    ``on_round`` is called after each committed round with its index. :meth:`stop` ends playing after the round in
    flight; the same run goes on from there later. ``own_records`` must have seen every event of the run: desks that are
    to know their own record are told it from there. ``champions`` are the trained models that may speak. ``memory``,
    which must have seen every event too, is what desks remember. ``spending``, which must have seen them as well, says
    when a desk goes on with its team of ``spare_teams``, when it stops, and when all do. ``market`` is followed as it
    trades: a round waits for its instant, and one that is reached too late stands in the record as missed.
    ``on_seated`` is given the desks and their seats of each round when it is open, ``on_decided`` every decision.
    ``approver`` is asked before any desk trades. ``live`` carries orders to a real exchange. ``tickets`` are carried
    out after the desks have decided.
    """

    def __init__(
        self,
        *,
        run_id: str,
        engine: Engine,
        journal: Journal,
        telemetry: Telemetry,
        teams: Sequence[DeskTeam],
        brief: RoundBrief,
        on_round: Callable[[int], None] | None = None,
        pace: Pace | None = None,
        own_records: OwnRecords | None = None,
        champions: ChampionForecasts | None = None,
        memory: SeasonMemory | None = None,
        spending: Spending | None = None,
        spare_teams: Mapping[str, DeskTeam] | None = None,
        on_seated: OnSeated | None = None,
        on_decided: Callable[[Decision], None] | None = None,
        market: PacedMarket | None = None,
        approver: Approver | None = None,
        live: "LiveTrading | None" = None,
        tickets: TicketTaker | None = None,
        books: Mapping[str, BookTape] | None = None,
    ) -> None:
        self.run_id = run_id
        self.engine = engine
        self.journal = journal
        self._telemetry = telemetry
        self._teams = teams
        self._seating = Seating(
            engine=engine,
            brief=brief,
            own_records=own_records,
            champions=champions,
            memory=memory,
            approver=approver,
        )
        self._on_round = on_round
        self._pace = pace or Pace()
        self._memory = memory
        self._spending = spending
        self._spare_teams = spare_teams or {}
        self._on_seated = on_seated
        self._on_decided = on_decided
        self._market = market
        self._approver = approver
        self._live = live
        self._tickets = tickets
        self._books = books or {}
        self._looking_back: LookingBack | None = None
        self._stopping = asyncio.Event()

    @property
    def memory_lost(self) -> str | None:
        """Why trade memory cannot be had, None where it can or is not asked for."""
        return self._memory.lost if self._memory is not None else None

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End after the round in flight."""
        self._stopping.set()

    def end_early(self, reason: str) -> None:
        """Seal a run that was stopped between two rounds: it is over, with the reason on record, and never goes on."""
        ts_ms = self.engine.setup.round_ms(self.engine.rounds_closed)
        self.engine.end_work(ts_ms, reason)
        self.engine.record(Event(ts_ms=ts_ms, kind=EventKind.HALTED, payload={"reason": f"ended early: {reason}"}))
        self.journal.seal()

    async def stopped(self) -> None:
        """Wait until it is told to stop."""
        await self._stopping.wait()

    async def play(
        self, graph: DeskGraph, checkpoints: Checkpoints, *, looking_back: LookingBack | None = None
    ) -> Ending:
        """Play every round that is left. A finished season is sealed.

        ``looking_back`` asks the models that look back on what has closed.
        """
        engine = self.engine
        self._looking_back = looking_back
        if not self.journal.events:
            engine.open_season()
        if self._live is not None and not engine.is_closed:
            await self._live.start(self._stopping)
        ending = await self._play_rounds(graph, checkpoints)
        if self._live is not None and not engine.is_closed:
            await self._live.settle("the season stops")
        if ending is not Ending.FINISHED:
            return ending
        if not engine.is_closed:  # killed between the last event and the seal, it is closed already
            engine.close_season()
        if self._memory is not None:
            self._memory.flush(at_least=1)
        self.journal.seal()
        return ending

    async def _play_rounds(self, graph: DeskGraph, checkpoints: Checkpoints) -> Ending:
        engine = self.engine
        for index in range(engine.rounds_closed, engine.setup.rounds):
            if self._spending is not None and self._spending.exhausted:
                return Ending.OUT_OF_BUDGET
            if self._stopping.is_set():
                return Ending.INTERRUPTED
            missed = await self._market.reach(index, self._stopping) if self._market is not None else ""
            if self._stopping.is_set():
                return Ending.INTERRUPTED
            if missed:
                engine.miss_round(index, engine.setup.round_ms(index), missed)
            else:
                await self._play_uncut(index, graph, checkpoints)
            checkpoints.forget()
            if self._on_round is not None:
                self._on_round(index)
            await self._rest(index)
        if self._market is not None and not engine.is_closed:
            await self._market.reach_end(self._stopping)
        if self._stopping.is_set() and not engine.is_closed and (self._market or self._rounds_left):
            return Ending.INTERRUPTED
        return Ending.FINISHED

    @property
    def _rounds_left(self) -> int:
        return self.engine.setup.rounds - self.engine.rounds_closed

    async def _play_uncut(self, index: int, graph: DeskGraph, checkpoints: Checkpoints) -> None:
        """Play a round. One that is cut off leaves no half thought behind, but where a person is being asked.

        Desks think anew at the next start: what was paid for is on the cassette, and the record is the same.
        """
        try:
            await self._play_round(index, graph)
        except asyncio.CancelledError:
            if self._approver is None:
                checkpoints.forget()
            raise

    async def _play_round(self, index: int, graph: DeskGraph) -> None:
        engine = self.engine
        opened = engine.open_round(index, engine.setup.round_ms(index))
        for event in books_seen(self._books, opened.as_of_ms):
            engine.record(event)
        self._note_budgets(opened)
        if self._memory is not None and not engine.halted:
            self._memory.open_round(opened, engine.record)
        teams, seats = [self._team(team) for team in self._teams], self._seats(opened)
        if self._on_seated is not None:
            self._on_seated(teams, seats)
        if not engine.halted:
            decisions, looked_back = await asyncio.gather(
                self._decisions(graph, teams, seats), self._look_back(teams, seats), return_exceptions=True
            )
            for decision in _or_raise(decisions):
                delay_ms = self._market.delay_ms(decision.latency_ms) if self._market is not None else 0
                engine.submit(decision, delay_ms=delay_ms)
                self._measure(decision)
            for one in _or_raise(looked_back):
                self._write_down(one)
        if self._tickets is not None:
            self._tickets.play(opened)
        self._note_budgets(opened)
        engine.close_round()
        if self._tickets is not None:
            self._tickets.tell()
        if self._memory is not None:
            self._memory.flush()
        self._telemetry.commit()

    def _note_budgets(self, opened: Round) -> None:
        if self._spending is not None:
            for event in self._spending.due(opened.as_of_ms):
                self.engine.record(event)

    async def _decisions(self, graph: DeskGraph, teams: Sequence[DeskTeam], seats: Sequence[Seat]) -> list[Decision]:
        """What every desk decides, in their order. What no desk can answer for is raised once all have spoken."""
        asked = [self._decide(graph, team, seat) for team, seat in zip(teams, seats, strict=True)]
        return [_or_raise(decision) for decision in await asyncio.gather(*asked, return_exceptions=True)]

    async def _look_back(self, teams: Sequence[DeskTeam], seats: Sequence[Seat]) -> Sequence[LookedBack]:
        """What models say of what has closed, beside the decisions: none of them knows it before the next round."""
        memory, spending = self._memory, self._spending
        if self._looking_back is None or memory is None:
            return ()
        going = {
            team.name: seat
            for team, seat in zip(teams, seats, strict=True)
            if spending is None or not spending.is_out(team.name)
        }
        closed = {desk: memory.to_look_back_on(desk) for desk in going}
        found = await self._looking_back.all(going, closed)
        return [_or_raise(one) for one in found]

    def _write_down(self, looked_back: LookedBack) -> None:
        for event in looked_back.events:
            self.engine.record(event)
        for number, call in enumerate(looked_back.calls):
            identity = ids.call_id(looked_back.filed_under, "model", number)
            self._telemetry.record("model_call", identity, call.latency_ms)

    async def _decide(self, graph: DeskGraph, team: DeskTeam, seat: Seat) -> Decision:
        if self._spending is None or not self._spending.is_out(team.name):
            return await graph.decide(team, seat)
        return Decision(
            decision_id=seat.decision_id,
            desk=team.name,
            round_index=seat.round_index,
            status=DecisionStatus.ABSTAINED,
            abstain_reason="budget: the desk's ran out",
            prompt_hash=team.prompt_hash,
        )

    def _team(self, team: DeskTeam) -> DeskTeam:
        if self._spending is not None and self._spending.is_degraded(team.name):
            return self._spare_teams.get(team.name, team)
        return team

    def _seats(self, opened: Round) -> list[Seat]:
        memo: dict[str, object] = {}
        # The head after the round was opened commits to everything the desks can see: a checkpoint of another state
        # of the run can never be taken for this one.
        stand = self.journal.head[:16]
        return [
            self._seating.seat(team, opened, memo, f"{self.run_id}:{team.name}:{opened.index}:{stand}")
            for team in self._teams
        ]

    def _measure(self, decision: Decision) -> None:
        if self._on_decided is not None:
            self._on_decided(decision)
        record = self._telemetry.record
        record("decision", decision.decision_id, decision.latency_ms)
        for number, call in enumerate(decision.model_calls):
            record("model_call", ids.call_id(decision.decision_id, "model", number), call.latency_ms)
        for number, tool in enumerate(decision.tool_calls):
            record("tool_call", ids.call_id(decision.decision_id, "tool", number), tool.latency_ms)

    async def _rest(self, index: int) -> None:
        if self._pace.round_s <= 0 or index < self._pace.warmup_rounds:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=self._pace.round_s)
        except TimeoutError:
            return


def _or_raise(found: Found | BaseException) -> Found:
    if isinstance(found, BaseException):
        raise found
    return found
