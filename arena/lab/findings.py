"""What the record says of a comparison: the matrix, a verdict on each candidate, its price, what stops a promotion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.evaluating import estimated_usd, open_attempts, read_desks
from arena.lab.comparison import Comparison
from arena.settings import Settings
from arena.trying import chosen_cases
from evals.attempts import AttemptStore
from evals.case import Case
from evals.compare import BETTER
from evals.gate import gate
from evals.promptlab.matrix import Row, fails, matrix
from evals.promptlab.verdict import LabVerdict, verdicts
from evals.runner import missing
from evals.scoring import Scorer
from evals.suite import Suite, find_suite
from evals.variant import Variant
from trading.domain.errors import RequestError
from trading.stats import clustered_difference

SPLIT = "dev"
_TO_BEGIN_WITH = 20
"""Cases that are suggested where there are too few to tell anything."""

_STRICT = 0.02
"""A share that may fall by this much at most is one of rules kept: no case of it may get worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A variant over all its cases. ``mean`` is of ``scored`` cases, ``half_width`` that of its 95 % interval.

    ``passed`` counts the cases that do not fail; ``usd`` is the price of all attempts on record, None where any is not
    known.
    """

    name: str
    models: tuple[str, ...]
    prompts: dict[str, str]
    is_rule_based: bool
    mean: float | None
    half_width: float | None
    passed: int
    scored: int
    errors: int
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Whether a candidate's prompts may become production: ``prompts`` by role, ``obstacles`` in words, none if so."""

    prompts: dict[str, str]
    obstacles: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether nothing stands in the way."""
        return bool(self.prompts) and not self.obstacles


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A comparison as it stands. Columns and cells are in the order baseline, candidates; verdicts of the candidates.

    ``available`` cases are in the suite, ``missing`` attempts are still to be made for the cases asked. ``more`` cases
    are suggested, for about ``more_usd`` dollars (None: not known).
    """

    comparison: Comparison
    title: str
    scorer: Scorer
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    verdicts: tuple[LabVerdict, ...]
    promotions: tuple[Promotion, ...]
    available: int
    missing: int
    missing_usd: float | None
    more: int
    more_usd: float | None

    @property
    def is_rule_based(self) -> bool:
        """Whether no language model takes part."""
        return all(column.is_rule_based for column in self.columns)


def find(comparison: Comparison, settings: Settings) -> Findings:
    """Read the record. Raises RequestError or ConfigError for a suite, model or prompt that is not there any more."""
    suite = find_suite(comparison.suite)
    desks = read_desks((comparison.baseline, *comparison.candidates), settings)
    every = chosen_cases(suite, settings, SPLIT, None)
    cases = every[: comparison.cases]
    with open_attempts(settings) as store:
        tasks, found = missing(suite, cases, desks, 1, store)
        rows = matrix(suite, cases, desks, store, scorer=suite.scorer())
        said = _verdicts(store, suite, rows, desks) if found else []
        open_to = [
            _promotion(store, suite, cases, desks[0], desk, one) for desk, one in zip(desks[1:], said, strict=False)
        ]
        more = _more(said, len(cases), len(every))
        return Findings(
            comparison=comparison,
            title=suite.title,
            scorer=suite.scorer(),
            rows=tuple(rows),
            columns=tuple(_column(desk, at, rows, suite.scorer(), store, suite) for at, desk in enumerate(desks)),
            verdicts=tuple(said),
            promotions=tuple(open_to),
            available=len(every),
            missing=len(tasks),
            missing_usd=_price(desks, [sum(task.variant is desk for task in tasks) for desk in desks], store),
            more=more,
            more_usd=_price(desks, [more] * len(desks), store),
        )


def _verdicts(store: AttemptStore, suite: Suite, rows: Sequence[Row], desks: Sequence[Variant]) -> list[LabVerdict]:
    try:
        return verdicts(store, suite, rows, desks[1:], desks[0], scorer=None, split=SPLIT)
    except RequestError:  # one of them was not tried at all yet
        return []


