"""Forecasts: how those of a season's desks turned out, and the trained models of the house."""

from typing import Literal

import fastapi

from arena.api.area import area
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.records import READS
from arena.api.routes.floor import current
from arena.api.values import AskedInstrument, Instant, Row
from arena.seasons.forecast_board import ForecastBoard
from arena.services import Services
from trading.domain.instants import duration_text, iso

Stage = Literal["candidate", "champion", "retired"]


class ModelEntry(Row):
    """A trained model of the registry: what it forecasts, up to when it learnt, and whether it may speak."""

    model_id: str
    instrument: str
    timeframe: str
    horizon: str
    stage: str
    trained_to: Instant


class BoardAnswer(Row):
    """The forecast board of the season on the floor; null before its first forecasts have ended."""

    season: str
    run: str
    as_of: Instant
    board: ForecastBoard | None


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the forecasts of ``services``."""
    router = area("forecasts", dependencies=READS)

    @router.get("/forecasts", summary="How the season's forecasts turned out")
    def board() -> BoardAnswer:
        """Skill, coverage and calibration of each desk's forecasts in the season on the floor."""
        snapshot = current(services.floor)
        return BoardAnswer(
            season=snapshot.season, run=snapshot.run_id, as_of=iso(snapshot.as_of_ms), board=snapshot.forecasts
        )

    @router.get("/models", summary="Trained models")
    def models(
        instrument: AskedInstrument = None, stage: Stage | None = None, after: AfterId = None, limit: Limit = 50
    ) -> Page[ModelEntry]:
        """The models of the registry that fit every filter."""
        if not (services.home / "models" / "registry.sqlite").is_file():
            return Page(items=())
        from trading.forecasting.registry import Registry

        rows = [
            ModelEntry(
                model_id=entry.model_id,
                instrument=entry.key.instrument,
                timeframe=duration_text(entry.key.step_ms),
                horizon=duration_text(entry.key.horizon_ms),
                stage=entry.stage.value,
                trained_to=iso(entry.trained_to_ms),
            )
            for entry in Registry(services.home).entries()
            if instrument in (None, entry.key.instrument) and stage in (None, entry.stage.value)
        ]
        return page_by_id(rows, limit, after, lambda row: row.model_id)

    return router
