"""Four makers on loopback with LiteLLM pointed at them, and the questions a desk asks."""

import socket
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import Any

import pytest
import pytest_asyncio

from agents.llm.runtime import litellm_module
from agents.roles.analyst import SPEC as ANALYST
from tests.wire import FaultPlan, Makers, serve_makers
from tests.wire.callers import MODELS, TIMEOUT_S, Ask
from tests.wire.loopback import HOST


@pytest.fixture(scope="module")
def served() -> Iterator[Makers]:
    """One maker of each wire format; the environment leads to them, and nothing asks for any other host."""
    strangers: list[object] = []
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != HOST:
            strangers.append(host)
            raise socket.gaierror(f"{host!r} looked up in a test of loopback servers")
        return resolve(host, *arguments, **options)

    with serve_makers(*MODELS) as makers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve_here)
        patch.setenv("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")  # it fetches a list of them otherwise
        for name, value in makers.environment.items():
            patch.setenv(name, value)
        yield makers
    assert strangers == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients_closed(served: Makers) -> AsyncIterator[None]:
    """Closes LiteLLM's connections in the loop that opened them."""
    yield
    await litellm_module().close_litellm_async_clients()


@pytest.fixture
def makers(served: Makers, clients_closed: None) -> Makers:
    """The makers with nothing in their ledgers and nothing going wrong."""
    for maker in served.values():
        maker.faults = FaultPlan()
        maker.latency_s = 0.0
        maker.ledger.clear()
    return served


@pytest.fixture
def ask() -> Ask:
    """One call through LiteLLM's provider code; ``stream=True`` gives the chunks put together again."""
    litellm = litellm_module()

    async def call(maker: str, messages: list[dict[str, Any]], **options: Any) -> Any:
        if options.get("stream"):
            options["stream_options"] = {"include_usage": True}
        response = await litellm.acompletion(
            model=MODELS.get(maker, maker),
            messages=messages,
            timeout=TIMEOUT_S,
            num_retries=0,
            _skip_mcp_handler=True,
            **options,
        )
        if options.get("stream"):
            chunks = [chunk async for chunk in response]
            return litellm.stream_chunk_builder(chunks, messages=messages)
        return response

    return call


@pytest.fixture
def question() -> list[dict[str, Any]]:
    """What an analyst is asked."""
    facts = '<facts name="facts">\n{"instruments":[{"symbol":"BTC-USDT-PERP","lot":"0.001"}]}\n</facts>'
    return [
        {"role": "system", "content": "You are the analyst of a trading desk. Answer with one JSON object."},
        {"role": "user", "content": f"The round:\n{facts}"},
    ]


@pytest.fixture
def desk_options() -> dict[str, Any]:
    """Tools and answer format as a desk sends them with every call."""
    quote = {"type": "object", "properties": {"instrument": {"type": "string"}}, "required": ["instrument"]}
    nothing: dict[str, Any] = {"type": "object", "properties": {}}
    tools = [("get_indicators", nothing), ("get_quote", quote)]
    return {
        "tools": [
            {"type": "function", "function": {"name": name, "description": "Reads.", "parameters": parameters}}
            for name, parameters in tools
        ],
        "tool_choice": "auto",
        "response_format": deepcopy(ANALYST.answer_format.response_format),  # LiteLLM changes what it is given
        "seed": 3,
    }
