"""Runs of the house and their standings."""

from typing import Annotated, Any, Literal

import fastapi
from pydantic import Field

from arena.api.area import area
from arena.api.heavy import heavy
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.records import READS
from arena.api.values import Row, finite
from arena.records import shelf_of
from arena.seasons.standings import standings_document
from arena.services import Services
from trading.storage.runs import RunFolder, Runs

RunId = Annotated[str, fastapi.Path(pattern=r"^[a-z0-9][a-z0-9-]{0,80}$", examples=["demo-0123abcd-1"])]
Kind = Literal["simulated", "replay", "paper", "live"]


class RunRow(Row):
    """A run: a season as it was played. ``market`` says whether its prices are invented."""

    run_id: str = Field(examples=["demo-0123abcd-1"])
    season: str | None = Field(examples=["demo"])
    market: str | None = Field(examples=["simulated"])
    status: Literal["finished", "unfinished"]
    rules_sha256: str | None
    data_sha256: str | None
    on_the_floor: bool


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the runs of ``services``."""
    router = area("runs", dependencies=READS)

    @router.get("/runs", summary="Runs, the one worked on last at the end")
    def runs(after: AfterId = None, limit: Limit = 50) -> Page[RunRow]:
        """Every run of the house."""
        rows = [_row(services, folder) for folder in Runs(services.home).all()]
        return page_by_id(rows, limit, after, lambda row: row.run_id)

    @router.get("/runs/{run_id}", summary="One run")
    def run(run_id: RunId) -> RunRow:
        """What a run was started with, and how it stands."""
        return _row(services, shelf_of(services.home).folder(run_id))

    @router.get("/runs/{run_id}/standings", summary="The standings of a run")
    def run_standings(run_id: RunId) -> dict[str, Any]:
        """The document of ``tradefloor standings --json``: every desk with its intervals, scored from the journal."""
        folder = shelf_of(services.home).folder(run_id)
        with heavy():
            document: dict[str, Any] = finite(standings_document(folder))
        return document

    return router


def _row(services: Services, folder: RunFolder) -> RunRow:
    facts, snapshot = folder.manifest, services.floor.snapshot()
    return RunRow(
        run_id=folder.run_id,
        season=facts.get("season"),
        market=facts.get("market"),
        status="finished" if folder.is_finished else "unfinished",
        rules_sha256=facts.get("rules_sha256"),
        data_sha256=facts.get("data_sha256"),
        on_the_floor=snapshot is not None and snapshot.run_id == folder.run_id,
    )
