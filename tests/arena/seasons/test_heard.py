"""A conversation is heard as it happens, and stops when nobody listens."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import Completion, CompletionRequest, ToolRequest
from agents.talk import MAX_WORDS_CHARS, Said, spokesman, talk
from agents.turn import CallLog
from arena.seasons.heard import Done, Failed, Heard, Piece, ToolEnded, ToolStarted, pieces, with_pauses
from arena.seasons.reception import AT_ONCE, Reception, ReceptionBusy, UnknownDesk
from tests.agents.staging import seat, team
from tests.arena.conftest import sample_snapshot
from trading.domain.errors import ModelFailure, ModelUnavailable

QUESTION = (Said(by="user", text="Why?"),)
SNAPSHOT = sample_snapshot()


def said(text: str = "All is well.", *tools: str) -> Completion:
    return Completion(
        content="" if tools else text,
        tool_requests=tuple(
            ToolRequest(call_id=f"c{number}", name=name, arguments_json="{}") for number, name in enumerate(tools)
        ),
        finish_reason="stop",
        refusal=None,
        model_answered="llm",
        tokens_in=10,
        tokens_out=2,
        usd=0.01,
    )


class Script:
    """A model that says its lines, in parts where they are several; without more of them it thinks for ever."""

    def __init__(self, *lines: Completion | Exception | tuple[str, ...]) -> None:
        self.lines = list(lines)
        self.left_alone = False

    async def complete(self, request: CompletionRequest) -> Completion:
        if not self.lines:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.left_alone = True
                raise
        line = self.lines.pop(0)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, tuple):
            assert request.hear is not None
            for part in line:
                request.hear(part)
            return said("".join(line))
        return line


def staffed(script: Script) -> Reception:
    reception = Reception(snapshot=lambda: SNAPSHOT, complete=script.complete)
    reception.seat([team("maker/llm")], [seat()])
    return reception


def heard(script: Script, desk: str = "desk") -> list[Heard]:
    async def listen() -> list[Heard]:
        return [event async for event in staffed(script).converse(desk, QUESTION)]

    return asyncio.run(listen())


def test_look_ups_are_heard_before_the_answer() -> None:
    found = heard(Script(said("", "get_account", "no_such_tool"), said("Equity is 10000. [get_account]")))
    assert [type(event) for event in found[:4]] == [ToolStarted, ToolEnded, ToolStarted, ToolEnded]
    assert isinstance(found[1], ToolEnded)
    assert isinstance(found[3], ToolEnded)
    assert (found[1].tool, found[1].outcome) == ("get_account", "ok")
    assert '"equity":"10000"' in found[1].content
    assert found[3].outcome != "ok"
    assert "".join(event.text for event in found if isinstance(event, Piece)) == "Equity is 10000. [get_account]"
    assert isinstance(found[-1], Done)
    assert (found[-1].spoken.tokens_in, found[-1].spoken.tokens_out) == (20, 4)


def test_what_is_said_before_a_look_up_is_a_paragraph_of_the_answer() -> None:
    looking = replace(said("", "get_account"), content=" Let me look. ")
    found = heard(Script(looking, ("\n", "It is ", "10000", " USDT. ", "\n")))
    text = "".join(event.text for event in found if isinstance(event, Piece))
    assert text == "Let me look.\n\nIt is 10000 USDT."
    assert [type(event) for event in found[:3]] == [Piece, ToolStarted, ToolEnded]
    assert isinstance(found[-1], Done)
    assert found[-1].spoken.text == text


def test_where_nobody_watches_nothing_is_streamed_and_the_last_message_is_the_answer() -> None:
    asked: list[CompletionRequest] = []
    script = Script(replace(said("", "get_account"), content="Let me look."), said(" It is 10000. "))

    async def complete(request: CompletionRequest) -> Completion:
        asked.append(request)
        return await script.complete(request)

    agent, there = spokesman("maker/llm", seed=7), seat().tools
    slots = {"facts": {}, "decisions": []}
    speaking = talk(agent, QUESTION, slots, context=there, complete=complete, deadline=1e12, log=CallLog())
    assert asyncio.run(speaking) == "It is 10000."
    assert [request.hear for request in asked] == [None, None]


def test_an_answer_is_no_longer_than_it_may_be_however_it_comes() -> None:
    for line in (said("word " * 9_000), tuple(["word "] * 9_000)):
        found = heard(Script(line))
        assert isinstance(found[-1], Done)
        assert len(found[-1].spoken.text) == MAX_WORDS_CHARS
        assert "".join(event.text for event in found if isinstance(event, Piece)) == found[-1].spoken.text


@given(st.lists(st.text(st.sampled_from(" \nab"), max_size=5), max_size=12))
def test_pieces_are_the_answer_without_blanks_around_it(parts: list[str]) -> None:
    found = heard(Script(tuple(parts)))
    whole = "".join(parts).strip()
    assert isinstance(found[-1], Done if whole else Failed)
    assert "".join(event.text for event in found if isinstance(event, Piece)) == whole


def test_more_look_ups_at_once_than_may_be_are_refused_to_the_model() -> None:
    found = heard(Script(said("", *["get_account"] * 14), said("Done.")))
    assert sum(isinstance(event, ToolEnded) for event in found) == 12
    assert isinstance(found[-1], Done)


@pytest.mark.parametrize(
    ("script", "desk", "kind"),
    [
        (Script(ModelUnavailable("the maker is down", reason="timeout")), "desk", ModelUnavailable),
        (Script(said("")), "desk", ModelFailure),
        (Script(), "nobody", UnknownDesk),
    ],
)
def test_a_failure_is_heard_with_its_reason(script: Script, desk: str, kind: type[Exception]) -> None:
    (failed,) = heard(script, desk)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, kind)


def test_a_desk_stops_thinking_when_nobody_listens() -> None:
    script = Script(said("", "get_account"))

    async def leave() -> None:
        reception = staffed(script)
        async with aclosing(reception.converse("desk", QUESTION)) as events:
            assert isinstance(await anext(events), ToolStarted)
            assert isinstance(await anext(events), ToolEnded)
            async with aclosing(with_pauses(events, 0.01)) as paced:
                assert await anext(paced) is None
        assert script.left_alone
        await asyncio.gather(*(_one(reception) for _ in range(AT_ONCE)))  # every place in the line is free again

    async def _one(reception: Reception) -> None:
        script.lines.append(said())
        assert (await reception.talk("desk", QUESTION)).text == "All is well."

    asyncio.run(leave())


def test_when_all_who_may_are_talking_the_next_is_told_so() -> None:
    async def crowd() -> Heard:
        reception = staffed(Script())
        talking = [reception.converse("desk", QUESTION) for _ in range(AT_ONCE)]
        waiting = [asyncio.ensure_future(anext(one)) for one in talking]
        await asyncio.sleep(0)
        last = [event async for event in reception.converse("desk", QUESTION)]
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        (only,) = last
        return only

    failed = asyncio.run(crowd())
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ReceptionBusy)


@pytest.mark.parametrize("text", ["", "word", "a " * 200, "x" * 1_000, "  lead and trail  ", "[d-0123456789] " * 9])
def test_pieces_are_the_text_again(text: str) -> None:
    found = [piece.text for piece in pieces(text)]
    assert "".join(found) == text
    assert all(found)
    assert len(found) >= len(text) // 100
