"""The rules of a season as its file states them: fixed before it starts, and the same for every desk."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from arena.refusal import Refused
from arena.seasons.budget_rules import BudgetRules
from arena.seasons.cassette_rules import CassetteRules
from arena.seasons.desk_rules import Desk
from arena.seasons.fields import (
    DAY_MS,
    MINUTE_MS,
    Bps,
    Duration,
    Globs,
    Instant,
    Milliseconds,
    Slug,
    Symbol,
    Table,
    later,
    number,
    once_each,
)
from trading.domain.instants import duration_ms, iso, to_ms
from trading.domain.instrument import parse_symbol
from trading.domain.money import money_text


class Season(Table):
    """``[season]``: when, how often, with what. A round is decided at ``start`` and each ``every`` after it.

    ``deadline`` is how long a desk may think about a decision, by the wall clock. ``thinking_ms`` is how long it is
    taken to have thought in market time: its orders leave that much later.
    """

    name: Slug
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    start: Instant
    end: Instant
    every: Duration
    capital: Annotated[Decimal, BeforeValidator(number), Field(gt=0, le=10**12, allow_inf_nan=False)]
    mode: Literal["conservative", "balanced", "aggressive", "autonomous"] = "balanced"
    deadline: Duration | None = later(None)
    thinking_ms: Milliseconds = later(0)

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.every_ms % MINUTE_MS:
            raise Refused("every", f"found {self.every!r}, expected whole minutes, such as 5m or 1h")
        if self.end_ms <= self.start_ms:
            raise Refused("end", f"found {iso(self.end_ms)}, expected later than start, {iso(self.start_ms)}")
        grid = math.gcd(self.every_ms, DAY_MS)
        if self.start_ms % grid:
            raise Refused(
                "start", f"found {iso(self.start_ms)}, expected a multiple of {grid // MINUTE_MS} minutes (UTC)"
            )
        if not self.rounds:
            raise Refused("every", f"found {self.every!r}, expected at least one round before {iso(self.end_ms)}")
        return self

    @property
    def start_ms(self) -> int:
        """The first round, milliseconds since 1970 (UTC)."""
        return to_ms(self.start)

    @property
    def end_ms(self) -> int:
        """The end, which no round touches, milliseconds since 1970 (UTC)."""
        return to_ms(self.end)

    @property
    def every_ms(self) -> int:
        """From one round to the next."""
        return duration_ms(self.every)

    @property
    def deadline_s(self) -> float | None:
        """How long a decision may take by the wall clock, in seconds; None where the file leaves it open."""
        return duration_ms(self.deadline) / 1000 if self.deadline else None

    @property
    def rounds(self) -> int:
        """How many rounds are decided."""
        return (self.end_ms - self.start_ms) // self.every_ms


class Market(Table):
    """``[market]``: recorded candles (``replay``) or invented ones (``simulated``), and what is traded on them.

    ``paths`` and ``funding`` are file patterns relative to the data folder; ``step`` is the bar of a simulated market.
    """

    kind: Literal["simulated", "replay"]
    instruments: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=100), AfterValidator(once_each)]
    paths: Globs = ()
    funding: Globs = ()
    step: Duration | None = None

    @model_validator(mode="before")
    @classmethod
    def _known_kind(cls, table: Any) -> Any:
        kind = table.get("kind") if isinstance(table, Mapping) else None
        if kind in ("paper", "live"):
            raise Refused("kind", f"found {kind!r}; this version runs 'simulated' and 'replay' markets")
        return table

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        quotes = sorted({parse_symbol(symbol)[1] for symbol in self.instruments})
        if len(quotes) > 1:
            raise Refused("instruments", f"found the quote currencies {', '.join(quotes)}, expected one")
        if self.kind == "replay" and not self.paths:
            raise Refused("paths", "is missing; a replay market needs candle files, such as ['ohlcv/*/*-1h.parquet']")
        stray = {"replay": ("step",), "simulated": ("paths", "funding")}[self.kind]
        for name in stray:
            if getattr(self, name):
                raise Refused(name, f"belongs to another kind of market than {self.kind!r}; remove it")
        return self

    @property
    def step_ms(self) -> int | None:
        """Length of a simulated bar; None on recorded candles, whose files say it."""
        return duration_ms(self.step or "1h") if self.kind == "simulated" else None


class CostOverrides(Table):
    """``[costs]``: what replaces the venue's own. None means the venue's stands."""

    taker_fee_bps: Bps | None = None
    maker_fee_bps: Bps | None = None
    slippage_bps: Bps | None = None
    liquidation_fee_bps: Bps | None = None
    latency_ms: Milliseconds | None = None

    def given(self) -> dict[str, Decimal | int]:
        """Only what the season overrides."""
        return self.model_dump(exclude_none=True)


class SeasonRules(Table):
    """A whole season file. ``limits`` is checked where the house limits are known.

    ``cassette`` says where answers are kept, which is no rule of the contest: it is not part of ``rules_sha256``.
    """

    season: Season
    market: Market
    costs: CostOverrides = CostOverrides()
    limits: dict[str, Any] = Field(default_factory=dict)
    budget: BudgetRules | None = later(None)
    cassette: CassetteRules = Field(default=CassetteRules(), exclude=True)
    desks: Annotated[tuple[Desk, ...], Field(alias="desk", min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [desk.name for desk in self.desks]
        for name in names:
            if names.count(name) > 1:
                raise Refused("desk", f"the name {name!r} stands there {names.count(name)} times, expected once")
        step_ms = self.market.step_ms
        if step_ms and self.season.every_ms % step_ms:
            step = self.market.step or "1h"
            raise Refused("season.every", f"found {self.season.every!r}, expected a multiple of market.step, {step!r}")
        if self.budget and not self.budget.limited and not any(desk.limited for desk in self.desks):
            raise Refused("budget", "limits nothing; set budget.usd, budget.tokens, or a desk's budget_usd")
        return self

    def every_model(self) -> tuple[str, ...]:
        """Each model that the season may ask, once."""
        cheaper = self.budget.degrade.models.given().values() if self.budget and self.budget.degrade else ()
        return tuple(dict.fromkeys((*(model for desk in self.desks for model in desk.every_model()), *cheaper)))

    @cached_property
    def rules_sha256(self) -> str:
        """Identifies the rules by content: the order of keys, zones and trailing zeros make no difference."""
        text = json.dumps(_canonical(self.model_dump(by_alias=True)), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _canonical(part) for key, part in value.items()}
        case list() | tuple():
            return [_canonical(part) for part in value]
        case datetime():
            return iso(to_ms(value))
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            return money_text(Decimal(str(value)))
        case _:
            return str(value)
