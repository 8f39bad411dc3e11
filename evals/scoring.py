"""What a scorer is: a function from a case and a trial to one number, or to a reason why there is none.

A scorer across tries sees a trial among its fellows: the tries, in every epoch, of the cases that have one twin.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.case import Case
from evals.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``value`` is None where there is nothing to score, and ``reason`` says why; never a default number."""

    value: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError("a score without a value needs a reason")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a score of {self.value} is no number; give None with a reason")


def unscored(reason: str) -> Score:
    """No score, and why."""
    return Score(value=None, reason=reason)


Across = Callable[[Case, Trial, Sequence[tuple[Case, Trial]]], Score]
"""A case, a trial, and the other tries of the same group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A named measure of one trial. ``version`` is raised when its meaning changes, so that old scores stay told apart.

    ``rises`` says whether more is better, None where neither is and a change is a change. ``margin`` is how much worse
    a candidate may be before a gate speaks up, in the scorer's unit. Where ``across`` is given, ``score`` has no answer
    yet and ``across`` has it once the other tries are there.
    """

    name: str
    version: int
    unit: str
    meaning: str
    rises: bool | None
    margin: float
    score: Callable[[Case, Trial], Score]
    across: Across | None = None

    @property
    def key(self) -> str:
        """Name and version."""
        return f"{self.name}.v{self.version}"


def scorer(
    *, unit: str, rises: bool | None = True, margin: float = 0.0, version: int = 1
) -> Callable[[Callable[[Case, Trial], Score]], Scorer]:
    """Declare a function ``(case, trial) -> Score`` as a scorer; its docstring is its meaning."""

    def declare(function: Callable[[Case, Trial], Score]) -> Scorer:
        return Scorer(
            name=function.__name__,
            version=version,
            unit=unit,
            meaning=_meaning(function),
            rises=rises,
            margin=margin,
            score=function,
        )

    return declare


def scorer_across(
    *, unit: str, rises: bool | None = True, margin: float = 0.0, version: int = 1
) -> Callable[[Across], Scorer]:
    """Declare a function ``(case, trial, others) -> Score`` as a scorer across tries; its docstring is its meaning."""

    def declare(function: Across) -> Scorer:
        return Scorer(
            name=function.__name__,
            version=version,
            unit=unit,
            meaning=_meaning(function),
            rises=rises,
            margin=margin,
            score=lambda case, trial: unscored("the other tries are not there yet"),
            across=function,
        )

    return declare


def _meaning(function: Callable[..., Score]) -> str:
    if not function.__doc__:
        raise TypeError(f"scorer {function.__name__}: it needs a docstring that says what it measures")
    return " ".join(function.__doc__.split())
