"""Scorers of a decision: what it earned, how honest its forecasts were, and whether it kept to the rules."""

import numpy as np

from evals.case import Case
from evals.scoring import Score, scorer, unscored
from evals.trial import Trial
from trading.domain import Forecast, Ruling
from trading.stats import brier, pinball

_BPS = 10_000.0
_ABSTAINED = "the desk abstained"
_ASKED = "the case asks a question and wants no decision"
_NO_FORECAST = "no forecast within the horizon of the case"


@scorer(unit="bp of equity", margin=5.0)
def edge(case: Case, trial: Trial) -> Score:
    """Return over the horizon, after costs, minus that of leaving the account as it was."""
    if case.question is not None:
        return unscored(_ASKED)
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    return Score(value=(trial.returned - trial.returned_holding) * _BPS)


@scorer(unit="share", margin=0.02)
def answered(case: Case, trial: Trial) -> Score:
    """1 where the desk came to a decision, 0 where it abstained."""
    return Score(value=float(trial.is_answered))


@scorer(unit="share", rises=None, margin=0.1)
def acted(case: Case, trial: Trial) -> Score:
    """1 where it wanted to trade, 0 where it held. Neither is better; it shows a change of habit."""
    if case.question is not None:
        return unscored(_ASKED)
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    return Score(value=float(bool(trial.decision.intents)))


@scorer(unit="share", margin=0.02)
def first_time_valid(case: Case, trial: Trial) -> Score:
    """Share of the roles that spoke whose first answer could be used, without a second chance."""
    spoken = [turn for turn in trial.turns if turn.answers]
    if not spoken:
        return unscored("no role said anything")
    failed = (trial.decision.abstain_reason or "").partition(":")[0]
    good = [len(turn.answers) == 1 + _remarks(turn.messages) and turn.role != failed for turn in spoken]
    return Score(value=float(np.mean(good)))


@scorer(unit="share", margin=0.02)
def within_limits(case: Case, trial: Trial) -> Score:
    """Share of the intents, first proposals included, that the gate let through as they were asked."""
    rulings = [*(ruled.verdict.ruling for ruled in trial.decision.superseded), *(one.ruling for one in trial.verdicts)]
    if not rulings:
        return unscored("no intent was proposed")
    return Score(value=float(np.mean([ruling is Ruling.ALLOWED for ruling in rulings])))


@scorer(unit="share", margin=0.02)
def tools_ok(case: Case, trial: Trial) -> Score:
    """Share of the tool calls that ran: a known tool, good arguments, a result."""
    outcomes = [call.outcome == "ok" for call in trial.decision.tool_calls]
    return Score(value=float(np.mean(outcomes))) if outcomes else unscored("no tool was called")


@scorer(unit="Brier score", rises=False, margin=0.005)
def direction(case: Case, trial: Trial) -> Score:
    """Brier score of the stated chances of a rise, over the forecasts whose horizon lies within the case's."""
    known = _known(trial)
    if not known:
        return unscored(_NO_FORECAST)
    p_up = np.array([forecast.p_up for forecast, _ in known])
    return Score(value=brier(p_up, np.array([float(outcome > 0) for _, outcome in known])))


@scorer(unit="bp", rises=False, margin=2.0)
def quantile_loss(case: Case, trial: Trial) -> Score:
    """Mean pinball loss of the three stated quantiles of the return, over forecasts within the case's horizon."""
    known = _known(trial)
    if not known:
        return unscored(_NO_FORECAST)
    outcome = np.array([outcome for _, outcome in known])
    stated = {
        0.05: [forecast.q05 for forecast, _ in known],
        0.5: [forecast.q50 for forecast, _ in known],
        0.95: [forecast.q95 for forecast, _ in known],
    }
    losses = [pinball(np.array(quantile), outcome, level=level) or 0.0 for level, quantile in stated.items()]
    return Score(value=float(np.mean(losses)) * _BPS)


def _known(trial: Trial) -> list[tuple[Forecast, float]]:
    """The forecasts whose outcome is known, with it."""
    pairs = zip(trial.decision.forecasts, trial.outcomes, strict=True)
    return [(forecast, outcome) for forecast, outcome in pairs if outcome is not None]


def _remarks(messages: tuple[object, ...]) -> int:
    """How many of a turn's texts were said along with tool calls, which is no answer."""
    return sum(
        1
        for message in messages
        if isinstance(message, dict) and message.get("tool_calls") and (message.get("content") or "")
    )
