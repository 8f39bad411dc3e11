"""The leaderboard as JSON and CSV: of the season on the floor, or of all seasons of the house."""

import csv
import io
from dataclasses import asdict
from typing import Annotated, Any, Literal

import fastapi
from fastapi.responses import JSONResponse, Response

from arena.access import Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.routes.floor import current
from arena.api.standings import Standings, standings
from arena.boards import board_office
from arena.commands.leaderboard import as_csv
from arena.services import Services


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the floor and the runs of ``services``."""
    router = area("leaderboard", responses={503: {"description": "Not computed yet: ask again."}})

    @router.get("/leaderboard", dependencies=[needs(Role.VIEWER)], summary="Desks of the season, or over all of them")
    def read_leaderboard(
        of: Literal["season", "all"] = "season",
        form: Annotated[Literal["json", "csv"], fastapi.Query(alias="format")] = "json",
    ) -> Response:
        """All desks in rank order, with every pair of them; ``all`` is what `tradefloor leaderboard` prints."""
        if of == "season":
            snapshot = current(services.floor)
            found = standings(snapshot)
            if form == "csv":
                return _file(_rows(found), "leaderboard-season.csv")
            odds = None if snapshot.odds is None else asdict(snapshot.odds)
            return JSONResponse({**found.model_dump(mode="json"), "pairs": odds})
        state = board_office(services.settings).latest()
        if state.board is None:
            told = state.trouble or "the leaderboard is being computed; ask again in a minute"
            raise fastapi.HTTPException(503, told, headers={"retry-after": "20"})
        if form == "csv":
            return _file(as_csv(state.board), "leaderboard-all.csv")
        restated = [one.to_json() for one in state.restated]
        return JSONResponse({**state.board.to_json(), "restatements": restated, "age_s": state.age_s})

    return router


def _rows(found: Standings) -> str:
    rows: list[dict[str, Any]] = [_flat(row.model_dump()) for row in found.desks]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["desk"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return " ".join(f"{key}={one}" for key, one in value.items())
        return " ".join(map(str, value)) if isinstance(value, tuple) else value

    return {name: plain(value) for name, value in row.items()}


def _file(text: str, name: str) -> Response:
    return Response(text, media_type="text/csv", headers={"content-disposition": f'attachment; filename="{name}"'})
