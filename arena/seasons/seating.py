"""A desk's place in a round of a season: made the same way while the season plays and when it is looked at again."""

from dataclasses import dataclass, replace
from functools import partial

from agents.brief import Costs as StatedCosts
from agents.brief import RoundBrief
from agents.feedback import feedback_line
from arena.seasons.own_record import OwnRecords
from arena.seasons.remembering import SeasonMemory
from graphs import Approver, DeskTeam, Seat
from tools.context import ChampionForecasts, ToolContext
from trading.domain import ids
from trading.domain.instants import duration_text
from trading.engine import Engine, Round
from trading.risk import LimitUse
from trading.venues.simulated import Costs


def brief_of(engine: Engine, costs: Costs, *, deadline_s: float) -> RoundBrief:
    """What every round of the season has in common for its desks."""
    setup = engine.setup
    return RoundBrief(
        costs=StatedCosts(
            taker_fee_bps=float(costs.taker_fee_bps),
            maker_fee_bps=float(costs.maker_fee_bps),
            slippage_bps=float(costs.slippage_bps),
            latency_ms=costs.latency_ms,
        ),
        mode=setup.mode,
        timeframe=duration_text(engine.tape.step_ms),
        every=duration_text(setup.every_ms),
        instruments=tuple(setup.instruments),
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """What the seats of a season are made of, besides its engine."""

    engine: Engine
    brief: RoundBrief
    own_records: OwnRecords | None = None
    champions: ChampionForecasts | None = None
    memory: SeasonMemory | None = None
    approver: Approver | None = None

    def seat(self, team: DeskTeam, opened: Round, memo: dict[str, object], thread_id: str) -> Seat:
        """The place of ``team`` in the round that is open; ``memo`` is shared by all desks of the round."""
        engine, setup, memory = self.engine, self.engine.setup, self.memory
        account = engine.account(team.name)
        feedback = tuple(feedback_line(row) for row in engine.feedback.of(team.name))
        if memory is not None:
            feedback += tuple(memory.feedback(team.name, opened.as_of_ms))
        records = self.own_records if team.shows_record else None
        return Seat(
            tools=ToolContext(
                view=opened.view,
                account=account,
                instruments=setup.instruments,
                limits=LimitUse(limits=engine.limits, account=account),
                preview=partial(engine.preview, team.name),
                round_index=opened.index,
                champions=self.champions,
                memory=memory.of(team.name, opened.as_of_ms) if memory is not None else None,
                memo=memo,
            ),
            season=setup.season,
            round_index=opened.index,
            rounds=setup.rounds,
            decision_id=ids.decision_id(setup.season, team.name, opened.index),
            needs_approval=self.approver is not None,
            approver=self.approver,
            thread_id=thread_id,
            brief=replace(
                self.brief,
                feedback=feedback,
                own_record=records.of(team.name) if records is not None else None,
            ),
        )
