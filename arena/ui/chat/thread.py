"""A chat of one viewer: what was said, as a desk is told it, and what the page shows of it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from agents.talk import Said
from arena.seasons.assistant import converse_with_floor
from arena.seasons.heard import Failed, Heard, with_pauses
from arena.services import Services
from arena.ui.chat.answer import Answer
from arena.ui.chat.desk_now import ASSISTANT
from arena.ui.chat.messages import Message, answer_messages, question_message
from trading.domain.errors import RequestError

MAX_QUESTION_CHARS = 4_000
REMEMBERED = 12
"""Messages of a chat that a desk is told again; older ones are shown and no longer heard."""

_KEPT = 40
_LOOK_UP_S = 1.0
"""How long an answer may be silent before the page is asked whether somebody still looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and its answer."""

    question: str
    answer: Answer


@dataclass(slots=True)
class Thread:
    """The exchanges of a chat, oldest first; what was asked long ago is dropped."""

    exchanges: list[Exchange] = field(default_factory=list)

    def ask(self, question: str, answer: Answer) -> None:
        """Add an exchange whose answer is still to come."""
        self.exchanges = [*self.exchanges[1 - _KEPT :], Exchange(question=question, answer=answer)]

    def conversation(self) -> list[Said]:
        """What the desk is told: exchanges that came to an answer, and the last question."""
        *before, last = self.exchanges
        said = [
            one
            for exchange in before
            if exchange.answer.spoken is not None
            for one in (Said(by="user", text=exchange.question), Said(by="assistant", text=exchange.answer.text))
        ]
        return [*said[-REMEMBERED:], Said(by="user", text=last.question)]

    def messages(self) -> list[Message]:
        """The chat as the page shows it."""
        return [
            message
            for number, exchange in enumerate(self.exchanges)
            for message in (
                question_message(exchange.question),
                *answer_messages(exchange.answer, f"answer-{number}"),
            )
        ]


def checked_question(text: str) -> str:
    """The question without blanks around it. Raises RequestError for one that is empty or too long."""
    question = text.strip()
    if not question:
        raise RequestError("the question is empty; write one first")
    if len(question) > MAX_QUESTION_CHARS:
        raise RequestError(f"the question has {len(question)} characters; at most {MAX_QUESTION_CHARS} are read")
    return question


async def heard_from(services: Services, desk: str, conversation: Sequence[Said]) -> AsyncGenerator[Heard | None]:
    """What is heard of ``desk``, of the floor's assistant where it is empty; None where it has been silent for long."""
    async with (
        aclosing(_source(services, desk, conversation)) as heard,
        aclosing(with_pauses(heard, _LOOK_UP_S)) as paced,
    ):
        async for event in paced:
            yield event


def new_answer(services: Services, desk: str) -> Answer:
    """An answer of ``desk`` that is still to come, with the decisions it may cite."""
    floor = services.floor.snapshot()
    known = floor.decisions if floor is not None else ()
    return Answer(by=desk or ASSISTANT, decisions=[card for card in known if not desk or card.desk == desk])


async def _source(services: Services, desk: str, conversation: Sequence[Said]) -> AsyncGenerator[Heard]:
    if not desk and services.assistant is not None:
        heard = services.assistant.converse(conversation)
    elif not desk:
        heard = converse_with_floor(services.floor.snapshot(), conversation)
    elif services.reception is not None:
        heard = services.reception.converse(desk, conversation)
    else:
        yield Failed(error=RequestError("no desk can be spoken to here: the season runs without a reception"))
        return
    async with aclosing(heard):
        async for event in heard:
            yield event
