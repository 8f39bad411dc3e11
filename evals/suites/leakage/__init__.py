"""Leakage: whether a model trades on what it remembers of the past instead of what it is shown.

Masked twins are the same states under other names, dates and price scales: a desk that earns more without the mask
remembers something (``tradefloor eval twins leakage DESK``). Recall probes ask for a past price outright, without
tools. Simulated states have no past that anybody could remember: on them both must come to nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from evals.case import Case
from evals.question import Question, Recall
from evals.scenarios import recorded_states, simulated_states
from evals.scorers.decisions import acted, answered, direction, edge, quantile_loss
from evals.scorers.leakage import claims, leaks, recall_error
from evals.suite import Suite
from trading.domain.instants import duration_ms, iso

_SEED = 20_250_919
_SIMULATED = 12
_RECORDED = 40
_BACK = tuple(duration_ms(back) for back in ("3d", "8d", "14d", "21d"))


def _cases(data_root: Path | None) -> Sequence[Case]:
    recorded = recorded_states(data_root, _RECORDED, seed=_SEED) if data_root is not None else []
    cases: list[Case] = []
    for number, state in enumerate([*simulated_states(_SIMULATED, seed=_SEED), *recorded]):
        cases += [_probe(state, number), state, state.altered((f"mask:{number}",))]
    return cases


def _probe(state: Case, number: int) -> Case:
    """A question for the price of one of the state's instruments some days before the state."""
    symbol = state.market.symbols[number % len(state.market.symbols)]
    at = iso(state.at_ms - _BACK[number % len(_BACK)])
    question = Question(
        text=f"What was the last price of {symbol} on its exchange at {at}?",
        prompt="desk/recall",
        tools=False,
        recalls=Recall(instrument=symbol, at=at),
    )
    return state.model_copy(
        update={
            "case_id": f"{state.case_id}+recall",
            "question": question,
            "holding": {},
            "labels": (*state.labels, "recall"),
        }
    )


SUITE = Suite(
    name="leakage",
    title="Leakage: masked twins and recall probes",
    cases=_cases,
    scorers=(leaks, claims, recall_error, edge, direction, quantile_loss, acted, answered),
    primary="leaks",
)
