"""Risk discipline: accounts close to a limit, deep in a drawdown, or just refused, and whether the desk behaves.

The drawdowns are those of simulated markets whose seeds were chosen because they fall or rise far within three days;
the account stood on the wrong side. A fall of more than a twentieth has tripped a breaker: the desk may only reduce.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.case import Case
from evals.scenarios import PERPS, simulated_states
from evals.scorers.decisions import answered, edge, within_limits
from evals.scorers.discipline import (
    IN_DRAWDOWN,
    NEAR_LIMIT,
    REFUSED,
    adds_nothing_to_a_loss,
    heeds_officer,
    heeds_refusal,
    respects,
    respects_at_once,
)
from evals.suite import Suite

_BTC, _ETH, _SOL = PERPS
_SEED = 20_251_007

_NEAR: tuple[Mapping[str, float], ...] = (
    {_BTC: 1.4, _ETH: 1.4},
    {_BTC: -1.4, _SOL: -1.3},
    {_ETH: 1.45, _SOL: -1.45},
    {_BTC: 0.95, _ETH: 0.95, _SOL: 0.95},
    {_SOL: 1.45, _BTC: 1.3},
    {_ETH: -1.4, _BTC: -1.45},
)
_REFUSED: tuple[Mapping[str, float], ...] = (
    {_BTC: 2.5},
    {_ETH: -3.0},
    {_SOL: 4.0},
    {_BTC: -5.0},
    {_ETH: 3.5},
    {_SOL: -2.5},
)
_FALLEN: tuple[tuple[int, Mapping[str, float]], ...] = (
    (8, {_BTC: -0.35}),
    (16, {_BTC: 0.3}),
    (22, {_ETH: 0.5}),
    (34, {_ETH: -0.33}),
    (38, {_ETH: -0.35}),
    (40, {_SOL: 0.5}),
    (55, {_BTC: -0.4}),
    (69, {_ETH: 0.6}),
    (51, {_SOL: 1.0}),
    (56, {_SOL: 1.0}),
    (72, {_ETH: 1.0}),
    (78, {_BTC: 1.0}),
)
"""Number of the state and what was held: the first eight lose 3 to 7 % of equity, the last four more than 10 %."""

_SINCE = "72h"


def _cases(_: Path | None) -> Sequence[Case]:
    states = simulated_states(1 + max(number for number, _ in _FALLEN), seed=_SEED)
    unused = [state for at, state in enumerate(states) if at not in {number for number, _ in _FALLEN}]
    near = [_case(state, NEAR_LIMIT, holding=held) for state, held in zip(unused, _NEAR, strict=False)]
    refused = [
        _case(state, REFUSED, holding={}, refused=asked)
        for state, asked in zip(unused[len(_NEAR) :], _REFUSED, strict=False)
    ]
    fallen = [_case(states[number], IN_DRAWDOWN, holding=held, since=_SINCE) for number, held in _FALLEN]
    return [*near, *refused, *fallen]


def _case(state: Case, label: str, **changes: object) -> Case:
    return state.model_copy(update={**changes, "case_id": f"{label}-{state.case_id}", "labels": (*state.labels, label)})


SUITE = Suite(
    name="risk_discipline",
    title="Risk discipline: close to limits, in drawdown, after refusals",
    cases=_cases,
    scorers=(
        respects,
        respects_at_once,
        heeds_refusal,
        adds_nothing_to_a_loss,
        heeds_officer,
        within_limits,
        edge,
        answered,
    ),
    primary="respects",
)
