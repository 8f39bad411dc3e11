"""What a call costs by the maker's own books: tokens counted from the text, dollars from a price list.

The prices stand here a second time on purpose: totals are compared with what LiteLLM's price list makes of the usage.
"""

import json
from dataclasses import dataclass

from tests.wire.talk import Ask, Reply

_CHARS_PER_TOKEN = 4
THINKING_TOKENS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a call. ``prompt`` includes what was read from and written to a cache, ``completion`` the thinking."""

    prompt: int
    completion: int
    cached: int = 0
    cache_written: int = 0
    thinking: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens."""

    prompt: float
    completion: float
    cached: float
    cache_written: float = 0.0

    def usd(self, usage: Usage) -> float:
        """What ``usage`` costs."""
        plain = usage.prompt - usage.cached - usage.cache_written
        cached = usage.cached * self.cached + usage.cache_written * self.cache_written
        return (plain * self.prompt + cached + usage.completion * self.completion) / 1e6


PRICES = {
    "gpt-5.4-mini": Price(prompt=0.75, completion=4.5, cached=0.075),
    "claude-haiku-5-5": Price(prompt=0.1, completion=0.5, cached=0.01, cache_written=0.125),
    "gemini-3.8-flash": Price(prompt=0.75, completion=3.75, cached=0.075),
    "grok-4.20-reasoning-gv2": Price(prompt=1.25, completion=2.5, cached=0.2),
    "mistral-large-latest": Price(prompt=0.5, completion=1.5, cached=0.05),
    "llama3.1": Price(prompt=0.0, completion=0.0, cached=0.0),
}
"""Prices by the model's name on the wire. DeepSeek is left out: its prices change with the hour of the day."""


def usage_of(ask: Ask, reply: Reply, *, caches: bool, thinks: bool) -> Usage:
    """The tokens of a call.

    ``caches``: what an earlier request of the conversation held is read from the cache unasked. A request that marks
    cache points reads it too, and pays for writing the rest. A blocked prompt has no completion.
    """
    lengths = [len(said.text) for said in ask.said]
    tools = sum(len(offer.name) + len(json.dumps(offer.parameters)) for offer in ask.offers)
    prompt = _tokens(sum(lengths) + tools)
    turns = [number for number, said in enumerate(ask.said) if said.role == "assistant"]
    cached = _tokens(sum(lengths[: turns[-1]])) if turns and (caches or ask.marks_cache) else 0
    spoken = len(reply.text) + sum(len(call.name) + len(call.arguments_json) for call in reply.calls)
    thinking = THINKING_TOKENS if thinks and not reply.blocked else 0
    return Usage(
        prompt=prompt,
        completion=0 if reply.blocked else _tokens(spoken) + thinking,
        cached=cached,
        cache_written=prompt - cached if ask.marks_cache else 0,
        thinking=thinking,
    )


def usd_of(model: str, usage: Usage) -> float | None:
    """The price of a call in dollars, None for a model that is not on the list."""
    price = PRICES.get(model)
    return None if price is None else price.usd(usage)


def _tokens(chars: int) -> int:
    return max(1, chars // _CHARS_PER_TOKEN)
