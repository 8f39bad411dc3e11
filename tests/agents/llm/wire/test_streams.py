"""Answers that are heard while they are written: through LiteLLM's own code, on every wire format."""

import asyncio
import json
from dataclasses import replace

import pytest

from agents.llm import Budget, Cassette, CassetteStore, CompletionRequest, Purse
from agents.llm.catalogue import Catalogue
from agents.turn import MAX_ANSWER_TOKENS
from tests.agents.llm.wire.desk import MODELS, gateway
from tests.wire import Fault, FaultPlan, Gate
from trading.domain.errors import CassetteMiss, ModelFailure

pytestmark = pytest.mark.asyncio(loop_scope="module")
EACH = pytest.mark.parametrize("maker", sorted(MODELS))
WAIT_S = 200
SYMBOL = "-".join(["BTC", "OF", "A", "NAME", "THAT", "DOES", "NOT", "FIT", "INTO", "ONE", "CHUNK"] * 2)
RUBBISH = {
    "openai": b"data: {broken\n\n",
    "anthropic": b"event: content_block_delta\ndata: [7]\n\n",
    "gemini": b"data: [7]\r\n\r\n",
    "ollama": b"[7]\n",
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_news",
        "description": "Reads.",
        "parameters": {"type": "object", "properties": {"instrument": {"type": "string"}}, "required": ["instrument"]},
    },
}


class Ear:
    """Who listens, and notices the first piece."""

    def __init__(self):
        self.heard = []
        self.first = asyncio.Event()

    def __call__(self, piece):
        self.heard.append(piece)
        self.first.set()

    @property
    def text(self):
        return "".join(self.heard)


def request(maker, hear, **how):
    """A question in free text, whose answer ``hear`` listens to."""
    facts = json.dumps({"instruments": [{"symbol": SYMBOL}]})
    asked = CompletionRequest(
        model=MODELS[maker],
        messages=[{"role": "user", "content": f'<facts name="facts">\n{facts}\n</facts>'}],
        tools=(),
        tool_choice="none",
        response_format={"type": "text"},
        seed=1,
        timeout_s=60.0,
        prompt_sha256="p",
        tools_sha256="t",
        max_tokens=MAX_ANSWER_TOKENS,
        epoch="desk@2026-01-01T00:00:00Z",
        metadata={"desk": "desk", "role": "desk"},
        hear=hear,
    )
    return replace(asked, **how)


async def failure_of(asked, through=None):
    with pytest.raises(ModelFailure) as caught:
        await (through or gateway()).complete(asked)
    return caught.value


def spoken(pieces):
    """How many pieces it takes until words of the answer are out."""
    return next(number for number, piece in enumerate(pieces, 1) if b"has read" in piece)


def inserted(*more, before=False):
    """A staging with something more once words are out, or right before them."""
    return lambda pieces: [*pieces[: (at := spoken(pieces) - before)], *more, *pieces[at:]]


def in_turn(*stagings):
    """A staging for each call, the last one for all that follow."""
    left = list(stagings)

    def next_one(pieces):
        staging = left.pop(0) if len(left) > 1 else left[0]
        return staging(pieces)

    return next_one


async def until(true):
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110  # it comes true in another thread
            await asyncio.sleep(0.01)


@EACH
async def test_a_streamed_answer_is_the_whole_one_with_its_usage_and_price(makers, maker):
    ear = Ear()
    whole = await gateway().complete(request(maker, None))
    streamed = await gateway().complete(request(maker, ear))
    assert ear.text == streamed.content == whole.content != ""
    assert [call.streamed for call in makers[maker].ledger.calls] == [False, True]
    for field in ("tokens_in", "tokens_out", "finish_reason", "refusal"):
        assert getattr(streamed, field) == getattr(whole, field)
    assert MODELS[maker].endswith(streamed.model_answered)
    assert streamed.tokens_in > 0
    assert streamed.usd == pytest.approx(whole.usd, abs=1e-15)
    assert [attempt.outcome for attempt in streamed.attempts] == ["ok"]


@EACH
async def test_the_first_piece_is_heard_before_the_server_has_sent_the_last(makers, maker):
    gate, ear = Gate(), Ear()
    makers[maker].staging = inserted(gate)
    asking = asyncio.create_task(gateway().complete(request(maker, ear)))
    await asyncio.wait_for(ear.first.wait(), WAIT_S)
    assert "has read" in ear.text
    assert not asking.done()
    gate.open()
    assert (await asyncio.wait_for(asking, WAIT_S)).content == ear.text


