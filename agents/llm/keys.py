"""Which models can be asked at all: is the id known, and is the key there."""

import os
import socket
from urllib.parse import urlsplit

from agents.llm.catalogue import catalogue
from agents.llm.house import HOUSE_PREFIX, house_models
from agents.llm.runtime import litellm_module
from trading.domain.errors import ConfigError

_PROBE_S = 0.3


def is_rule_based(model: str) -> bool:
    """Whether ``model`` is one of the house's own, which is no LLM."""
    return model.startswith(HOUSE_PREFIX)


def required_keys(model: str) -> tuple[str, ...]:
    """The environment variables that ``model`` needs and that are unset or empty.

    Raises ConfigError for an id that nobody serves.
    """
    if is_rule_based(model):
        if model not in house_models():
            raise ConfigError(f"model {model!r}: the house has {', '.join(house_models())}")
        return ()
    known = catalogue()
    name = known.provider_of(model)
    if name is None:
        raise ConfigError(
            f"model {model!r}: no provider serves it; write provider/model as LiteLLM does, such as "
            "anthropic/claude-sonnet-5-5, or a house model such as house/momentum"
        )
    provider = known.provider(name)
    if provider.keys:
        return () if any(os.environ.get(key) for key in provider.keys) else provider.keys[:1]
    if provider.is_local:
        return ()
    litellm = litellm_module()
    if any(row["provider"] == name for row in litellm.custom_provider_map):
        return ()
    missing = litellm.validate_environment(model=model).get("missing_keys") or []
    return tuple(str(key) for key in missing)


def unreachable(model: str) -> str | None:
    """Why a model on the own machine cannot be asked: nothing listens at its address. None for every other model.

    Opens a connection and closes it; asks nothing.
    """
    known = catalogue()
    provider = known.provider(known.provider_of(model))
    address = provider.address
    if not provider.is_local or address is None:
        return None
    url = urlsplit(address)
    try:
        with socket.create_connection((url.hostname or "", url.port or 80), timeout=_PROBE_S):
            return None
    except OSError:
        return f"a server at {address} ({provider.base_url_env} names another)"


def check_model(model: str) -> None:
    """Raise ConfigError when ``model`` is not known or its key is not set. Asks nobody."""
    missing = required_keys(model)
    if missing:
        raise ConfigError(f"model {model!r}: {' and '.join(missing)} not set; set it in the environment or in .env")
