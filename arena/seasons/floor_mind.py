"""The floor's assistant with a language model behind it: it looks at every desk, speaks for none and proposes nothing.

Where its model gives no answer it says so, and the rule answers in its place.
"""

from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from functools import cached_property
from time import monotonic
from typing import Any

from agents.llm import check_model, is_rule_based
from agents.schemas import Words
from agents.spec import AgentSpec
from agents.talk import Said, Watch, pieces, talk
from agents.turn import CallLog, RoleAgent
from arena.seasons.allowance import Allowance
from arena.seasons.assistant import converse_with_floor
from arena.seasons.floor_tools import FLOOR_TOOLS, FloorContext
from arena.seasons.heard import Done, Heard, Piece
from arena.seasons.reception import Reception, told_as
from arena.seasons.snapshot import DecisionCard, FloorSnapshot
from arena.traces.archive import TraceArchive
from prompts import load_prompt
from tools.context import ToolContext
from tools.registry import Effect, discover
from trading.domain.errors import ConfigError, RequestError, TradefloorError
from trading.domain.instants import iso

NAME = "floor"
"""Whose name stands on its calls, in place of a desk's."""

_TOLD = 6
_PARAGRAPH = "\n\n"
_HARMLESS = (Effect.READ, Effect.THINK)


@dataclass(frozen=True, kw_only=True)
class FloorMind:
    """The assistant of a served season. ``model`` is an LLM; ``allowance`` is the road to it and bounds what it costs.

    Raises ConfigError for a model that cannot be asked, and for a rule.
    """

    model: str
    reception: Reception
    archive: TraceArchive
    allowance: Allowance
    seed: int = 0

    def __post_init__(self) -> None:
        if is_rule_based(self.model):
            raise ConfigError(
                f"assistant_model {self.model!r} is a rule, which the assistant is without it: leave it out"
            )
        check_model(self.model)

    async def converse(self, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
        """What is heard while the assistant answers the last message; fails only where there is no season yet."""
        floor = self.reception.snapshot()
        told, said = "", ""
        if floor is not None and floor.desks:
            try:
                async with aclosing(self._answer(floor, conversation)) as heard:
                    async for event in heard:
                        said += event.text if isinstance(event, Piece) else ""
                        yield event
                return
            except TradefloorError as error:
                sorry = f"{self.model} gave no answer: {error}. What follows is by rule, no LLM."
                told = f"{_PARAGRAPH if said else ''}{sorry}{_PARAGRAPH}"
        async with aclosing(_by_rule(floor, conversation, said, told)) as heard:
            async for event in heard:
                yield event

    async def _answer(self, floor: FloorSnapshot, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
        """What is heard of the model. Raises why it gives no answer."""
        context, told = self._context(floor), _told(floor)
        with self.reception.line():
            self.allowance.take_question()
            road = self.allowance.road()

            def speak(log: CallLog, watch: Watch) -> Coroutine[Any, Any, str]:
                return talk(
                    self._agent,
                    conversation,
                    {"facts": _facts(floor), "decisions": [{"desk": card.desk, **told_as(card)} for card in told]},
                    context=context,
                    complete=road,
                    deadline=monotonic() + self.reception.deadline_s,
                    log=log,
                    watch=watch,
                )

            async with aclosing(self.reception.overhear(speak, told)) as heard:
                async for event in heard:
                    yield event

    @cached_property
    def _agent(self) -> RoleAgent:
        market = tuple(name for name, one in discover().items() if one.market_only and one.effect in _HARMLESS)
        spec = AgentSpec(
            role=NAME, prompt="desk/floor", tools=market, reads=("decisions",), answer=Words, answer_name="words"
        )
        return RoleAgent(
            spec=spec,
            prompt=load_prompt(spec.prompt),
            model=self.model,
            seed=self.seed,
            own_tools=tuple(FLOOR_TOOLS.values()),
        )

    def _context(self, floor: FloorSnapshot) -> FloorContext:
        """What every desk sees of the market, and the floor; the account is nobody's."""
        seat = next((seat for desk in floor.desks if (seat := self.reception.seated(desk.name)) is not None), None)
        if seat is None:
            raise RequestError("no desk has sat in a round yet")
        shared = {each.name: getattr(seat.tools, each.name) for each in fields(ToolContext)}
        shared |= {"account": replace(seat.tools.account, desk=NAME), "memory": None, "memo": {}}
        return FloorContext(**shared, floor=floor, seated=self._tools_of, archive=self.archive)

    def _tools_of(self, desk: str) -> ToolContext | None:
        seat = self.reception.seated(desk)
        return None if seat is None else replace(seat.tools, memo={})


async def _by_rule(
    floor: FloorSnapshot | None, conversation: Sequence[Said], said: str, told: str
) -> AsyncGenerator[Heard]:
    """The rule's answer after what was ``said`` of another and what is ``told`` of its end."""
    for piece in pieces(told):
        yield piece
    async with aclosing(converse_with_floor(floor, conversation)) as heard:
        async for event in heard:
            if isinstance(event, Done) and told:
                spoken = replace(event.spoken, text=said + told + event.spoken.text, tokens_in=None, tokens_out=None)
                yield Done(spoken=spoken)
            else:
                yield event


def _told(floor: FloorSnapshot) -> tuple[DecisionCard, ...]:
    """The newest decisions, and the last of every desk in which it traded."""
    traded: dict[str, DecisionCard] = {}
    for card in floor.decisions:
        if card.status == "acted":
            traded.setdefault(card.desk, card)
    return tuple(dict.fromkeys([*floor.decisions[:_TOLD], *list(traded.values())[:_TOLD]]))


def _facts(floor: FloorSnapshot) -> dict[str, object]:
    return {
        "season": floor.season,
        "market": floor.market,
        "mode": floor.mode,
        "status": floor.status,
        "as_of": iso(floor.as_of_ms),
        "round": floor.round_index,
        "rounds": floor.rounds,
        "instruments": [{"symbol": symbol} for symbol in floor.instruments],
        "desks": [
            {"desk": desk.name, "kind": desk.kind, "models": list(dict.fromkeys(model for _, model in desk.models))}
            for desk in floor.desks
        ],
    }
