"""The catalogue: which models there are, what they can do, who serves them, and what they cost.

Read from ``config/models.toml``. A model without a row works too: what is known of it comes from LiteLLM's map.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Self

from pydantic import ValidationError

from agents.llm.house import HOUSE_PREFIX
from agents.llm.price import Price
from agents.llm.rows import Ability, ModelRow, ModelsFile, Pace, ProviderRow
from agents.llm.runtime import litellm_module
from trading.domain.errors import ConfigError

_NO_PROVIDER = ProviderRow()


class Catalogue:
    """The rows of a file, and what can be said of models that have none."""

    def __init__(self, file: ModelsFile) -> None:
        self._defaults = file.defaults
        self._providers = file.providers
        self._models = {row.id: row for row in file.models}
        self._of: dict[str, str | None] = {}

    @classmethod
    def parse(cls, text: str, name: str = "config/models.toml") -> Self:
        """A catalogue from TOML. Raises ConfigError, in one line, for the first thing that is wrong."""
        try:
            file = ModelsFile.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{name}: not TOML: {error}") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"{name}: {where}: {first['msg']}") from None
        ids = [row.id for row in file.models]
        twice = next((name for number, name in enumerate(ids) if name in ids[:number]), None)
        if twice is not None:
            raise ConfigError(f"{name}: model {twice!r} has two rows; keep one")
        return cls(file)

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """Every row, in the order of the file."""
        return tuple(self._models.values())

    def row(self, model: str) -> ModelRow | None:
        """The row of ``model``, None for a model that works by its LiteLLM id alone."""
        return self._models.get(model)

    def litellm_id(self, model: str) -> str:
        """What LiteLLM is asked for."""
        row = self._models.get(model)
        return model if row is None else row.litellm_id

    def provider_of(self, model: str) -> str | None:
        """Who serves ``model``, by LiteLLM's name; None when nobody does."""
        if model not in self._of:
            self._of[model] = self._provider_of(model)
        return self._of[model]

    def provider(self, name: str | None) -> ProviderRow:
        """How a provider is called; an empty row for one that has none."""
        return self._providers.get(name or "") or _NO_PROVIDER

    def pace(self, model: str) -> Pace:
        """How fast and how patiently the provider of ``model`` is called."""
        row = self.provider(self.provider_of(model))
        given = {name: getattr(row, name) for name in Pace.model_fields if getattr(row, name) is not None}
        if self.is_free(model):
            given |= {
                name: value
                for name, value in (
                    ("concurrency", row.free_concurrency),
                    ("requests_per_minute", row.free_requests_per_minute),
                )
                if value is not None
            }
        return self._defaults.model_copy(update=given)

    def lane(self, model: str) -> str:
        """The name under which the calls of ``model`` share a pace: its provider, or the provider's free tier."""
        name = self.provider_of(model) or model
        return f"{name}:free" if self.is_free(model) and self.provider(name).free_requests_per_minute else name

    def is_free(self, model: str) -> bool:
        """Whether ``model`` costs nothing by its row."""
        row = self._models.get(model)
        return row is not None and row.free

    def abilities(self, model: str) -> frozenset[Ability]:
        """What ``model`` can do. One that nobody describes is taken to call tools, as most do."""
        row = self._models.get(model)
        return _listed_abilities(model) if row is None else row.abilities

    def stated_price(self, model: str) -> Price | None:
        """What the row of ``model`` says it costs, None where the row leaves that to LiteLLM's list."""
        row = self._models.get(model)
        if row is None or not (row.free or row.price):
            return None
        return row.price.price if row.price else Price()

    def price(self, model: str) -> Price | None:
        """What ``model`` costs, None where that is not known."""
        stated = self.stated_price(model)
        return stated or Price.listed(self.litellm_id(model), self.provider_of(model))

    def _provider_of(self, model: str) -> str | None:
        row = self._models.get(model)
        if row is not None:
            return row.provider
        if model.startswith(HOUSE_PREFIX):
            return HOUSE_PREFIX.rstrip("/")
        import openai

        try:
            return str(litellm_module().get_llm_provider(model=model)[1])
        except openai.OpenAIError:
            return None


@cache
def _listed_abilities(model: str) -> frozenset[Ability]:
    litellm = litellm_module()
    row = _listed(model)
    able: set[Ability] = set()
    if row is None or litellm.supports_function_calling(model=model):
        able.add("tools")
    # What LiteLLM calls a schema is a forced tool where an older model of Anthropic's is asked: that is a form of ours.
    native = row is None or row.get("litellm_provider") != "anthropic" or row.get("supports_native_structured_output")
    if native and litellm.supports_response_schema(model=model):
        able.add("json_schema")
    if litellm.supports_vision(model=model):
        able.add("vision")
    if litellm.supports_reasoning(model=model):
        able.add("reasoning")
    return frozenset(able)


def _listed(model: str) -> dict[str, Any] | None:
    listed: dict[str, dict[str, Any]] = litellm_module().model_cost
    return listed.get(model) or listed.get(model.split("/", 1)[-1])


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the project. Read once."""
    return Catalogue.parse((files("config") / "models.toml").read_text())
