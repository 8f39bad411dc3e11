"""A chat of one viewer: what the desk is told again, what is refused, and who answers."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from agents.talk import Said
from arena.access import Role
from arena.services import Services
from arena.ui.chat.answer import Answer
from arena.ui.chat.many import answers_of
from arena.ui.chat.talking import _converse
from arena.ui.chat.thread import MAX_QUESTION_CHARS, REMEMBERED, Thread, checked_question, heard_from, new_answer
from tests.arena.conftest import SampleFloor
from tests.arena.housing import house
from tests.arena.ui.chat.conftest import staffed
from trading.domain.errors import RequestError


def talked(services: Services, desk: str, question: str) -> Answer:
    answer = new_answer(services, desk)

    async def listen() -> None:
        async for event in heard_from(services, desk, [Said(by="user", text=question)]):
            if event is not None:
                answer.hear(event)

    asyncio.run(listen())
    return answer


def test_a_desk_and_the_assistant_answer(services: Services) -> None:
    desk = talked(services, "momentum", "How do you stand?")
    assert "rule-based house model, no LLM" in desk.text
    assert [step.name for step in desk.steps] == ["get_account", "get_positions"]
    floor = talked(services, "", "Who leads?")
    assert "floor's assistant is rule-based, no LLM" in floor.text
    assert floor.is_over


@pytest.mark.parametrize(
    ("models", "desk", "why"),
    [
        (("maker/llm", "house/breakout"), "momentum", "maker/llm cannot be reached"),
        (("house/momentum", "house/breakout"), "<script>", "there is no desk"),
    ],
)
def test_who_cannot_answer_says_why(tmp_path: Path, models: Any, desk: str, why: str) -> None:
    answer = talked(staffed(tmp_path, models=models), desk, "Why?")
    assert answer.failure is not None
    assert why in answer.failure


@pytest.mark.parametrize("desk", ["", "momentum"])
def test_before_the_season_everybody_says_so(tmp_path: Path, desk: str) -> None:
    answer = talked(house(SampleFloor(None), home=tmp_path), desk, "Why?")
    assert answer.failure is not None
    assert not answer.text


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (MAX_QUESTION_CHARS + 1)])
def test_no_question_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        checked_question(text)


def test_a_desk_is_told_what_was_answered_and_not_what_failed(services: Services) -> None:
    thread = Thread()
    for number in range(REMEMBERED):
        answer = talked(services, "momentum" if number % 2 else "nobody", f"question {number}")
        thread.ask(f"question {number}", answer)
    thread.ask("last", Answer(by="momentum"))
    said = thread.conversation()
    assert len(said) == REMEMBERED + 1
    assert (said[-1].by, said[-1].text) == ("user", "last")
    assert [one.by for one in said[:2]] == ["user", "assistant"]
    assert not any("question 0" in one.text for one in said), "nobody answered it"


def test_desks_answer_side_by_side(services: Services) -> None:
    async def listen() -> list[Answer]:
        last: list[Answer] = []
        async for answers in answers_of(services, ["momentum", "nobody", "breakout"], "How do you stand?"):
            last = answers
        return last

    first, second, third = asyncio.run(listen())
    assert "momentum is a rule-based" in first.text
    assert second.failure is not None
    assert "breakout is a rule-based" in third.text


def test_the_page_streams_an_answer_piece_by_piece(services: Services, asked_by: Any) -> None:
    async def listen() -> list[Any]:
        thread = Thread()
        return [update async for update in _converse(services)("How do you stand?", "momentum", thread, asked_by())]

    updates = asyncio.run(listen())
    lengths = [len(messages[-1]["content"]) for messages, *_ in updates if "metadata" not in messages[-1]]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 4
    messages, _, thread, used, _ = updates[-1]
    assert [message["role"] for message in messages] == ["user", *["assistant"] * 4]
    assert "get_account" in used
    assert thread.exchanges[0].answer.spoken is not None


def test_a_question_without_a_border_or_words_is_refused(services: Services, asked_by: Any) -> None:
    async def ask(question: str, request: gr.Request) -> None:
        await anext(_converse(services)(question, "", Thread(), request))

    with pytest.raises(gr.Error, match="the question is empty"):
        asyncio.run(ask("  ", asked_by(Role.VIEWER)))
    with pytest.raises(gr.Error, match="nobody knows who asks"):
        asyncio.run(ask("Why?", gr.Request()))
