"""The reception: where the desks of a running season can be spoken to, without a way to their orders."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, TypeVar

from agents.brief import round_facts
from agents.llm import Complete
from agents.talk import PIECE_CHARS, Piece, Said, Watch, spokesman, talk
from agents.turn import CallLog
from arena.seasons.heard import Done, Failed, Heard, Spoken
from arena.seasons.road import shared_gateway
from arena.seasons.snapshot import DecisionCard, FloorSnapshot
from graphs import DeskTeam, Seat
from trading.domain import ModelCall, ToolCall, TradeIntent, Verdict, iso
from trading.domain.errors import BadArguments, ModelUnavailable, RequestError, TradefloorError
from trading.marketdata import MarketView

DEADLINE_S = 60.0
"""How long a desk may think about an answer, by the wall clock."""

AT_ONCE = 4
"""Conversations that may be answered at the same time."""

_DECISIONS = 5
_GRACE_S = 5.0


Rule = Callable[[Sequence[TradeIntent]], Sequence[Verdict]]
Made = TypeVar("Made")


class UnknownDesk(RequestError):
    """The season has no desk of that name, or has not begun."""


class ReceptionBusy(TradefloorError):
    """As many conversations are being answered as may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A desk where it sat last, and what the gate would say to it there."""

    team: DeskTeam
    seat: Seat
    rule: Rule


@dataclass(slots=True, kw_only=True)
class Reception:
    """Seats are set by the season's thread, once a round; any thread may ask, and is answered on the season's loop.

    ``snapshot`` gives the floor as it stands, for the last decisions. Whoever speaks for a desk is the model that
    decides for it, through ``complete``. That is a chain of its own: a conversation is no part of the season's record.
    ``on_calls`` is told of the calls that a conversation took.
    """

    snapshot: Callable[[], FloorSnapshot | None]
    complete: Complete = field(default_factory=lambda: shared_gateway().complete)
    on_calls: Callable[[Sequence[ModelCall], Sequence[ToolCall]], None] | None = None
    deadline_s: float = DEADLINE_S
    _loop: asyncio.AbstractEventLoop | None = None
    _places: Mapping[str, _Place] = field(default_factory=dict)
    _view: MarketView | None = None
    _free: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def seat(self, teams: Sequence[DeskTeam], seats: Sequence[Seat]) -> None:
        """Let every desk speak of the round that was opened now. Called on the loop of the season."""
        self._loop = asyncio.get_running_loop()
        self._view = seats[0].tools.view if seats else None
        # Tool results are shared within a round by the season's own thread alone, so a conversation has its own.
        self._places = {
            team.name: _Place(
                team=team,
                seat=replace(seat, tools=replace(seat.tools, preview=_no_proposal, memo={})),
                rule=seat.tools.preview,
            )
            for team, seat in zip(teams, seats, strict=True)
        }

    def view(self) -> MarketView | None:
        """What every desk sees of the market in the round that was opened last; None before the first."""
        return self._view

    def desks(self) -> Mapping[str, int]:
        """The desks that can be asked, with the instant (ms since 1970) they would speak of."""
        return {name: place.seat.tools.view.as_of_ms for name, place in self._places.items()}

    def seated(self, desk: str) -> Seat | None:
        """Where ``desk`` sat last, with no way to its orders; None for a desk that never sat."""
        place = self._places.get(desk)
        return None if place is None else place.seat

    async def ruling(self, desk: str, decision_id: str, intents: Sequence[TradeIntent]) -> Sequence[Verdict] | None:
        """What the gate would say to a desk's intents now; None where the desk does not sit in that decision.

        Nothing is sent. Raises ModelUnavailable where the season ends meanwhile.
        """
        place = self._places.get(desk)
        if place is None or place.seat.decision_id != decision_id:
            return None

        async def ruled() -> Sequence[Verdict]:
            return place.rule(intents)

        return await self._on_season_loop(ruled())

    async def talk(self, desk: str, conversation: Sequence[Said]) -> Spoken:
        """What ``desk`` answers to the last message.

        Raises UnknownDesk, ReceptionBusy, and ModelFailure when its model gave no answer.
        """
        async with aclosing(self.converse(desk, conversation)) as heard:
            async for event in heard:
                match event:
                    case Done():
                        return event.spoken
                    case Failed():
                        raise event.error
        raise AssertionError("a conversation ends with an answer or a failure")

    async def converse(self, desk: str, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
        """What is heard while ``desk`` answers the last message, as it happens; the last of it is how it ended.

        Fails with UnknownDesk, ReceptionBusy, and ModelFailure when its model gave no answer. Closing it stops the
        desk's thinking.
        """
        try:
            place = self._place(desk)
            with self.line():
                async with aclosing(self._converse(place, conversation)) as heard:
                    async for event in heard:
                        yield event
        except TradefloorError as error:
            yield Failed(error=error)

    async def _converse(self, place: _Place, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
        told = self._told(place.team.name)

        def speak(log: CallLog, watch: Watch) -> Coroutine[Any, Any, str]:
            return self._speak(place, conversation, told, log=log, watch=watch)

        async with aclosing(self.overhear(speak, told)) as heard:
            async for event in heard:
                yield event

    async def overhear(
        self, speak: Callable[[CallLog, Watch], Coroutine[Any, Any, str]], told: tuple[DecisionCard, ...]
    ) -> AsyncGenerator[Heard]:
        """What is heard while somebody who was ``told`` of these decisions speaks, on the loop of the season.

        Raises what ``speak`` raises. Closing it stops whoever speaks.
        """
        log, here, heard = CallLog(), asyncio.get_running_loop(), asyncio.Queue[Heard | None]()

        def watch(event: Heard) -> None:
            with suppress(RuntimeError):  # whoever asked is gone, and the loop with them
                here.call_soon_threadsafe(heard.put_nowait, event)

        speaking = asyncio.ensure_future(self._on_season_loop(speak(log, watch)))
        speaking.add_done_callback(lambda _: heard.put_nowait(None))
        try:
            async for event in _in_order(heard):
                yield event
            text = speaking.result()
        finally:
            speaking.cancel()
            if self.on_calls is not None:
                self.on_calls(log.model_calls, log.tool_calls)
        yield Done(
            spoken=Spoken(
                text=text,
                tokens_in=_total([call.tokens_in for call in log.model_calls]),
                tokens_out=_total([call.tokens_out for call in log.model_calls]),
                decisions=told,
            )
        )

    def _place(self, desk: str) -> _Place:
        place = self._places.get(desk)
        if place is None:
            known = ", ".join(self._places) or "none yet: the season has not opened a round"
            raise UnknownDesk(f"there is no desk {desk!r}; the desks are {known}")
        return place

    async def _speak(
        self, place: _Place, conversation: Sequence[Said], told: Sequence[DecisionCard], *, log: CallLog, watch: Watch
    ) -> str:
        return await talk(
            spokesman(place.team.agents["executor"].model, seed=place.team.seed),
            conversation,
            {"facts": _facts(place), "decisions": [told_as(card) for card in told]},
            context=place.seat.tools,
            complete=self.complete,
            deadline=monotonic() + self.deadline_s,
            log=log,
            watch=watch,
        )

    async def _on_season_loop(self, speaking: Coroutine[Any, Any, Made]) -> Made:
        """What ``speaking`` comes to. LiteLLM's clients and workers want all calls of a process on one loop."""
        loop = self._loop
        if loop is None or loop.is_closed() or loop is asyncio.get_running_loop():
            return await speaking
        asked = asyncio.run_coroutine_threadsafe(speaking, loop)
        try:
            # A loop that ends in this very moment never answers.
            return await asyncio.wait_for(asyncio.wrap_future(asked), self.deadline_s + _GRACE_S)
        except TimeoutError:
            raise ModelUnavailable("the season ended before the desk could answer", reason="timeout") from None

    @contextmanager
    def line(self) -> Iterator[None]:
        """A place among those who are answered now. Raises ReceptionBusy where there is none."""
        if not self._free.acquire(blocking=False):
            raise ReceptionBusy(f"{AT_ONCE} conversations are being answered, which is all at once; ask again soon")
        try:
            yield
        finally:
            self._free.release()

    def _told(self, desk: str) -> tuple[DecisionCard, ...]:
        """The last decisions of the desk, and the last one in which it traded."""
        floor = self.snapshot()
        mine = [card for card in (floor.decisions if floor else ()) if card.desk == desk]
        traded = [card for card in mine if card.status == "acted"][:1]
        return tuple(dict.fromkeys([*mine[:_DECISIONS], *traded]))


