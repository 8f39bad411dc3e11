"""Evals: suites, the attempts on record, and two variants compared."""

from typing import Annotated, Any, Literal

import fastapi
from pydantic import Field

from arena.api.area import area
from arena.api.paging import AfterSequence, Limit, Page, page_by_sequence
from arena.api.problems import NotFound
from arena.api.records import READS
from arena.api.values import Row, finite
from arena.evaluating import eval_folder, open_attempts
from arena.services import Services
from evals.attempts import Attempt, AttemptStatus
from evals.compare import compare
from evals.suite import discover, find_suite

AskedSuite = Annotated[str, fastapi.Query(alias="suite", min_length=1, max_length=80, examples=["decisions"])]
MaybeSuite = Annotated[
    str | None, fastapi.Query(alias="suite", min_length=1, max_length=80, description="One suite; all without it.")
]
AskedVariant = Annotated[str, fastapi.Query(min_length=1, max_length=200, examples=["house/momentum"])]
MaybeVariant = Annotated[
    str | None, fastapi.Query(alias="variant", min_length=1, max_length=200, description="A name or a digest.")
]


class ScorerRow(Row):
    """A scorer: its unit, and whether more is better (null: neither)."""

    name: str
    unit: str
    rises: bool | None
    meaning: str


class SuiteRow(Row):
    """A suite, the scorers that judge its cases, and the one that decides."""

    suite: str
    title: str
    primary: str
    scorers: tuple[ScorerRow, ...]


class Suites(Row):
    """Every suite there is."""

    suites: tuple[SuiteRow, ...]


class AttemptRow(Row):
    """One attempt of a variant at a case."""

    seq: int
    suite: str = Field(examples=["decisions"])
    case_id: str
    split: str
    variant: str
    variant_sha256: str
    epoch: int
    status: Literal["done", "error"]
    reason: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    latency_ms: float | None


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the evals of ``services``."""
    router = area("evals", below="/evals", dependencies=READS)

    def tried() -> bool:
        return (eval_folder(services.settings) / "attempts.sqlite").is_file()

    @router.get("/suites", summary="Suites")
    def suites() -> Suites:
        """Every suite with its scorers."""
        return Suites(
            suites=tuple(
                SuiteRow(
                    suite=suite.name,
                    title=suite.title,
                    primary=suite.primary,
                    scorers=tuple(
                        ScorerRow(name=one.name, unit=one.unit, rises=one.rises, meaning=one.meaning)
                        for one in suite.scorers
                    ),
                )
                for suite in discover().values()
            )
        )

    @router.get("/attempts", summary="Attempts on record, oldest first")
    def attempts(
        suite: MaybeSuite = None,
        variant: MaybeVariant = None,
        status: Literal["done", "error"] | None = None,
        after: AfterSequence = 0,
        limit: Limit = 50,
    ) -> Page[AttemptRow]:
        """Attempts that fit every filter."""
        if suite is not None:
            find_suite(suite)
        if not tried():
            return Page(items=())
        wanted = None if status is None else AttemptStatus(status)
        with open_attempts(services.settings) as store:
            found = store.attempts(suite=suite, variant=variant, status=wanted)
        page = page_by_sequence((one for one in found if one.seq > after), limit, lambda one: one.seq)
        return Page(items=tuple(map(_row, page.items)), next=page.next)

    @router.get("/compare", summary="Whether one variant is better than another")
    def compared(
        first: AskedVariant,
        second: AskedVariant,
        suite: AskedSuite,
        scorer: Annotated[str | None, fastapi.Query(min_length=1, max_length=80)] = None,
    ) -> dict[str, Any]:
        """The document of ``tradefloor eval compare --json`` on the cases of the dev split."""
        chosen = find_suite(suite)
        if not tried():
            raise NotFound(f"nothing was tried yet: `tradefloor eval run {suite} --variant MODEL` first")
        with open_attempts(services.settings) as store:
            found = compare(store, chosen, first, second, scorer=scorer)
        document: dict[str, Any] = finite({"suite": suite, "split": "dev", **found.to_json()})
        return document

    return router


def _row(one: Attempt) -> AttemptRow:
    same = (name for name in AttemptRow.model_fields if name != "status")
    return AttemptRow(status=one.status.value, **{name: finite(getattr(one, name)) for name in same})