def _column(desk: Variant, at: int, rows: Sequence[Row], scorer: Scorer, store: AttemptStore, suite: Suite) -> Column:
    cells = [row.cells[at] for row in rows]
    known = [(cell.score, row.cluster) for cell, row in zip(cells, rows, strict=True) if cell.score is not None]
    values = np.array([value for value, _ in known], np.float64)
    spread = clustered_difference(values, np.zeros(len(values)), [cluster for _, cluster in known]) if known else None
    wanted = {row.case_id for row in rows}
    tried = [one for one in store.attempts(suite=suite.name, variant=desk.sha256) if one.case_id in wanted]
    prices = [one.usd for one in tried]
    return Column(
        name=desk.name,
        models=desk.every_model(),
        prompts=dict(desk.prompts),
        is_rule_based=desk.is_rule_based,
        mean=float(values.mean()) if known else None,
        half_width=None if spread is None else (spread.ci95[1] - spread.ci95[0]) / 2,
        passed=sum(cell.score is not None and not fails(cell.score, scorer) for cell in cells),
        scored=len(known),
        errors=sum(cell.errors for cell in cells),
        usd=None if None in prices else float(sum(price or 0.0 for price in prices)),
    )


def _promotion(
    store: AttemptStore, suite: Suite, cases: Sequence[Case], baseline: Variant, desk: Variant, said: LabVerdict
) -> Promotion:
    prompts = {role: prompt for role, prompt in desk.prompts.items() if baseline.prompts.get(role) != prompt}
    obstacles = []
    if not prompts:
        obstacles.append("its prompts are those of the baseline; a model is changed in the season file")
    if said.comparison.verdict != BETTER:
        obstacles.append(f"the verdict is “{said.comparison.verdict}”, not “{BETTER}”")
    findings = gate(store, suite, desk.sha256, baseline.sha256, split=SPLIT)
    obstacles += [f"it is worse by {one.comparison.scorer.name}" for one in findings if one.fails]
    wanted = {case.case_id for case in cases}
    for scorer in suite.scorers:
        worse = sorted(_regressed(store, suite, scorer, baseline, desk) & wanted) if _is_strict(scorer) else ()
        if worse:
            named = ", ".join(worse[:3]) + (f" and {len(worse) - 3} more" if len(worse) > 3 else "")
            obstacles.append(f"it fails {named} by {scorer.name}, which the baseline passes")
    return Promotion(prompts=prompts, obstacles=tuple(obstacles))


def _is_strict(scorer: Scorer) -> bool:
    return bool(scorer.rises) and scorer.unit == "share" and scorer.margin <= _STRICT


def _regressed(store: AttemptStore, suite: Suite, scorer: Scorer, baseline: Variant, desk: Variant) -> set[str]:
    """Cases that the baseline passes in full and the candidate does not."""
    passed, failed = (
        {
            row.case_id
            for row in store.scores(suite=suite.name, variant=variant.sha256, scorer=scorer)
            if row.split == SPLIT and row.value is not None and (row.value >= 1.0) is wanted
        }
        for variant, wanted in ((baseline, True), (desk, False))
    )
    return passed & failed


def _more(said: Sequence[LabVerdict], asked: int, available: int) -> int:
    """How many more cases the first undecided candidate could use, as far as the suite has them."""
    needs = [
        one.comparison.statistics.needed
        for one in said
        if one.comparison.statistics is not None and one.comparison.verdict == "not separable"
    ]
    wanted = max((need for need in needs if need is not None), default=0)
    if any(one.comparison.statistics is None for one in said):
        wanted = max(wanted, _TO_BEGIN_WITH)
    return max(0, min(wanted, available) - asked)


def _price(desks: Sequence[Variant], counts: Sequence[int], store: AttemptStore) -> float | None:
    prices = [
        estimated_usd(desk, count, store=store) if count else 0.0 for desk, count in zip(desks, counts, strict=True)
    ]
    return None if None in prices else float(sum(price or 0.0 for price in prices))
