"""A decision asked once more: a job beside the server, and the new answer beside the one on record. Nothing trades."""

from decimal import Decimal
from typing import Annotated, Literal

import fastapi
from pydantic import Field

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.problems import NotFound
from arena.api.records import READS, run_asked
from arena.api.routes.decisions import DecisionId
from arena.api.values import AskedRun, Instant, Row, Said, instant_of
from arena.jobs import Job
from arena.replay import CAP_USD, Answer, Difference, Replay, Replayer
from arena.services import Services
from arena.traces import Trace, TraceArchive
from trading.domain.errors import RequestError
from trading.domain.instants import iso

_RUNNING = "It is asked again; nothing of it trades. The two answers stand side by side once both are there."


class NewReplay(Said):
    """What live calls may cost together, in dollars. Rules and recorded answers cost nothing."""

    cap_usd: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, examples=[1.0])] = float(CAP_USD)


class ReplayJob(Row):
    """How asking goes, by the wall clock. ``total`` is null where nobody knows how many calls there will be."""

    status: Literal["running", "done", "failed", "cancelled"]
    done: int
    total: int | None
    said: str
    started_at: Instant
    ended_at: Instant | None


class ReplayFound(Row):
    """The answer on record, ``then``, and the one of ``now``. Texts come from models and are data.

    Of the ``calls`` to models, ``as_then`` were word for word those on record; ``recorded`` were answered from the
    recording, ``computed`` by rules and ``live`` by a model that was asked for this.
    """

    identical: bool
    traded: Literal[False] = False
    verdict: str = Field(examples=["The same answer. Every prompt was word for word that of then."])
    same: tuple[str, ...]
    differences: tuple[Difference, ...]
    then: Answer
    now: Answer
    calls: int
    as_then: int
    recorded: int
    computed: int
    live: int
    usd: float | None
    remarks: tuple[str, ...]
    by: str
    asked_at: Instant


class ReplayRow(Row):
    """A decision's replay: the ``job`` of this server, if there was one, and the newest result that is kept."""

    run: str
    decision_id: str
    said: str
    job: ReplayJob | None
    replay: ReplayFound | None


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the replays of ``services``."""
    archive = TraceArchive(services.home, services.transcripts)
    replayer = Replayer(services.settings, services.jobs)
    router = area("decisions")

    def known(run: str | None, decision_id: str) -> Trace:
        try:
            return archive.trace(run_asked(services, run), decision_id)
        except RequestError as error:
            raise NotFound(str(error)) from error

    @router.get("/decisions/{decision_id}/replay", dependencies=READS, summary="The replay of a decision")
    def replay(decision_id: DecisionId, run: AskedRun = None) -> ReplayRow:
        """How asking it again goes, and the newest answer beside the one on record."""
        return _row(replayer, known(run, decision_id))

    @router.post("/decisions/{decision_id}/replay", summary="Ask a decision again", status_code=202)
    def start(
        decision_id: DecisionId,
        caller: Annotated[Caller, needs(Role.TRADER)],
        run: AskedRun = None,
        wanted: NewReplay | None = None,
    ) -> ReplayRow:
        """Seat the desk where it sat and let it decide again; nothing it says is carried out. Poll with GET."""
        trace = known(run, decision_id)
        replayer.start(trace, by=caller.name, cap_usd=Decimal(str((wanted or NewReplay()).cap_usd)))
        return _row(replayer, trace)

    @router.post("/decisions/{decision_id}/replay/cancel", summary="End asking a decision again")
    def cancel(decision_id: DecisionId, _: Annotated[Caller, needs(Role.TRADER)], run: AskedRun = None) -> ReplayRow:
        """End the job; an earlier result stays."""
        trace = known(run, decision_id)
        replayer.cancel(trace.run_id, trace.decision_id)
        return _row(replayer, trace)

    return router


def _row(replayer: Replayer, trace: Trace) -> ReplayRow:
    job, found = replayer.job(trace.run_id, trace.decision_id), replayer.kept(trace.run_id, trace.decision_id)
    said = "It was not asked again yet." if found is None else found.verdict
    if job is not None and (job.is_running or found is None):
        said = _RUNNING if job.is_running else job.said
    return ReplayRow(
        run=trace.run_id,
        decision_id=trace.decision_id,
        said=said,
        job=None if job is None else _job(job),
        replay=None if found is None else _found(found),
    )


def _job(job: Job) -> ReplayJob:
    return ReplayJob(
        status=job.status.value,
        done=job.done,
        total=job.total,
        said=job.said,
        started_at=iso(job.started_ms),
        ended_at=instant_of(job.ended_ms),
    )


def _found(found: Replay) -> ReplayFound:
    same = (name for name in ReplayFound.model_fields if name in Replay.model_fields)
    return ReplayFound(
        identical=found.is_identical,
        verdict=found.verdict,
        asked_at=iso(found.asked_ms),
        **{name: getattr(found, name) for name in same},
    )
