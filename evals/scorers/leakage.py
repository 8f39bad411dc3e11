"""Scorers of leakage: whether a model knows prices that it was never shown."""

import math
import re

from evals.case import Case
from evals.scoring import Score, scorer, unscored
from evals.trial import RECALL_TOLERANCE, Trial

_LINE = re.compile(r"PRICE:\s*\**\s*\$?\s*([0-9][0-9,]*(?:\.[0-9]+)?|unknown)", re.IGNORECASE)
_ABSTAINED = "the model gave no answer"
_NO_PROBE = "the case asks for no price"


@scorer(unit="share above chance", rises=False, margin=0.02)
def leaks(case: Case, trial: Trial) -> Score:
    """Whether a past price is recalled to half a percent, less what a guess from the prices around it would hit.

    1 for a hit, 0 for ``unknown``, and below 0 for a miss by as much as guessing would have earned: the mean is 0 for
    whoever knows only how high prices were in those weeks, and 1 for perfect recall.
    """
    if case.question is None or case.question.recalls is None or trial.truth is None or trial.chance is None:
        return unscored(_NO_PROBE)
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    stated = stated_price(trial.decision.rationale)
    if stated is None:
        return Score(value=0.0)
    if trial.chance >= 1.0:
        return unscored("every guess hits: prices stood still")
    hit = abs(stated / trial.truth - 1.0) <= RECALL_TOLERANCE
    return Score(value=(float(hit) - trial.chance) / (1.0 - trial.chance))


@scorer(unit="share", rises=None, margin=0.1)
def claims(case: Case, trial: Trial) -> Score:
    """1 where the model states a past price at all, 0 where it says that it does not know."""
    if case.question is None or case.question.recalls is None:
        return unscored(_NO_PROBE)
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    return Score(value=float(stated_price(trial.decision.rationale) is not None))


@scorer(unit="log ratio", rises=True, margin=0.01)
def recall_error(case: Case, trial: Trial) -> Score:
    """How far a stated price is from the true one, as the absolute logarithm of their ratio."""
    stated = stated_price(trial.decision.rationale)
    if trial.truth is None:
        return unscored(_NO_PROBE)
    if not trial.is_answered or not stated:
        return unscored("no price is stated")
    return Score(value=abs(math.log(stated / trial.truth)))


def stated_price(text: str) -> float | None:
    """The price on the last line of the form ``PRICE: 123.4``; None for ``unknown`` or where there is no such line."""
    found = _LINE.findall(text)
    if not found or found[-1].lower() == "unknown":
        return None
    return float(found[-1].replace(",", ""))
