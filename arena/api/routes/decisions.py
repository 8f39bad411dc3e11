"""Decisions: one desk's newest, one with its whole trace, and the act that makes a case of one."""

from dataclasses import asdict
from typing import Annotated, Any

import fastapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from arena.access import Role
from arena.api.callers import needs
from arena.api.routes.floor import current
from arena.freezing import add_case
from arena.services import Services
from arena.traces import Trace, TraceArchive, trace_document
from trading.domain.errors import RequestError

MOST = 200
"""Decisions of one answer at most."""

HORIZON = "6h"
"""How long a case follows what came of a decision: as long as its page does."""

RunId = Annotated[str | None, fastapi.Query(max_length=100, description="A run; without it the one on the floor.")]


class Frozen(BaseModel):
    """A case that was made of a decision: it stands in the suite ``own``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    sha256: str
    said: str


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the journals of ``services``."""
    archive = TraceArchive(services.home, services.transcripts)
    router = fastapi.APIRouter(
        tags=["decisions"],
        responses={404: {"description": "No such run, desk or decision."}, 503: {"description": "No snapshot yet."}},
    )

    def chosen(run: str | None) -> str:
        return run or current(services.floor).run_id

    def known(run: str | None, decision_id: str) -> Trace:
        try:
            return archive.trace(chosen(run), decision_id)
        except RequestError as error:
            raise fastapi.HTTPException(404, str(error)) from error

    @router.get("/decisions", dependencies=[needs(Role.VIEWER)])
    def read_decisions(
        desk: Annotated[str, fastapi.Query(min_length=1, max_length=100)],
        last: Annotated[int, fastapi.Query(ge=1, le=MOST)] = 20,
        run: RunId = None,
    ) -> dict[str, Any]:
        """The newest decisions of a desk, newest first, and how many it has made."""
        run_id = chosen(run)
        try:
            entries, made = archive.newest(run_id, desk, last)
        except RequestError as error:
            raise fastapi.HTTPException(404, str(error)) from error
        if not made:
            raise fastapi.HTTPException(404, f"run {run_id} has no decision of {desk[:80]!r} on record")
        return {"run_id": run_id, "desk": desk, "made": made, "decisions": [asdict(entry) for entry in entries]}

    @router.get("/decisions/{decision_id}", dependencies=[needs(Role.VIEWER)])
    def read_decision(decision_id: str, run: RunId = None, download: bool = False) -> JSONResponse:
        """The whole trace of a decision, with the words of its models where they are known."""
        trace = known(run, decision_id)
        words, missing = archive.words(trace)
        headers = {"content-disposition": f'attachment; filename="{trace.decision_id}.json"'} if download else None
        return JSONResponse({**trace_document(trace, words), "missing_words": missing or None}, headers=headers)

    @router.post(
        "/decisions/{decision_id}/case",
        dependencies=[needs(Role.TRADER)],
        responses={409: {"description": "It cannot be a case; the detail says why."}},
    )
    def freeze_decision(decision_id: str, run: RunId = None) -> Frozen:
        """Makes a case of the decision for the suite ``own``: the same moment, to be asked of every variant."""
        known(run, decision_id)
        case, _ = add_case(services.settings, chosen(run), decision_id, horizon=HORIZON)
        said = f"{case.case_id} is a case of the suite own. `tradefloor lab run own ...` asks it again of any model."
        return Frozen(case=case.case_id, sha256=case.sha256, said=said)

    return router
