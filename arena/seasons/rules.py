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
    ON_RECORD,
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
from arena.seasons.guard_rules import AlertTable, BreakerTable
from arena.seasons.memory_rules import MemoryRules, Mode, named_model
from arena.seasons.stop_rules import Stops
from trading.domain.instants import duration_ms, iso, to_ms
from trading.domain.instrument import parse_symbol
from trading.domain.money import money_text

_BESIDE = {"books": "prices", "sentiment": "dates", "news": "names"}
"""What is recorded beside candles, and what it would show of a market under a mask."""


class Season(Table):
    """``[season]``: when, how often, with what. A round is decided at ``start`` and each ``every`` after it.

    ``deadline`` is how long a desk may think about a decision, by the wall clock. ``thinking_ms`` is how long it is
    taken to have thought in market time: its orders leave that much later. ``approval_deadline`` is how long a
    proposal waits for a person by the wall clock, where the mode asks one.
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
    approval_deadline: Duration | None = later(None)

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
        if self.approval_deadline and self.mode != "conservative":
            raise Refused("approval_deadline", f"nobody is asked in mode {self.mode!r}; remove it, or be conservative")
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
    def approval_deadline_ms(self) -> int | None:
        """How long a proposal waits for a person by the wall clock; None where the file leaves it open."""
        return duration_ms(self.approval_deadline) if self.approval_deadline else None

    @property
    def rounds(self) -> int:
        """How many rounds are decided."""
        return (self.end_ms - self.start_ms) // self.every_ms


class Market(Table):
    """``[market]``: recorded candles (``replay``) or invented ones (``simulated``), and what is traded on them.

    ``paths`` and ``funding`` are file patterns relative to the data folder; ``step`` is the bar of a market that is not
    recorded. ``paper`` follows the exchange ``venue`` (a name of ccxt) as it trades, with simulated fills; ``live``
    sends real orders to it, or with ``testnet`` to its market for practice.
    With ``mask``, a seed, desks see the market under other names, dates and price scales. ``books`` are patterns of
    recorded order books: where one covers a replay, orders meet it in the place of the candles. ``sentiment`` and
    ``news`` are patterns of recorded indices and labelled news, each known from its own instant on.
    """

    kind: Literal["simulated", "replay", "paper", "live"]
    instruments: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=100), AfterValidator(once_each)]
    paths: Globs = ()
    funding: Globs = ()
    step: Duration | None = None
    venue: Slug | None = later(None)
    testnet: bool = later(False)
    mask: Annotated[int, Field(strict=True, ge=0, lt=10**9)] | None = later(None)
    books: Globs = later(())
    sentiment: Globs = later(())
    news: Globs = later(())

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        quotes = sorted({parse_symbol(symbol)[1] for symbol in self.instruments})
        if len(quotes) > 1:
            raise Refused("instruments", f"found the quote currencies {', '.join(quotes)}, expected one")
        if self.kind == "replay" and not self.paths:
            raise Refused("paths", "is missing; a replay market needs candle files, such as ['ohlcv/*/*-1h.parquet']")
        if self.is_streamed and not self.venue:
            raise Refused("venue", f"is missing; a {self.kind} market follows an exchange, such as 'binance'")
        recorded = ("paths", "funding", *_BESIDE)
        stray = {"replay": ("step", "venue"), "simulated": ("venue", *recorded)}.get(self.kind, recorded)
        for name in stray:
            if getattr(self, name):
                raise Refused(name, f"belongs to another kind of market than {self.kind!r}; remove it")
        for name, shown in _BESIDE.items():
            if getattr(self, name) and self.mask is not None:
                raise Refused(name, f"would show the {shown} that [market] mask hides; remove one of the two")
        if self.testnet and self.kind != "live":
            raise Refused("testnet", f"is for orders that leave; a {self.kind} market sends none, so remove it")
        return self

    @property
    def is_streamed(self) -> bool:
        """Whether the market comes from an exchange while it trades."""
        return self.kind in ("paper", "live")

    @property
    def bar(self) -> str | None:
        """The timeframe of a bar; None on recorded candles, whose files say it."""
        if self.kind == "replay":
            return None
        return self.step or ("1m" if self.is_streamed else "1h")

    @property
    def step_ms(self) -> int | None:
        """Length of a bar; None on recorded candles, whose files say it."""
        return duration_ms(self.bar) if self.bar else None


class FeeTierRow(Table):
    """A row of ``fee_tiers``: fees from a turnover of the last thirty days on."""

    turnover: Annotated[Decimal, BeforeValidator(number), Field(ge=0)]
    taker_fee_bps: Bps
    maker_fee_bps: Bps


class CostOverrides(Table):
    """``[costs]``: what replaces the venue's own. None means the venue's stands."""

    taker_fee_bps: Bps | None = None
    maker_fee_bps: Bps | None = None
    slippage_bps: Bps | None = None
    liquidation_fee_bps: Bps | None = None
    latency_ms: Milliseconds | None = None
    latency_jitter_ms: Milliseconds | None = later(None)
    impact: Annotated[Decimal, BeforeValidator(number), Field(ge=0, le=10)] | None = later(None)
    participation: Annotated[Decimal, BeforeValidator(number), Field(gt=0, le=1)] | None = later(None)
    borrow_apr: Annotated[Decimal, BeforeValidator(number), Field(ge=0, le=10)] | None = later(None)
    fee_tiers: tuple[FeeTierRow, ...] = later(())

    def given(self) -> dict[str, Any]:
        """Only what the season overrides."""
        return {name: value for name, value in self.model_dump(exclude_none=True).items() if value != ()}


class Margin(Table):
    """``[margin]``: whether perpetuals share the account's margin, or each has one of its own."""

    mode: Literal["cross", "isolated"] = "cross"
    leverage: Annotated[Decimal, BeforeValidator(number), Field(ge=1, le=125)] = Decimal(10)


