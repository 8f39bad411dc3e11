"""List prices of models, for what a call may cost at most before it is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from agents.llm.runtime import litellm_module
from trading.domain.money import decimal_from_float

_RATE = re.compile(
    r"(?P<kind>input|cache_creation_input|output)_(?:cost_per_(?:reasoning_)?token|token_cost)"
    r"(?:_above_1hr)?(?:_above_(?P<thousands>\d+)k_tokens)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The dearest rates that apply to a call, in dollars a token."""

    usd_in: Decimal
    usd_out: Decimal


PriceList = Callable[[str, int], Price | None]
"""The price of a model for a prompt of so many tokens; None where it is not known."""


def list_price(model: str, prompt_tokens: int) -> Price | None:
    """From LiteLLM's local price list: writing to a prompt cache, reasoning and long prompts at their own rates."""
    rates = _rates(model)
    if rates is None:
        return None
    dearest = {"in": Decimal(0), "out": Decimal(0)}
    for side, above, usd in rates:
        if prompt_tokens > above:
            dearest[side] = max(dearest[side], usd)
    return Price(usd_in=dearest["in"], usd_out=dearest["out"])


def most_output_tokens(model: str) -> int | None:
    """How many tokens the model can write at once, None where that is not known."""
    row = _row(model)
    most = None if row is None else row.get("max_output_tokens")
    return int(most) if isinstance(most, int | float) and most > 0 else None


@cache
def _rates(model: str) -> tuple[tuple[str, int, Decimal], ...] | None:
    row = _row(model)
    if row is None or row.get("input_cost_per_token") is None:
        return None
    found = []
    for name, usd in row.items():
        match = _RATE.fullmatch(name)
        if match and isinstance(usd, int | float):
            side = "out" if match["kind"] == "output" else "in"
            above = int(match["thousands"]) * 1000 if match["thousands"] else -1
            found.append((side, above, decimal_from_float(usd)))
    return tuple(found)


def _row(model: str) -> Mapping[str, Any] | None:
    listed: Mapping[str, Mapping[str, Any]] = litellm_module().model_cost
    return listed.get(model) or listed.get(model.split("/", 1)[-1])
