"""A desk against itself: what changes where a case is altered and nothing else is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evals.attempts import AttemptStore
from evals.case import Case
from evals.compare import Comparison, compare_rows
from evals.suite import Suite
from trading.domain.errors import RequestError
from trading.domain.instants import parse_instant, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinFinding:
    """One kind of alteration: the comparison of the altered cases (first) with their plain twins (second)."""

    alteration: str
    comparison: Comparison

    def to_json(self) -> dict[str, Any]:
        """The finding with what was altered."""
        return {"alteration": self.alteration, **self.comparison.to_json()}


def compare_twins(
    store: AttemptStore,
    suite: Suite,
    cases: Iterable[Case],
    variant: str,
    *,
    scorer: str | None = None,
    split: str = "dev",
    after: str | None = None,
    before: str | None = None,
) -> list[TwinFinding]:
    """Compare a variant's altered cases with their plain twins, for each kind of alteration.

    ``after`` and ``before`` (ISO 8601) bound the instants of the cases: what lies before a model's knowledge cut-off
    can be remembered, what lies after it cannot. Raises RequestError for a suite without twins, a variant that was
    never tried, or a scorer that the suite does not have.
    """
    chosen = [case for case in cases if case.split == split and _within(case, after, before)]
    kinds: dict[str, list[Case]] = defaultdict(list)
    for case in chosen:
        if case.twin is not None:
            kinds[_kind(case.alters)].append(case)
    if not kinds:
        raise RequestError(f"suite {suite.name} has no {split} cases with a twin here and then")
    measure = suite.scorer(scorer)
    rows = store.scores(suite=suite.name, variant=store.digest_of(variant, suite=suite.name), scorer=measure)
    return [
        TwinFinding(
            alteration=kind,
            comparison=compare_rows(
                f"{variant} under {kind}",
                f"{variant} without",
                measure,
                [row for row in rows if row.case_id in {case.case_id for case in altered}],
                [
                    replace(row, case_id=case.case_id)  # a pair is known by the name of its altered half
                    for case in altered
                    for row in rows
                    if row.case_id == case.twin
                ],
            ),
        )
        for kind, altered in sorted(kinds.items())
    ]


def _kind(alters: Sequence[str]) -> str:
    """What the alterations have in common over cases: a mask's seed and an attack's wording are left out."""
    kept = {"mask": 1, "poison": 2}
    return "+".join(":".join(parts[: kept.get(parts[0], 1)]) for parts in (name.split(":") for name in alters))


def _within(case: Case, after: str | None, before: str | None) -> bool:
    return (after is None or case.at_ms >= to_ms(parse_instant(after))) and (
        before is None or case.at_ms <= to_ms(parse_instant(before))
    )
