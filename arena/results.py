"""What a home folder has on record: its runs, and its evals by suite and variant. Read for pages, changed by nobody."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from arena.evaluating import open_attempts
from arena.seasons.standings import standings_document
from arena.settings import Settings
from evals.attempts import AttemptStatus, AttemptStore
from evals.compare import compare
from evals.suite import Suite, discover, find_suite
from trading.domain.errors import TradefloorError
from trading.storage.runs import RunFolder, Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run. ``changed_ms`` is when its journal was last written to (wall clock), None where it has none."""

    run_id: str
    season: str
    market: str
    status: str
    desks: tuple[str, ...]
    rules_sha256: str
    changed_ms: int | None
    journal_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """A variant on a suite: attempts by how they ended, how many of the suite's dev cases it was tried on, its mean."""

    name: str
    sha256: str
    done: int
    errors: int
    cases: int
    of: int
    mean: float | None
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRow:
    """A suite with everything that was tried on it."""

    name: str
    title: str
    scorer: str
    unit: str
    cases: int
    heldout: int
    variants: tuple[VariantRow, ...]


def runs_of(settings: Settings) -> list[RunRow]:
    """Every run of the home folder, the one worked on last first."""
    return [_run(folder) for folder in reversed(Runs(settings.home).all())]


def run_standings(settings: Settings, run_id: str) -> dict[str, Any]:
    """The standings document of a run. Raises RequestError for a stranger or one without a round."""
    return standings_document(Runs(settings.home).get(run_id))


def evals_of(settings: Settings) -> list[SuiteRow]:
    """Every suite with the variants that were tried on it. Raises EvalStoreError for a file that cannot be read."""
    with open_attempts(settings) as store:
        return [_suite(suite, store, settings) for suite in discover().values()]


def compared(settings: Settings, suite: str, first: str, second: str) -> list[str]:
    """What every scorer of a suite says of two variants by name, a sentence each, the deciding one first.

    Raises RequestError for a suite or a variant that is not on record.
    """
    found = find_suite(suite)
    names = sorted((one.name for one in found.scorers), key=lambda name: name != found.primary)
    with open_attempts(settings) as store:
        return [compare(store, found, first, second, scorer=name).in_words() for name in names]


def _run(folder: RunFolder) -> RunRow:
    facts, size, changed_ms = folder.manifest, 0, None
    with suppress(OSError):
        found = folder.journal.stat()
        size, changed_ms = found.st_size, found.st_mtime_ns // 1_000_000
    rules = facts.get("rules")
    desks = rules.get("desk") if isinstance(rules, dict) else None
    return RunRow(
        run_id=folder.run_id,
        season=str(facts.get("season", "")),
        market=str(facts.get("market", "")),
        status="finished" if folder.is_finished else "unfinished" if facts else "cannot be read",
        desks=tuple(str(desk.get("name", "")) for desk in desks or () if isinstance(desk, dict)),
        rules_sha256=str(facts.get("rules_sha256", "")),
        changed_ms=changed_ms,
        journal_bytes=size,
    )


def _suite(suite: Suite, store: AttemptStore, settings: Settings) -> SuiteRow:
    try:
        cases = suite.cases(settings.data_root)
    except TradefloorError:  # recorded files that are not there; the attempts are told all the same
        cases = ()
    dev = {case.case_id for case in cases if case.split == "dev"}
    attempts = store.attempts(suite=suite.name)
    digests = list(dict.fromkeys(one.variant_sha256 for one in reversed(attempts)))
    rows = []
    for digest in digests:
        mine = [one for one in attempts if one.variant_sha256 == digest]
        done = [one for one in mine if one.status is AttemptStatus.DONE]
        finished = {one.key for one in done}
        known = [
            row.value
            for row in store.scores(suite=suite.name, variant=digest, scorer=suite.scorer())
            if row.value is not None and row.split == "dev"
        ]
        prices = [one.usd for one in mine]
        rows.append(
            VariantRow(
                name=mine[-1].variant,
                sha256=digest,
                done=len(done),
                errors=len({one.key for one in mine} - finished),
                cases=len({one.case_id for one in done} & dev),
                of=len(dev),
                mean=sum(known) / len(known) if known else None,
                usd=None if None in prices else sum(price or 0.0 for price in prices),
            )
        )
    return SuiteRow(
        name=suite.name,
        title=suite.title,
        scorer=suite.primary,
        unit=suite.scorer().unit,
        cases=len(dev),
        heldout=len(cases) - len(dev),
        variants=tuple(rows),
    )
