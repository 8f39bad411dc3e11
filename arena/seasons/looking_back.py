"""Desks of language models that look back: what has closed is shown to a model of theirs, and what it says is recorded.

It runs beside the decisions of a round and is known from the next round on. What a model does not say is said by
nobody: a failure stands in the record with its reason, and the look back by rule stays what it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from agents.llm import Complete
from agents.reflection import Closed, look_back
from agents.schemas.reflection import MOST
from agents.turn import CallLog, RoleAgent
from graphs import Seat
from memory import Episode
from memory.episode import NEVER_MS
from memory.reflection import facts_of
from trading.domain import Event, EventKind, ModelCall, ids
from trading.domain.errors import ModelFailure
from trading.engine.records import model_call_events


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedBack:
    """What came of one desk's look back, as events in order, and the calls it took."""

    filed_under: str
    calls: Sequence[ModelCall]
    events: Sequence[Event]


class LookingBack:
    """The agents that look back, by desk, and the road to their models."""

    def __init__(self, agents: Mapping[str, RoleAgent], complete: Complete) -> None:
        self._agents = agents
        self._complete = complete

    async def all(
        self, seats: Mapping[str, Seat], closed: Mapping[str, Sequence[Episode]]
    ) -> Sequence[LookedBack | BaseException]:
        """The look back of every desk with something to look back on, in the order of ``seats``."""
        asked = [
            self._one(self._agents[desk], seat, closed[desk][:MOST])
            for desk, seat in seats.items()
            if desk in self._agents and closed.get(desk)
        ]
        return await asyncio.gather(*asked, return_exceptions=True)

    async def _one(self, agent: RoleAgent, seat: Seat, episodes: Sequence[Episode]) -> LookedBack:
        log = CallLog()
        outcome = "ok"
        said: dict[int, Mapping[str, object]] = {}
        try:
            found = await look_back(
                agent,
                [Closed(facts=facts_of(episode), note=episode.text) for episode in episodes],
                context=seat.tools,
                complete=self._complete,
                deadline=monotonic() + seat.brief.deadline_s,
                log=log,
            )
            said = {place: one.model_dump(mode="json", exclude={"number"}) for place, one in found.items()}
        except ModelFailure as failure:
            outcome = failure.reason
        desk, ts_ms = seat.tools.account.desk, seat.tools.view.as_of_ms
        filed_under = ids.reflection_id(seat.season, desk, seat.round_index)
        written = Event(
            ts_ms=ts_ms,
            kind=EventKind.REFLECTED,
            decision_id=filed_under,
            payload={
                "desk": desk,
                "round": seat.round_index,
                "model": agent.model,
                "outcome": outcome,
                "episodes": [
                    {"episode_id": episode.episode_id, "said": said.get(place)}
                    for place, episode in enumerate(episodes)
                ],
            },
        )
        calls = model_call_events(log.model_calls, desk, filed_under, ts_ms)
        return LookedBack(filed_under=filed_under, calls=log.model_calls, events=(*calls, written))


class Awaiting:
    """What has closed and was not looked back on yet, by desk, oldest first: what was traded or refused.

    What was held or abstained from is looked back on by rule alone: it is most of what there is, and says least.
    """

    def __init__(self, desks: frozenset[str]) -> None:
        self._waiting: dict[str, dict[str, Episode]] = {desk: {} for desk in desks}

    def note(self, episode: Episode) -> None:
        """Take in that something became known of an episode."""
        waiting = self._waiting.get(episode.desk)
        if waiting is None or episode.net_return is None or episode.insight_ms != NEVER_MS:
            return
        if episode.status in ("acted", "refused"):
            waiting[episode.episode_id] = episode

    def done(self, event: Event) -> None:
        """Take in that a desk looked back, whatever came of it: nothing is asked twice."""
        for row in event.payload["episodes"]:
            self._waiting.get(event.payload["desk"], {}).pop(row["episode_id"], None)

    def of(self, desk: str) -> list[Episode]:
        """What a desk has to look back on."""
        return list(self._waiting.get(desk, {}).values())
