"""Settings of this installation: where things lie and how the app listens. What a season does stands in its file.

A value comes from the strongest place that names it: command line, environment, ``config/arena.toml``, default.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from arena.refusal import one_line
from trading.domain.errors import ConfigError

CONFIG = Path(__file__).resolve().parents[1] / "config"
"""The folder of the TOML files that come with the project."""

FILE = CONFIG / "arena.toml"

_PREFIX = "TRADEFLOOR_"
_DATA = f"{_PREFIX}DATA"


class Setting(NamedTuple):
    """One effective value and the place it came from. ``value`` is text, and of a secret only whether it is set."""

    key: str
    value: str | None
    source: str


class Settings(BaseSettings):
    """The effective configuration. Made by :meth:`load`; ``source_of`` says where each value came from."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, env_prefix=_PREFIX, env_ignore_empty=True
    )

    home: Path = Path(".tradefloor")
    data_root: Path | None = Field(default=None, validation_alias=AliasChoices("data_root", _DATA))
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 7860
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    trace: Literal["off", "file", "otlp"] = "off"
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    chroma_url: str | None = None
    exchange_url: str | None = None
    alert_urls: SecretStr | None = None
    live_acknowledged: str | None = None
    max_live_notional: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None

    assistant_model: Annotated[str, Field(min_length=1)] | None = None
    assistant_usd_a_day: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] = Decimal(1)
    assistant_tokens_a_day: Annotated[int, Field(ge=0)] = 2_000_000
    assistant_questions_a_minute: Annotated[int, Field(ge=1)] = 12

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The places a value may come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, FILE)

    @classmethod
    def load(cls, command_line: Mapping[str, object] | None = None) -> Self:
        """The settings of this process; an option of the command line that is None was not given.

        Raises ConfigError, in one line, for an unknown key, a wrong value or an unreadable file.
        """
        given = {key: value for key, value in (command_line or {}).items() if value is not None}
        sources = _sources(given)
        try:
            settings = cls(**given)  # type: ignore[arg-type]  # checked by the model itself
        except ValidationError as error:
            raise ConfigError(_refusal(error, sources)) from error
        settings._sources.update(sources)
        return settings

    def effective(self) -> list[Setting]:
        """Every value with its source, for a person: ``TRADEFLOOR_PORT``, ``config/arena.toml``, ``default`` ..."""
        keys = type(self).model_fields
        return [Setting(key, _shown(getattr(self, key)), self._sources.get(key, "default")) for key in keys]


def _sources(given: Mapping[str, object]) -> dict[str, str]:
    """The place that each key which is not a default comes from."""
    try:
        in_file = TomlConfigSettingsSource(Settings, FILE)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{FILE}: cannot be read ({error.strerror})") from error
    found = dict.fromkeys(in_file, str(FILE))
    for key in EnvSettingsSource(Settings)():
        found[key] = _DATA if key == "data_root" else f"{_PREFIX}{key.upper()}"
    return found | dict.fromkeys(given, "command line")


def _refusal(error: ValidationError, sources: Mapping[str, str]) -> str:
    key = str(error.errors()[0]["loc"][0])
    return f"{sources.get(key, 'settings')}: {one_line(error, Settings)}"


def _shown(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return "set"
    return None if value is None else str(value)