async def _in_order(heard: "asyncio.Queue[Heard | None]") -> AsyncGenerator[Heard]:
    """What is heard, up to None. Words that come faster than they are taken are given together."""
    words = ""
    while True:
        event = await heard.get()
        if isinstance(event, Piece):
            words += event.text
            if len(words) < PIECE_CHARS and not heard.empty():
                continue
        if words:
            yield Piece(text=words)
            words = ""
        if event is None:
            return
        if not isinstance(event, Piece):
            yield event


def _facts(place: _Place) -> dict[str, object]:
    seat = place.seat
    facts = round_facts(
        seat.brief,
        seat.tools.instruments,
        season=seat.season,
        round_number=seat.round_index + 1,
        rounds=seat.rounds,
        as_of_ms=seat.tools.view.as_of_ms,
        source=seat.tools.view.source,
    )
    return {"desk": place.team.name, "models": dict(place.team.models), **facts}


def told_as(card: DecisionCard) -> dict[str, Any]:
    """A decision as whoever speaks is told of it. Its texts come from models."""
    return {
        "id": card.decision_id,
        "at": iso(card.ts_ms),
        "round": card.round_index + 1,
        "status": card.status,
        "abstain_reason": card.abstain_reason,
        "confidence": card.confidence,
        "rationale": card.rationale,
        "notes": dict(card.notes),
        "gate": [f"{line.intent}: {line.ruling} {line.rule} {line.message}".strip() for line in card.verdicts],
        "tools": [line.tool if line.outcome == "ok" else f"{line.tool} ({line.outcome})" for line in card.tools],
    }


def _no_proposal(_: Sequence[TradeIntent]) -> Sequence[Verdict]:
    raise BadArguments("nothing can be proposed in a conversation")


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
