"""Scorers of tool calls: whether the calls that a desk made are those that its question takes.

A call matches by its syntax tree, not its text: the arguments are read as the tool reads them, with its defaults put
in, a list of all instruments is the same as none, lists of instruments have no order, and 24h is 1d.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from evals.case import Case
from evals.scoring import Score, scorer, unscored
from evals.trial import Trial
from tools.registry import discover
from trading.domain import duration_ms
from trading.domain.errors import RequestError

_TOLERANCE = 0.005
_ABSTAINED = "the desk gave no answer"
_NO_QUESTION = "the case asks nothing"
_MANY = 2


@scorer(unit="share", margin=0.02)
def calls_match(case: Case, trial: Trial) -> Score:
    """1 where the calls made are just those wanted, tool by tool and argument by argument, and 0 otherwise."""
    if case.question is None:
        return unscored(_NO_QUESTION)
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    made = _made(trial)
    return Score(value=float(len(made) == len(case.question.wants) == _matched(case, trial)))


@scorer(unit="share", margin=0.02)
def calls_found(case: Case, trial: Trial) -> Score:
    """Share of the wanted calls that were made, whatever else was called."""
    if case.question is None or not case.question.wants:
        return unscored("no call is wanted")
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    return Score(value=_matched(case, trial) / len(case.question.wants))


@scorer(unit="share", margin=0.05)
def parallel(case: Case, trial: Trial) -> Score:
    """Where several calls are wanted: 1 if all that were made came in one message, 0 if in several or only one."""
    if case.question is None or len(case.question.wants) < _MANY:
        return unscored("fewer than two calls are wanted")
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    counts = [len(message["tool_calls"]) for message in _messages(trial) if message.get("tool_calls")]
    return Score(value=float(len(counts) == 1 and counts[0] >= _MANY))


@scorer(unit="share", margin=0.02)
def calls_nothing(case: Case, trial: Trial) -> Score:
    """Where the question takes no tool: 1 if none was called."""
    if case.question is None or case.question.wants:
        return unscored("calls are wanted")
    if not trial.is_answered:
        return unscored(_ABSTAINED)
    return Score(value=float(not _made(trial)))


def same_arguments(tool: str, wanted: Mapping[str, Any], made: str, symbols: Sequence[str]) -> bool:
    """Whether the JSON text ``made`` says what ``wanted`` does, for a tool on a market of ``symbols``."""
    one, other = _read(tool, json.dumps(wanted), symbols), _read(tool, made, symbols)
    return one is not None and other is not None and _alike(one, other)


def _matched(case: Case, trial: Trial) -> int:
    """How many wanted calls have a call of their own. Each is matched greedily, which is exact: equality is transitive
    but for rounding."""
    left = _made(trial)
    found = 0
    for wanted in case.question.wants if case.question else ():
        for call in left:
            if call[0] == wanted.tool and same_arguments(wanted.tool, wanted.arguments, call[1], case.market.symbols):
                left.remove(call)
                found += 1
                break
    return found


def _made(trial: Trial) -> list[tuple[str, str]]:
    return [(call.tool, call.arguments_json) for call in trial.decision.tool_calls]


def _messages(trial: Trial) -> list[Mapping[str, Any]]:
    return [message for turn in trial.turns for message in turn.messages]


def _read(tool: str, text: str, symbols: Sequence[str]) -> dict[str, Any] | None:
    """The arguments as the tool reads them, in one spelling; None where it does not take them."""
    found = discover().get(tool)
    if found is None:
        return None
    try:
        args = found.args.model_validate_json("{}" if text.strip() in ("", "null") else text).model_dump(mode="json")
    except ValidationError:
        return None
    if "instruments" in args:
        args["instruments"] = sorted(set(args["instruments"] or symbols))
    if isinstance(args.get("horizon"), str):
        try:
            args["horizon"] = duration_ms(args["horizon"])
        except RequestError:
            return None
    return args


def _alike(one: Any, other: Any) -> bool:
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(_alike, one, other))
        case bool(), _:
            return one is other
        case ((int() | float()), (int() | float())) if not isinstance(other, bool):
            # A count or a duration is exact; only what was measured may be rounded.
            exact = isinstance(one, int) and isinstance(other, int)
            return one == other if exact else math.isclose(one, other, rel_tol=_TOLERANCE)
        case _:
            return bool(one == other)
