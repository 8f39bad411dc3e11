"""The most that a model's tokens can cost: what is held for a call before it is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from agents.llm.catalogue import catalogue
from agents.llm.runtime import litellm_module
from trading.domain.money import decimal_from_float

_RATE = re.compile(
    r"(?P<kind>input|cache_creation_input|output)_(?:cost_per_(?:reasoning_)?token|token_cost)"
    r"(?:_above_1hr)?(?:_above_(?P<thousands>\d+)k_tokens)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The dearest rates that may apply to a call, in dollars a token."""

    usd_in: Decimal
    usd_out: Decimal


Ceilings = Callable[[str, int], Ceiling | None]
"""The dearest rates of a model for a prompt of so many tokens; None where its price is not known."""


def price_ceiling(model: str, prompt_tokens: int) -> Ceiling | None:
    """From the catalogue's price, else LiteLLM's list with its surcharges: cache writes, reasoning, long prompts."""
    stated = catalogue().stated_price(model)
    if stated is not None:
        dearest_in = max(stated.input_usd, stated.cache_write_usd or 0.0)
        return Ceiling(usd_in=decimal_from_float(dearest_in), usd_out=decimal_from_float(stated.output_usd))
    rates = _listed(model)
    if rates is None:
        return None
    return Ceiling(
        **{
            side: max((usd for kind, above, usd in rates if kind == side and prompt_tokens > above), default=Decimal(0))
            for side in ("usd_in", "usd_out")
        }
    )


@cache
def _listed(model: str) -> tuple[tuple[str, int, Decimal], ...] | None:
    """Every rate on LiteLLM's list: for which side, from how many tokens of prompt on, how much a token."""
    known = catalogue()
    if known.price(model) is None:
        return None
    listed: Mapping[str, Mapping[str, Any]] = litellm_module().model_cost
    litellm_id = known.litellm_id(model)
    row = listed.get(litellm_id) or listed[litellm_id.split("/", 1)[-1]]
    found = []
    for name, usd in row.items():
        match = _RATE.fullmatch(name)
        if match and isinstance(usd, int | float):
            side = "usd_out" if match["kind"] == "output" else "usd_in"
            above = int(match["thousands"]) * 1000 if match["thousands"] else -1
            found.append((side, above, decimal_from_float(usd)))
    return tuple(found)
