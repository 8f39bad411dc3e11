"""What draws paths, and the models by name."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from trading.domain.errors import RequestError
from trading.marketdata import FloatArray
from trading.risk.simulation.bootstrap import BlockBootstrap
from trading.risk.simulation.garch import GarchPaths
from trading.risk.simulation.gbm import Gbm
from trading.risk.simulation.jumps import JumpDiffusion
from trading.risk.simulation.regimes import RegimeSwitching


class PathModel(Protocol):
    """A model of log returns of several assets. Its draws have no drift: that is the scenario's to say."""

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets), correlated across assets within a step."""
        ...


_MODELS: Mapping[str, Callable[[FloatArray], PathModel]] = {
    "gbm": Gbm.fit,
    "bootstrap": BlockBootstrap.fit,
    "garch": GarchPaths.fit,
    "jumps": JumpDiffusion.fit,
    "regimes": RegimeSwitching.fit,
}


def model_names() -> tuple[str, ...]:
    """The models that :func:`fit_model` knows."""
    return tuple(_MODELS)


def fit_model(name: str, log_returns: FloatArray) -> PathModel:
    """The named model of ``log_returns`` (n, assets), oldest first. RequestError for an unknown name."""
    if name not in _MODELS:
        raise RequestError(f"simulation model {name!r}: expected one of {', '.join(_MODELS)}")
    return _MODELS[name](log_returns)
