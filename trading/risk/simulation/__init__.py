"""Paths that have not happened: correlated returns drawn from models of the past, scenarios, and what comes of them.

Pure functions on arrays with a generator handed in. Measures of what did happen stand in ``measures``.
"""

from trading.risk.simulation.bootstrap import BlockBootstrap
from trading.risk.simulation.garch import GarchPaths
from trading.risk.simulation.gbm import Gbm
from trading.risk.simulation.jumps import JumpDiffusion
from trading.risk.simulation.model import PathModel, fit_model, model_names
from trading.risk.simulation.outcomes import Outcomes, outcomes, wealth_paths
from trading.risk.simulation.regimes import RegimeSwitching
from trading.risk.simulation.scenarios import SCENARIOS, Scenario
from trading.risk.simulation.stress import SHOCKS, Shock, Stressed, is_liquidated, stress
from trading.risk.simulation.windows import (
    NAMED_WINDOWS,
    Replayed,
    Window,
    replay_window,
    replay_windows,
    worst_windows,
)

__all__ = [
    "NAMED_WINDOWS",
    "SCENARIOS",
    "SHOCKS",
    "BlockBootstrap",
    "GarchPaths",
    "Gbm",
    "JumpDiffusion",
    "Outcomes",
    "PathModel",
    "RegimeSwitching",
    "Replayed",
    "Scenario",
    "Shock",
    "Stressed",
    "Window",
    "fit_model",
    "is_liquidated",
    "model_names",
    "outcomes",
    "replay_window",
    "replay_windows",
    "stress",
    "wealth_paths",
    "worst_windows",
]
