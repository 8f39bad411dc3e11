"""What a model's tokens cost, in dollars a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from agents.llm.runtime import litellm_module


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars a token. Reasoning tokens are billed as output, cached ones as said here or else as input."""

    input_usd: float = 0.0
    output_usd: float = 0.0
    cache_read_usd: float | None = None
    cache_write_usd: float | None = None

    @classmethod
    def listed(cls, litellm_id: str, provider: str | None) -> Self | None:
        """The base price on LiteLLM's list, None for a model that is not on it. Surcharges for length are left out."""
        listed: Mapping[str, Mapping[str, Any]] = litellm_module().model_cost
        for row in (listed.get(litellm_id), listed.get(litellm_id.split("/", 1)[-1])):
            if row is None or row.get("input_cost_per_token") is None or row.get("litellm_provider") != provider:
                continue
            return cls(
                input_usd=float(row["input_cost_per_token"]),
                output_usd=float(row.get("output_cost_per_token") or 0.0),
                cache_read_usd=row.get("cache_read_input_token_cost"),
                cache_write_usd=row.get("cache_creation_input_token_cost"),
            )
        return None

    def usd(self, *, tokens_in: int, tokens_out: int, cache_read: int = 0, cache_written: int = 0) -> float:
        """What a call costs. ``tokens_in`` includes the cached tokens, ``tokens_out`` the reasoning."""
        read_usd = self.input_usd if self.cache_read_usd is None else self.cache_read_usd
        write_usd = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        plain = tokens_in - cache_read - cache_written
        return plain * self.input_usd + cache_read * read_usd + cache_written * write_usd + tokens_out * self.output_usd