class SeasonRules(Table):
    """A whole season file. ``limits`` is checked where the house limits are known.

    ``cassette`` says where answers are kept, which is no rule of the contest: it is not part of ``rules_sha256``.
    """

    season: Season
    market: Market
    costs: CostOverrides = CostOverrides()
    margin: Margin | None = later(None)
    stops: Stops | None = later(None)
    limits: dict[str, Any] = Field(default_factory=dict)
    budget: BudgetRules | None = later(None)
    memory: MemoryRules | None = later(None)
    breakers: BreakerTable | None = later(None)
    alerts: AlertTable | None = later(None)
    cassette: CassetteRules = Field(default=CassetteRules(), exclude=True)
    desks: Annotated[tuple[Desk, ...], Field(alias="desk", min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [desk.name for desk in self.desks]
        for name in names:
            if names.count(name) > 1:
                raise Refused("desk", f"the name {name!r} stands there {names.count(name)} times, expected once")
        if all(desk.person for desk in self.desks):
            raise Refused("desk", "every desk is a person's, expected one with a model beside them")
        step_ms = self.market.step_ms
        if step_ms and self.season.every_ms % step_ms:
            bar = self.market.bar
            raise Refused("season.every", f"found {self.season.every!r}, expected a multiple of market.step, {bar!r}")
        if self.budget and not self.budget.limited and not any(desk.limited for desk in self.desks):
            raise Refused("budget", "limits nothing; set budget.usd, budget.tokens, or a desk's budget_usd")
        if self.memory and self.memory.horizon_ms < self.season.every_ms:
            raise Refused("memory.horizon", f"found {self.memory.horizon!r}, expected at least a round")
        if self.memory and not any(desk.memory and not desk.person for desk in self.desks):
            raise Refused("memory", "no desk wants it; remove the table, or a desk's memory = false")
        return self

    @classmethod
    def on_record(cls, kept: Mapping[str, Any]) -> Self:
        """The rules that a run keeps. Raises ValidationError for what is none."""
        return cls.model_validate(kept, context=ON_RECORD)

    def with_memory(self, mode: Mode) -> Self:
        """The same season with its desks' memory on, off or shuffled; without it, it is the season without a table."""
        if mode == "off":
            return self.model_copy(update={"memory": None})
        memory = (self.memory or MemoryRules()).model_copy(update={"mode": mode})
        return self.model_validate({**self.model_dump(by_alias=True), "cassette": self.cassette, "memory": memory})

    @property
    def remembering(self) -> frozenset[str]:
        """The desks that have memory."""
        if self.memory is None or self.memory.mode == "off":
            return frozenset()
        return frozenset(desk.name for desk in self.desks if desk.memory and not desk.person)

    def with_person(self, name: str) -> Self:
        """The same season with one more desk, traded by hand; as it is where it has one already."""
        if any(desk.person for desk in self.desks):
            return self
        rules = self.model_dump(by_alias=True)
        rules["desk"] = [*rules["desk"], {"name": name, "person": True}]
        return self.model_validate({**rules, "cassette": self.cassette})

    @property
    def by_hand(self) -> tuple[str, ...]:
        """The desks that people trade by hand."""
        return tuple(desk.name for desk in self.desks if desk.person)

    def every_model(self) -> tuple[str, ...]:
        """Each model that the season may ask, once."""
        cheaper = self.budget.degrade.models.given().values() if self.budget and self.budget.degrade else ()
        looking_back = named_model(self.memory.reflection) if self.memory else ()
        asked = (model for desk in self.desks for model in desk.every_model())
        return tuple(dict.fromkeys((*asked, *cheaper, *looking_back)))

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
