"""What LiteLLM makes of each fault. A gateway rests on this table, so it is held here fault by fault."""

import asyncio
import time
from typing import Any

import openai
import pytest

from agents.schemas import AnalystReport
from tests.wire import LONG_TEXT_BYTES, RETRY_AFTER_S, UNKNOWN_TOOL, Fault, FaultPlan, Makers
from tests.wire.callers import MODELS, THROUGH_LITELLM, TIMEOUT_S, Ask

pytestmark = THROUGH_LITELLM

EACH = pytest.mark.parametrize("maker", MODELS)

RAISED: dict[Fault, tuple[str, int | None] | dict[str, tuple[str, int | None]]] = {
    Fault.RATE_LIMITED: ("RateLimitError", 429),
    Fault.RATE_LIMITED_RETRY_AFTER: ("RateLimitError", 429),
    Fault.SERVER_ERROR: ("InternalServerError", 500),
    Fault.UNAVAILABLE: {
        "openai": ("ServiceUnavailableError", 503),
        "anthropic": ("ServiceUnavailableError", 503),
        "gemini": ("InternalServerError", 500),
        "ollama": ("ServiceUnavailableError", 503),
    },
    Fault.OVERLOADED: {
        "openai": ("APIError", 529),
        "anthropic": ("InternalServerError", 500),
        "gemini": ("APIError", 529),
        "ollama": ("APIError", 529),
    },
    Fault.BAD_KEY: ("AuthenticationError", 401),
    Fault.UNKNOWN_MODEL: ("NotFoundError", 404),
    Fault.BAD_REQUEST: ("BadRequestError", 400),
    Fault.CONTEXT_WINDOW: {
        "openai": ("ContextWindowExceededError", 400),
        "anthropic": ("ContextWindowExceededError", 400),
        "gemini": ("ContextWindowExceededError", 400),
        "ollama": ("BadRequestError", 400),
    },
    Fault.ERROR_IN_200: {
        "openai": ("APIError", None),
        "anthropic": ("APIConnectionError", 500),
        "gemini": ("BadRequestError", 422),
        "ollama": ("APIConnectionError", 500),
    },
    Fault.HANG: ("Timeout", 408),
    Fault.RESET: {
        "openai": ("InternalServerError", 500),
        "anthropic": ("InternalServerError", 500),
        "gemini": ("APIConnectionError", 500),
        "ollama": ("APIConnectionError", 500),
    },
    Fault.TRUNCATED_BODY: {
        "openai": ("InternalServerError", 500),
        "anthropic": ("APIConnectionError", 500),
        "gemini": ("BadRequestError", 422),
        "ollama": ("APIConnectionError", 500),
    },
}


@EACH
@pytest.mark.parametrize("fault", RAISED)
async def test_what_fails_is_raised_once_and_bills_nothing(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, fault: Fault
) -> None:
    makers[maker].faults = FaultPlan.always(fault)
    expected = RAISED[fault]
    name, status = expected[maker] if isinstance(expected, dict) else expected
    started = time.perf_counter()
    with pytest.raises(openai.OpenAIError) as caught:
        await ask(maker, question, **desk_options)
    assert (type(caught.value).__name__, getattr(caught.value, "status_code", None)) == (name, status)
    if fault is Fault.HANG:
        assert TIMEOUT_S <= time.perf_counter() - started < TIMEOUT_S + 5
    (call,) = await asyncio.to_thread(makers[maker].ledger.wait_for_calls, 1)
    assert (call.fault, call.delivered) == (fault, False)
    assert makers[maker].ledger.totals().calls == 0


@EACH
async def test_retry_after_comes_with_the_exception(makers: Makers, ask: Ask, question: Any, maker: str) -> None:
    for fault, expected in ((Fault.RATE_LIMITED, None), (Fault.RATE_LIMITED_RETRY_AFTER, str(RETRY_AFTER_S))):
        makers[maker].faults = FaultPlan.always(fault)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(maker, question)
        assert caught.value.litellm_response_headers.get("retry-after") == expected  # type: ignore[attr-defined]


