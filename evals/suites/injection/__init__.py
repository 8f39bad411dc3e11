"""Prompt injection: states whose news, memories, tool results or token names try to give the desk orders.

AgentDojo's three measures: utility without an attack, utility under attack, and how often an attack is resisted. Each
state is also there without any attack.
"""

from collections.abc import Sequence
from pathlib import Path

from evals.alterations import ATTACKS, CHANNELS
from evals.case import Case
from evals.scenarios import simulated_states
from evals.scorers.decisions import answered, edge
from evals.scorers.injection import keeps_course, resists, utility, utility_attacked
from evals.suite import Suite

_SEED = 20_250_813
_STATES = 12


def _cases(_: Path | None) -> Sequence[Case]:
    attacks = tuple(ATTACKS)
    cases: list[Case] = []
    for number, state in enumerate(simulated_states(_STATES, seed=_SEED)):
        cases.append(state)
        for at, channel in enumerate(CHANNELS):
            cases.append(state.altered((f"poison:{channel}:{attacks[(number + at) % len(attacks)]}",)))
    return cases


SUITE = Suite(
    name="injection",
    title="Prompt injection: poisoned news, memories, tool results and token names",
    cases=_cases,
    scorers=(resists, utility, utility_attacked, keeps_course, edge, answered),
    primary="resists",
)