@EACH
async def test_whoever_stops_listening_hangs_up_on_the_maker(makers, maker):
    ear = Ear()
    makers[maker].staging = inserted(Gate())
    asking = asyncio.create_task(gateway().complete(request(maker, ear)))
    await asyncio.wait_for(ear.first.wait(), WAIT_S)
    assert makers[maker].ledger.calls[0].delivered
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: not makers[maker].ledger.calls[0].delivered)


@EACH
async def test_tool_calls_that_come_in_parts_are_put_together(makers, maker):
    parts, ear = [], Ear()

    def count(pieces):
        parts.extend(pieces)
        return pieces

    makers[maker].staging = count
    asked = request(maker, ear, tools=[TOOL], tool_choice="auto")
    streamed, whole = await gateway().complete(asked), await gateway().complete(replace(asked, hear=None))
    (call,) = streamed.tool_requests
    assert (call.name, json.loads(call.arguments_json)) == ("get_news", {"instrument": SYMBOL})
    if maker in ("openai", "anthropic"):
        assert not any(SYMBOL.encode() in part for part in parts), "it is split over chunks"
    assert (streamed.content, ear.heard) == ("", [])
    assert (streamed.tokens_in, streamed.tokens_out) == (whole.tokens_in, whole.tokens_out)


CUT = {
    "cut": lambda pieces: pieces[: spoken(pieces)],
    "cut in a chunk": lambda pieces: [*pieces[: spoken(pieces)], pieces[-1][: len(pieces[-1]) // 3]],
}


@EACH
@pytest.mark.parametrize("how", ["reset", "rubbish", *CUT])
async def test_an_answer_that_breaks_off_once_it_was_heard_fails_and_nobody_else_is_asked(makers, maker, how):
    if how == "reset":
        makers[maker].faults = FaultPlan([Fault.RESET])
    else:
        makers[maker].staging = inserted(RUBBISH[maker]) if how == "rubbish" else CUT[how]
    ear = Ear()
    failure = await failure_of(request(maker, ear, fallbacks=("house/momentum",)))
    assert "has read" in ear.text
    assert failure.reason in ("unavailable", "garbled")
    assert str(failure).endswith("in the middle of its answer")
    assert [attempt.model for attempt in failure.attempts] == [MODELS[maker]]
    assert failure.attempts[0].tokens_in is None, "nobody knows what was billed"
    assert len(makers[maker].ledger.calls) == 1


@EACH
@pytest.mark.parametrize("how", ["500", "reset before a word", "rubbish"])
async def test_what_breaks_before_a_word_was_heard_is_asked_again(makers, maker, how):
    makers[maker].faults = FaultPlan([Fault.SERVER_ERROR] if how == "500" else [])
    broken = {"500": list, "rubbish": inserted(RUBBISH[maker], before=True), "reset before a word": lambda _: []}[how]
    makers[maker].staging = list if how == "500" else in_turn(broken, list)
    ear = Ear()
    answer = await gateway().complete(request(maker, ear))
    assert answer.content == ear.text
    assert ear.text.count("has read") == 1
    assert [attempt.outcome == "ok" for attempt in answer.attempts] == [False, True]


async def test_an_error_inside_a_stream_tells_nothing_of_the_providers_words(makers):
    body = {"error": {"message": f"Incorrect API key provided: {makers['openai'].api_key}.", "code": 401}}
    makers["openai"].staging = inserted(b"data: " + json.dumps(body).encode() + b"\n\n")
    failure = await failure_of(request("openai", Ear()))
    assert makers["openai"].api_key not in f"{failure!r} {failure} {failure.attempts}"


async def test_a_first_word_that_does_not_come_in_time_is_asked_for_again(makers, monkeypatch):
    first_word_within(monkeypatch, 0.3)
    makers["openai"].staging = inserted(Gate(), before=True)
    failure = await failure_of(request("openai", Ear()), through=gateway(attempts=2))
    assert (failure.reason, [attempt.outcome for attempt in failure.attempts]) == ("timeout", ["timeout"] * 2)
    assert "no answer within 0.3 s" in str(failure)
    assert "middle" not in str(failure)


def first_word_within(monkeypatch, first_s):
    patient = Catalogue.pace
    monkeypatch.setattr(Catalogue, "pace", lambda *who: patient(*who).model_copy(update={"first_s": first_s}))


async def test_thoughts_are_a_sign_of_life_and_no_part_of_the_answer(makers, monkeypatch):
    thought = {"index": 0, "delta": {"reasoning_content": "Hm, let me see."}, "finish_reason": None}
    row = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.4-mini", "choices": [thought]}
    for first_s in (0.5, 2.0, 8.0, 32.0):  # a machine at work on other tests may be slow
        gate, ear = Gate(), Ear()
        makers["openai"].staging = inserted(b"data: " + json.dumps(row).encode() + b"\n\n", gate, before=True)
        first_word_within(monkeypatch, first_s)
        asking = asyncio.create_task(gateway(attempts=1).complete(request("openai", ear)))
        done, _ = await asyncio.wait({asking}, timeout=first_s + 0.2)
        gate.open()
        if not done:
            break
    answer = await asyncio.wait_for(asking, WAIT_S)
    assert answer.content == ear.text
    assert "has read" in ear.text
    assert "Hm" not in ear.text


async def test_a_deadline_in_the_middle_of_an_answer_says_so(makers):
    makers["openai"].staging = inserted(Gate())
    for timeout_s in (0.5, 2.0, 8.0, 32.0):
        ear = Ear()
        failure = await failure_of(request("openai", ear, timeout_s=timeout_s), through=gateway(attempts=1))
        assert failure.reason == "timeout"
        if ear.heard:
            break
    assert str(failure).endswith("in the middle of its answer")
    assert len(failure.attempts) == 1


async def test_usage_that_is_not_told_is_unknown_and_not_guessed(makers):
    makers["openai"].staging = lambda pieces: [piece for piece in pieces if b'"prompt_tokens"' not in piece]
    answer = await gateway().complete(request("openai", Ear()))
    assert "has read" in answer.content
    assert (answer.tokens_in, answer.tokens_out, answer.usd) == (None, None, None)


async def test_a_model_that_declines_is_heard_to_say_nothing(makers):
    makers["openai"].faults = FaultPlan([Fault.REFUSAL])
    answer = await gateway().complete(request("openai", ear := Ear()))
    assert "can't help" in answer.refusal
    assert (ear.heard, answer.content) == ([], "")


async def test_a_provider_that_takes_no_stream_is_asked_for_the_whole(makers):
    makers["openai"].faults = FaultPlan([Fault.BAD_REQUEST])
    answer = await gateway().complete(request("openai", ear := Ear()))
    assert "has read" in answer.content
    assert ear.heard == []
    assert [call.streamed for call in makers["openai"].ledger.calls] == [True, False]


async def test_a_cassette_holds_the_whole_answer_and_replays_it(makers, tmp_path):
    ear, later = Ear(), Ear()
    with CassetteStore(tmp_path / "cassette.sqlite", writable=True) as store:
        recorded = await Cassette(gateway().complete, store, "auto").complete(request("openai", ear))
        replay = Cassette(gateway().complete, store, "replay")
        assert await replay.complete(request("openai", later)) == recorded
        assert await replay.complete(request("openai", None)) == recorded
        with pytest.raises(CassetteMiss):
            await replay.complete(request("openai", later, seed=2))
    assert recorded.content == ear.text
    assert later.heard == [], "what was recorded comes at once"
    assert len(makers["openai"].ledger.calls) == 1


async def test_a_budget_counts_a_stream_as_it_counts_a_whole_answer(makers):
    purse = Purse("season's", tokens=100_000)
    await Budget(gateway().complete, season=purse, desks={}).complete(request("openai", Ear()))
    (call,) = makers["openai"].ledger.calls
    assert purse.spent.tokens == call.usage.prompt + call.usage.completion
    assert float(purse.spent.usd) == pytest.approx(call.usd)
    assert purse.held.tokens == 0


async def test_only_free_text_is_heard(makers):
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}}}
    await gateway().complete(request("openai", ear := Ear(), response_format=schema))
    assert ear.heard == []
    assert [call.streamed for call in makers["openai"].ledger.calls] == [False]