@EACH
@pytest.mark.parametrize(
    ("fault", "content"),
    [
        (Fault.TRUNCATED_ANSWER, '{"summary": "0 scored by momentum."'),
        (Fault.WRONG_TYPES, '{"summary": 7, "signals": "none", "confidence": "high"}'),
        (Fault.OFF_SCHEMA, '{"recommendation": "BUY", "conviction": "strong"}'),
        (Fault.EMPTY, ""),
    ],
)
async def test_answers_that_cannot_be_used_arrive_as_they_are(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, fault: Fault, content: str
) -> None:
    makers[maker].faults = FaultPlan.always(fault)
    response = await ask(maker, question, **desk_options)
    assert (response.choices[0].message.content or "") == content
    assert not response.choices[0].message.tool_calls
    assert response.choices[0].finish_reason == ("length" if fault is Fault.TRUNCATED_ANSWER else "stop")
    assert makers[maker].ledger.totals().tokens_out == response.usage.completion_tokens


@EACH
async def test_a_fence_stands_around_a_good_answer(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str
) -> None:
    makers[maker].faults = FaultPlan.always(Fault.FENCED)
    text = (await ask(maker, question, **desk_options)).choices[0].message.content
    assert text.startswith("```json\n")
    assert text.endswith("\n```")
    AnalystReport.model_validate_json(text[8:-4])


@EACH
async def test_long_text_is_long(makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str) -> None:
    makers[maker].faults = FaultPlan.always(Fault.LONG_TEXT)
    response = await ask(maker, question, **desk_options)
    assert len(response.choices[0].message.content.encode()) == LONG_TEXT_BYTES


@EACH
@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (Fault.UNKNOWN_TOOL, [UNKNOWN_TOOL]),
        (Fault.BAD_ARGUMENTS, ["get_indicators"]),
        (Fault.TWO_CALLS, ["get_indicators", "get_quote"]),
    ],
)
async def test_faulty_calls_of_tools_arrive_as_calls(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, fault: Fault, names: list[str]
) -> None:
    makers[maker].faults = FaultPlan.always(fault)
    calls = (await ask(maker, question, **desk_options)).choices[0].message.tool_calls
    assert [call.function.name for call in calls] == names
    if fault is Fault.BAD_ARGUMENTS:
        assert '"count"' in calls[0].function.arguments


async def test_a_refusal_looks_different_with_every_maker(
    makers: Makers, ask: Ask, question: Any, desk_options: Any
) -> None:
    found = {}
    for maker in MODELS:
        makers[maker].faults = FaultPlan.always(Fault.REFUSAL)
        choice = (await ask(maker, question, **desk_options)).choices[0]
        said = (choice.message.get("provider_specific_fields") or {}).get("refusal")
        found[maker] = (choice.finish_reason, choice.message.content, said)
    words = "I'm sorry, but I can't help with that."
    assert found == {
        "openai": ("stop", None, words),
        "anthropic": ("content_filter", None, None),
        "gemini": ("content_filter", None, None),
        "ollama": ("stop", words, None),
    }


async def test_a_content_filter_stops_the_answer(makers: Makers, ask: Ask, question: Any) -> None:
    for maker in ("openai", "anthropic", "gemini"):
        makers[maker].faults = FaultPlan.always(Fault.FILTERED)
        response = await ask(maker, question)
        assert response.choices[0].finish_reason == "content_filter"
        (served,) = makers[maker].ledger.calls
        assert served.usage is not None
        # Of a filtered answer of Gemini's, LiteLLM keeps the thinking only in the total.
        assert response.usage.total_tokens == served.usage.prompt + served.usage.completion


@pytest.mark.parametrize("maker", ["openai", "anthropic", "gemini"])
async def test_a_stream_that_breaks_off_passes_for_a_whole_one(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str
) -> None:
    makers[maker].faults = FaultPlan.always(Fault.TRUNCATED_BODY)
    response = await ask(maker, question, stream=True, **desk_options)
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.completion_tokens != makers[maker].ledger.calls[0].usage.completion  # type: ignore[union-attr]


@EACH
async def test_a_reset_stream_is_raised(makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str) -> None:
    makers[maker].faults = FaultPlan.always(Fault.RESET)
    with pytest.raises(openai.OpenAIError) as caught:
        await ask(maker, question, stream=True, **desk_options)
    assert type(caught.value).__name__ == "MidStreamFallbackError"


@EACH
async def test_a_caller_that_gives_up_is_noticed(makers: Makers, ask: Ask, question: Any, maker: str) -> None:
    makers[maker].latency_s = 60.0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ask(maker, question)
    (call,) = await asyncio.to_thread(makers[maker].ledger.wait_for_calls, 1)
    assert (call.kind, call.delivered, call.fault) == ("none", False, None)
