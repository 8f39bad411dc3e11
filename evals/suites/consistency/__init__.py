"""Consistency: the same state, tried again, told in other words, and with its instruments in another order.

Every epoch is one more try of each case: ``--epochs 5`` makes pass^5 of ``unanimous``.
"""

from collections.abc import Sequence
from pathlib import Path

from evals.case import Case
from evals.scenarios import recorded_states, simulated_states
from evals.scorers.agreement import agrees, keeps_reordered, keeps_reworded, repeats, unanimous
from evals.scorers.decisions import answered
from evals.suite import Suite

_SEED = 20_250_702
_SIMULATED = 12
_RECORDED = 8


def _cases(data_root: Path | None) -> Sequence[Case]:
    recorded = recorded_states(data_root, _RECORDED, seed=_SEED) if data_root is not None else []
    states = [*simulated_states(_SIMULATED, seed=_SEED), *recorded]
    return [case for state in states for case in (state, *map(state.altered, (("paraphrase",), ("reorder",))))]


SUITE = Suite(
    name="consistency",
    title="Consistency: one state, asked again, reworded, reordered",
    cases=_cases,
    scorers=(agrees, repeats, keeps_reworded, keeps_reordered, unanimous, answered),
    primary="agrees",
)
