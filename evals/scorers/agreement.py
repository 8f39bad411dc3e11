"""Scorers of consistency: whether a desk decides alike when the state is alike."""

from collections.abc import Sequence

import numpy as np

from evals.case import Case
from evals.scoring import Score, scorer_across, unscored
from evals.trial import Trial

Others = Sequence[tuple[Case, Trial]]

_ALONE = "there is no other try of this state"
_ABSTAINED = "the desk abstained"


def choice_of(trial: Trial) -> frozenset[tuple[str, str]]:
    """What a decision comes to: each instrument traded, with its side. A hold is empty."""
    return frozenset((intent.instrument, intent.side.value) for intent in trial.decision.intents)


@scorer_across(unit="share", margin=0.05)
def agrees(case: Case, trial: Trial, others: Others) -> Score:
    """Share of the other tries of this state, whatever their wording, that trade the same instruments the same way."""
    return _among(case, trial, [tried for _, tried in others])


@scorer_across(unit="share", margin=0.05)
def repeats(case: Case, trial: Trial, others: Others) -> Score:
    """The same among tries of the very same case: what changes is the seed alone."""
    same = [tried for other, tried in others if other.case_id == case.case_id]
    return _among(case, trial, same)


@scorer_across(unit="share", margin=0.05)
def keeps_reworded(case: Case, trial: Trial, others: Others) -> Score:
    """For a reworded case: share of the tries of the plain one that come to the same."""
    return _against_plain(case, trial, others, "paraphrase")


@scorer_across(unit="share", margin=0.05)
def keeps_reordered(case: Case, trial: Trial, others: Others) -> Score:
    """For a case with its instruments in another order: share of the tries of the plain one that come to the same."""
    return _against_plain(case, trial, others, "reorder")


@scorer_across(unit="share", margin=0.05)
def unanimous(case: Case, trial: Trial, others: Others) -> Score:
    """pass^k over the tries of the very same case: 1 where all k of them come to the same."""
    same = [tried for other, tried in others if other.case_id == case.case_id]
    found = _among(case, trial, same)
    return found if found.value is None else Score(value=float(found.value == 1.0))


def _against_plain(case: Case, trial: Trial, others: Others, alteration: str) -> Score:
    if alteration not in case.alters:
        return unscored(f"nothing is changed by {alteration}")
    return _among(case, trial, [tried for other, tried in others if other.case_id == case.twin])


def _among(case: Case, trial: Trial, others: Sequence[Trial]) -> Score:
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    answered = [tried for tried in others if tried.is_answered]
    if not answered:
        return unscored(_ALONE)
    mine = choice_of(trial)
    return Score(value=float(np.mean([choice_of(tried) == mine for tried in answered])))
