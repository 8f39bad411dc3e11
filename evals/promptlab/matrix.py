"""The matrix of the prompt lab: for every case and variant what it did, how it scored, and what it cost."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.promptlab.actions import action_of, signature
from evals.scoring import Scorer
from evals.suite import Suite
from evals.variant import Variant
from trading.domain.errors import RequestError

VIEWS = ("all", "failing", "errors", "different")

_LONGEST_OUTPUT = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One variant on one case, over its epochs.

    ``score`` is the mean of the epochs that were scored, None with a ``reason`` where there is none. ``actions`` and
    ``did`` are by epoch. ``usd``, ``tokens_in`` and ``tokens_out`` are means of one try, None where any is not known;
    ``latency_ms`` is their median. ``errors`` counts tries that ended in one and were not made good.
    """

    variant: str
    score: float | None
    reason: str
    actions: tuple[str, ...]
    did: tuple[str, ...]
    output: str
    epochs: int
    errors: int
    tokens_in: float | None
    tokens_out: float | None
    usd: float | None
    latency_ms: float | None

    def to_json(self) -> dict[str, Any]:
        """The entry of ``cells``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case under every variant, in their order."""

    case_id: str
    cluster: str
    split: str
    cells: tuple[Cell, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry of ``matrix``."""
        return {
            "case": self.case_id,
            "cluster": self.cluster,
            "split": self.split,
            "cells": [cell.to_json() for cell in self.cells],
        }


def matrix(
    suite: Suite, cases: Sequence[Case], variants: Sequence[Variant], store: AttemptStore, *, scorer: Scorer
) -> list[Row]:
    """What is on record of ``variants`` on ``cases``, by the given scorer."""
    columns = [_column(suite, cases, variant, store, scorer) for variant in variants]
    return [
        Row(
            case_id=case.case_id,
            cluster=case.cluster,
            split=case.split,
            cells=tuple(column[case.case_id] for column in columns),
        )
        for case in cases
    ]


def seen(rows: Sequence[Row], view: str, *, scorer: Scorer) -> list[Row]:
    """The rows of a view.

    ``failing``: some variant has no score, or one that :func:`fails`. ``errors``: a try ended in an error.
    ``different``: the variants did not all do the same. Raises RequestError for another view.
    """
    match view:
        case "all":
            return list(rows)
        case "failing":
            return [row for row in rows if any(fails(cell.score, scorer) for cell in row.cells)]
        case "errors":
            return [row for row in rows if any(cell.errors for cell in row.cells)]
        case "different":
            return [row for row in rows if len({cell.did for cell in row.cells}) > 1]
        case _:
            raise RequestError(f"--view {view!r}: expected one of {', '.join(VIEWS)}")


def fails(score: float | None, scorer: Scorer) -> bool:
    """Whether a score counts as a failure: none at all, a share below one, or a gain below zero.

    A loss has no natural line to fall short of, so it fails only where there is none.
    """
    if score is None:
        return True
    return bool(scorer.rises) and score < (1.0 if scorer.unit == "share" else 0.0)


def _column(
    suite: Suite, cases: Sequence[Case], variant: Variant, store: AttemptStore, scorer: Scorer
) -> dict[str, Cell]:
    wanted = {case.case_id for case in cases}
    digest = variant.sha256
    scores: dict[str, list[float]] = defaultdict(list)
    reasons: dict[str, str] = {}
    for row in store.scores(suite=suite.name, variant=digest, scorer=scorer):
        if row.value is None:
            reasons[row.case_id] = row.reason
        else:
            scores[row.case_id].append(row.value)
    attempts = defaultdict(list)
    for attempt in store.attempts(suite=suite.name, variant=digest):
        if attempt.case_id in wanted:
            attempts[attempt.case_id].append(attempt)
    column = {}
    for case in cases:
        done = {one.epoch: one for one in attempts[case.case_id] if one.status is AttemptStatus.DONE}
        errors = {one.epoch: one.reason for one in attempts[case.case_id] if one.epoch not in done}
        tries = [one for _, one in sorted(done.items())]
        trials = [trial for one in tries if (trial := store.trial(one.seq)) is not None]
        known = scores[case.case_id]
        reason = reasons.get(case.case_id) or next(iter(errors.values()), "") or "not tried"
        column[case.case_id] = Cell(
            variant=variant.name,
            score=float(np.mean(known)) if known else None,
            reason="" if known else reason,
            actions=tuple(action_of(trial.decision) for trial in trials),
            did=tuple(signature(trial.decision) for trial in trials),
            output=_output(trials[0].decision.rationale or trials[0].decision.abstain_reason) if trials else "",
            epochs=len(tries),
            errors=len(errors),
            tokens_in=_mean([one.tokens_in for one in tries]),
            tokens_out=_mean([one.tokens_out for one in tries]),
            usd=_mean([one.usd for one in tries]),
            latency_ms=float(np.median([one.latency_ms for one in tries])) if tries else None,
        )
    return column


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if values and len(known) == len(values) else None


def _output(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if len(words) <= _LONGEST_OUTPUT else f"{words[: _LONGEST_OUTPUT - 1]}…"
