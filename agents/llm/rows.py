"""The rows of ``config/models.toml`` as they stand there: models, providers, prices."""

import calendar
import os
import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from agents.llm.price import Price

Ability = Literal["tools", "json_schema", "vision", "reasoning"]
Speciality = Literal["reasoning", "pattern_finding", "risk", "mathematics", "data"]

_MILLION = 1_000_000
_LAST_OF_MONTH = re.compile(r"(\d{4})-(\d{2})")


def _known(value: object) -> object:
    return None if value == "unknown" else value


def _cutoff(value: object) -> object:
    """A month stands for its last day."""
    if isinstance(value, str) and (month := _LAST_OF_MONTH.fullmatch(value)):
        year, number = int(month[1]), int(month[2])
        if 1 <= number <= 12:
            return date(year, number, calendar.monthrange(year, number)[1])
    return _known(value)


class Row(BaseModel):
    """A table of the file: frozen, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PriceRow(Row):
    """An override of the price list, in dollars per million tokens."""

    input: NonNegativeFloat
    output: NonNegativeFloat
    cache_read: NonNegativeFloat | None = None
    cache_write: NonNegativeFloat | None = None

    @property
    def price(self) -> Price:
        """The same in dollars a token."""
        return Price(
            input_usd=self.input / _MILLION,
            output_usd=self.output / _MILLION,
            cache_read_usd=None if self.cache_read is None else self.cache_read / _MILLION,
            cache_write_usd=None if self.cache_write is None else self.cache_write / _MILLION,
        )


class ModelRow(Row):
    """A model. None is what its maker has not published."""

    id: Annotated[str, Field(min_length=1)]
    litellm: str | None = None
    maker: str
    context_window: Annotated[PositiveInt | None, BeforeValidator(_known)]
    knowledge_cutoff: Annotated[date | None, BeforeValidator(_cutoff)]
    abilities: frozenset[Ability]
    specialities: tuple[Speciality, ...] = ()
    free: bool = False
    price: PriceRow | None = None

    @property
    def litellm_id(self) -> str:
        """What LiteLLM is asked for."""
        return self.litellm or self.id

    @property
    def provider(self) -> str:
        """Who serves it, by LiteLLM's name."""
        return self.litellm_id.split("/", 1)[0]


class Pace(Row):
    """How fast and how patiently a provider is called."""

    concurrency: PositiveInt
    requests_per_minute: PositiveFloat
    connect_s: PositiveFloat
    read_s: PositiveFloat
    first_s: PositiveFloat = 45


class ProviderRow(Row):
    """Who serves models. What is None is as the defaults say; ``keys`` are alternatives, any of them will do."""

    keys: tuple[str, ...] = ()
    base_url: str | None = None
    base_url_env: str | None = None
    schema_beside_tools: bool = False
    concurrency: PositiveInt | None = None
    requests_per_minute: PositiveFloat | None = None
    free_concurrency: PositiveInt | None = None
    free_requests_per_minute: PositiveFloat | None = None
    connect_s: PositiveFloat | None = None
    read_s: PositiveFloat | None = None
    first_s: PositiveFloat | None = None

    @property
    def is_local(self) -> bool:
        """Whether it runs on the own machine."""
        return self.base_url is not None

    @property
    def address(self) -> str | None:
        """Where it is called, None where LiteLLM knows."""
        named = os.environ.get(self.base_url_env) if self.base_url_env else None
        return named or self.base_url


class ModelsFile(Row):
    """The whole file."""

    defaults: Pace
    providers: dict[str, ProviderRow] = {}
    models: tuple[ModelRow, ...] = ()
