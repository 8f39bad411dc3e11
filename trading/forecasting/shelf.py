"""The forecasters there are, found by scanning ``models``."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from trading.domain.errors import RequestError
from trading.forecasting import models
from trading.forecasting.forecaster import Forecaster

DEFAULT = "volatility_scaled"


@cache
def discover() -> Mapping[str, Forecaster]:
    """Every forecaster by name: the ``FORECASTER`` of each module in ``models``."""
    found: dict[str, Forecaster] = {}
    for module in pkgutil.iter_modules(models.__path__, f"{models.__name__}."):
        model: Forecaster = importlib.import_module(module.name).FORECASTER
        found[model.name] = model
    return MappingProxyType(found)


def forecaster(name: str = DEFAULT) -> Forecaster:
    """The forecaster called ``name``. Raises RequestError when there is none."""
    try:
        return discover()[name]
    except KeyError:
        raise RequestError(f"no forecaster {name!r}; there are {', '.join(discover())}") from None
