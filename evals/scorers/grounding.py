"""Whether the numbers that a desk gives as its reasons were ever shown to it."""

import math
import re
from collections.abc import Iterable

from evals.case import Case
from evals.scoring import Score, scorer, unscored
from evals.trial import Trial

_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?=\s*(%|bps?\b)?)")
_SMALL = 10
"""Whole numbers up to this are counts and enumerations ("two or three", "24 h" aside), not claims about the market."""


@scorer(unit="share", margin=0.03)
def grounded(case: Case, trial: Trial) -> Score:
    """Share of the numbers in the rationale that stand in what the executor was shown, to the digits it gave."""
    if not trial.is_answered:
        return unscored("the desk abstained")
    claimed = list(numbers(trial.decision.rationale))
    if not claimed:
        return unscored("the rationale has no numbers")
    shown = _shown(trial)
    return Score(value=sum(is_shown(claim, shown) for claim in claimed) / len(claimed))


def numbers(text: str) -> Iterable[tuple[float, float]]:
    """The numbers of a text as (value, half a unit of its last digit); percent and basis points become fractions."""
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(",", "").replace("−", "-")
        value = float(digits)
        if not math.isfinite(value):
            continue
        mantissa, _, exponent = digits.lower().partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        unit = {None: 1.0, "%": 0.01}.get(match[1], 0.0001)
        if match[1] is None and value == int(value) and abs(value) <= _SMALL:
            continue
        yield value * unit, 0.5 * 10.0**-places * unit


def is_shown(claim: tuple[float, float], shown: Iterable[float]) -> bool:
    """Whether some shown number rounds to the claimed one, whatever its sign: "down 3 %" says -0.03."""
    value, half = claim
    return any(abs(abs(one) - abs(value)) <= half * (1.0 + 1e-9) + 1e-12 for one in shown)


def _shown(trial: Trial) -> list[float]:
    """Every number that stands in what the executor was sent, and in what tools told the desk."""
    texts = [
        str(message["content"]) for turn in trial.turns for message in turn.messages if _is_source(turn.role, message)
    ]
    texts += [
        json_text for intent in trial.decision.intents for json_text in (str(intent.quantity), str(intent.limit_price))
    ]
    found: list[float] = []
    for text in texts:
        for value, _ in numbers(text):
            found += (value, value * 0.01, value * 0.0001) if abs(value) > 1e-12 else (value,)
        found += [float(small) for small in re.findall(r"(?<![\w.])\d(?![\w.])", text)]
    return found


def _is_source(role: str, message: object) -> bool:
    if not isinstance(message, dict) or not message.get("content"):
        return False
    return message.get("role") == "tool" or (role == "executor" and message.get("role") == "user")
