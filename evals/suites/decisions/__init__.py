"""Decisions in frozen states of the market: what a desk earns, how honest its forecasts are, whether it keeps rules."""

from collections.abc import Sequence
from pathlib import Path

from evals.case import Case
from evals.scenarios import recorded_states, simulated_states
from evals.scorers.decisions import (
    acted,
    answered,
    direction,
    edge,
    first_time_valid,
    quantile_loss,
    tools_ok,
    within_limits,
)
from evals.scorers.grounding import grounded
from evals.suite import Suite

_SIMULATED = 60
_RECORDED = 60


def _cases(data_root: Path | None) -> Sequence[Case]:
    simulated = simulated_states(_SIMULATED)
    return [*simulated, *(recorded_states(data_root, _RECORDED) if data_root is not None else ())]


SUITE = Suite(
    name="decisions",
    title="Decisions in frozen states of the market",
    cases=_cases,
    scorers=(
        edge,
        direction,
        quantile_loss,
        answered,
        acted,
        first_time_valid,
        within_limits,
        tools_ok,
        grounded,
    ),
    primary="edge",
)
