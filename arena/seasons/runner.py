"""Playing a season: round after round, every desk at the same time on the same market view."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from agents.brief import RoundBrief
from graphs import Checkpoints, DeskGraph, DeskTeam, Seat
from tools.context import ToolContext
from trading.domain import ids
from trading.domain.decision import Decision
from trading.engine import Engine, Round
from trading.risk import LimitUse
from trading.storage.journal import Journal, Telemetry


class Ending(StrEnum):
    """How playing ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast rounds follow each other: after the first ``warmup_rounds``, one every ``round_s`` wall seconds."""

    round_s: float = 0.0
    warmup_rounds: int = 0


class SeasonRun:
    """One run of a season, from wherever its journal stands to its end.

    ``on_round`` is called after each committed round with its index. :meth:`stop` ends playing after the round in
    flight; the same run goes on from there later.
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
    ) -> None:
        self.run_id = run_id
        self.engine = engine
        self.journal = journal
        self._telemetry = telemetry
        self._teams = teams
        self._brief = brief
        self._on_round = on_round
        self._pace = pace or Pace()
        self._stopping = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End after the round in flight."""
        self._stopping.set()

    async def play(self, graph: DeskGraph, checkpoints: Checkpoints) -> Ending:
        """Play every round that is left. A finished season is sealed."""
        engine = self.engine
        if not self.journal.events:
            engine.open_season()
        for index in range(engine.rounds_closed, engine.setup.rounds):
            if self._stopping.is_set():
                return Ending.INTERRUPTED
            await self._play_round(index, graph)
            checkpoints.forget()
            if self._on_round is not None:
                self._on_round(index)
            await self._rest(index)
        if self._stopping.is_set() and engine.rounds_closed < engine.setup.rounds:
            return Ending.INTERRUPTED
        if not engine.is_closed:  # killed between the last event and the seal, it is closed already
            engine.close_season()
        self.journal.seal()
        return Ending.FINISHED

    async def _play_round(self, index: int, graph: DeskGraph) -> None:
        engine = self.engine
        opened = engine.open_round(index, engine.setup.round_ms(index))
        if not engine.halted:
            seats = self._seats(opened)
            decisions = await asyncio.gather(
                *(graph.decide(team, seat) for team, seat in zip(self._teams, seats, strict=True))
            )
            for decision in decisions:
                engine.submit(decision)
                self._measure(decision)
        engine.close_round()
        self._telemetry.commit()

    def _seats(self, opened: Round) -> list[Seat]:
        memo: dict[str, object] = {}
        # The head after the round was opened commits to everything the desks can see: a checkpoint of another state
        # of the run can never be taken for this one.
        stand = self.journal.head[:16]
        return [self._seat(team, opened, memo, stand) for team in self._teams]

    def _seat(self, team: DeskTeam, opened: Round, memo: dict[str, object], stand: str) -> Seat:
        engine, setup = self.engine, self.engine.setup
        account = engine.account(team.name)
        feedback = tuple(feedback_line(row) for row in engine.feedback.of(team.name))
        return Seat(
            tools=ToolContext(
                view=opened.view,
                account=account,
                instruments=setup.instruments,
                limits=LimitUse(limits=engine.limits, account=account),
                preview=partial(engine.preview, team.name),
                round_index=opened.index,
                memo=memo,
            ),
            season=setup.season,
            round_index=opened.index,
            rounds=setup.rounds,
            decision_id=ids.decision_id(setup.season, team.name, opened.index),
            thread_id=f"{self.run_id}:{team.name}:{opened.index}:{stand}",
            brief=replace(self._brief, feedback=feedback),
        )

    def _measure(self, decision: Decision) -> None:
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


def feedback_line(row: Mapping[str, Any]) -> str:
    """One thing that happened to a desk, in words."""
    match row["event"]:
        case "filled":
            return f"Filled: {row['side']} {row['quantity']} {row['instrument']} at {row['price']}, fee {row['fee']}."
        case "ruled":
            return (
                f"The gate {row['ruling']} your {row['side']} of {row['instrument']} by {row['rule']}: {row['message']}"
            )
        case "breaker_tripped":
            return f"Breaker {row['rule']} tripped: {row['value']} of {row['limit']}; state {row['state']}."
        case "liquidated":
            return f"Your perpetual positions were liquidated: equity {row['equity']} was below {row['maintenance']}."
        case _:
            return f"Order {row['order_id']} ended unfilled: {row['reason']}."
