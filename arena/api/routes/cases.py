"""A decision as one document with the words of its models, and the act that makes a case for evals of it."""

from typing import Annotated, Any

import fastapi
from fastapi.responses import JSONResponse
from pydantic import Field

from arena.access import Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.problems import NotFound
from arena.api.records import READS, run_asked
from arena.api.routes.decisions import DecisionId
from arena.api.values import AskedRun, Row, finite
from arena.freezing import add_case
from arena.services import Services
from arena.traces import Trace, TraceArchive, trace_document
from trading.domain.errors import RequestError

HORIZON = "6h"
"""How long a case follows what came of a decision: as long as its page does."""

Download = Annotated[bool, fastapi.Query(description="As a file to be kept.")]


class Frozen(Row):
    """A case that was made of a decision: it stands in the suite ``own``."""

    case: str = Field(examples=["own-0123456789ab"])
    sha256: str
    said: str


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the journals of ``services``, with what their models said."""
    archive = TraceArchive(services.home, services.transcripts)
    router = area("decisions")

    def known(run: str | None, decision_id: str) -> Trace:
        try:
            return archive.trace(run_asked(services, run), decision_id)
        except RequestError as error:
            raise NotFound(str(error)) from error

    @router.get("/decisions/{decision_id}/words", dependencies=READS, summary="One decision with its models' words")
    def words(decision_id: DecisionId, run: AskedRun = None, download: Download = False) -> dict[str, Any]:
        """The decision from state to outcome, with prompts and answers where they were kept."""
        trace = known(run, decision_id)
        said, missing = archive.words(trace)
        document: dict[str, Any] = finite({**trace_document(trace, said), "missing_words": missing or None})
        if not download:
            return document
        name = f'attachment; filename="{trace.decision_id}.json"'
        return JSONResponse(document, headers={"content-disposition": name})  # type: ignore[return-value]

    @router.post("/decisions/{decision_id}/case", dependencies=[needs(Role.TRADER)], summary="Make a case of it")
    def freeze(decision_id: DecisionId, run: AskedRun = None) -> Frozen:
        """Make a case of the decision for the suite `own`: the same moment, to be asked of every variant."""
        known(run, decision_id)
        case, _ = add_case(services.settings, run_asked(services, run), decision_id, horizon=HORIZON)
        said = f"{case.case_id} is a case of the suite own. `tradefloor lab run own ...` asks it again of any model."
        return Frozen(case=case.case_id, sha256=case.sha256, said=said)

    return router
