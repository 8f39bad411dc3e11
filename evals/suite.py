"""A suite: its cases, its scorers, and the one measure that decides. Suites are found by looking into ``suites``."""

import hashlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from evals import suites
from evals.case import Case
from evals.scoring import Scorer
from trading.domain.errors import RequestError

Cases = Callable[[Path | None], Sequence[Case]]
"""The cases of a suite, given the folder of recorded data or None. The same folder always gives the same cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases and the scorers that judge them. ``primary`` is the scorer that comparisons are decided by."""

    name: str
    title: str
    cases: Cases
    scorers: tuple[Scorer, ...]
    primary: str

    def __post_init__(self) -> None:
        names = [one.name for one in self.scorers]
        if self.primary not in names or len(set(names)) != len(names):
            raise ValueError(f"suite {self.name}: scorers {names} must differ and hold the primary {self.primary!r}")

    def scorer(self, name: str | None = None) -> Scorer:
        """The scorer of that name, the primary one without. Raises RequestError for a stranger."""
        for one in self.scorers:
            if one.name == (name or self.primary):
                return one
        known = ", ".join(one.name for one in self.scorers)
        raise RequestError(f"suite {self.name} has no scorer {name!r}; it has {known}")


@cache
def discover() -> Mapping[str, Suite]:
    """Every suite by name: each package of ``evals.suites`` has one as ``SUITE``."""
    found = {}
    for module in pkgutil.iter_modules(suites.__path__):
        suite = import_module(f"{suites.__name__}.{module.name}").SUITE
        if suite.name != module.name:
            raise ValueError(f"suite {suite.name!r} stands in evals/suites/{module.name}; both must have one name")
        found[suite.name] = suite
    return found


def find_suite(name: str) -> Suite:
    """The suite of that name. Raises RequestError for a stranger."""
    found = discover()
    if name not in found:
        raise RequestError(f"no suite {name!r}; there are {', '.join(sorted(found))}")
    return found[name]


def split_of(case_id: str, *, heldout: float = 0.3) -> str:
    """``heldout`` for that share of case ids and ``dev`` for the rest, by digest: it never moves."""
    draw = int(hashlib.sha256(case_id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "heldout" if draw < heldout else "dev"
