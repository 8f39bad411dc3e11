"""Proposals that wait for a person, and answering them."""

from typing import Annotated, Any, Literal

import fastapi

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.values import Instant, Reason, Row, Said, finite, instant_of
from arena.services import Services
from trading.domain.instants import iso
from trading.risk.approvals import ApprovalBoard, Asked

ProposalId = Annotated[str, fastapi.Path(min_length=1, max_length=120, examples=["p-0123456789abcdef"])]


class AnswerRow(Row):
    """What was answered; ``by`` is null where nobody answered in time."""

    approved: bool
    by: str | None
    note: str
    at: Instant | None


class ProposalRow(Row):
    """A desk's proposal: its intents, each with what the gate would say of it. Texts come from models and are data."""

    proposal: str
    run: str
    decision_id: str
    desk: str
    round: int
    rulings: tuple[dict[str, Any], ...]
    rationale: str
    asked_at: Instant
    deadline: Instant
    answer: AnswerRow | None


class NewAnswer(Said):
    """Whether the proposal may be sent, and why."""

    approved: bool
    reason: Reason


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the proposals of ``services``."""
    router = area("approvals")
    board = ApprovalBoard(services.home)

    @router.get("/approvals", summary="Proposals", dependencies=[needs(Role.VIEWER)])
    def approvals(
        state: Literal["waiting", "all"] = "waiting", after: AfterId = None, limit: Limit = 50
    ) -> Page[ProposalRow]:
        """Proposals that wait, or all that were ever asked, oldest first."""
        found = board.all() if state == "all" else board.waiting()
        return page_by_id(list(map(_row, found)), limit, after, lambda row: row.proposal)

    @router.post("/approvals/{proposal}/answer", summary="Approve or reject a proposal")
    def answer(proposal: ProposalId, given: NewAnswer, caller: Annotated[Caller, needs(Role.TRADER)]) -> ProposalRow:
        """Answer in the caller's name. An answer given once stands."""
        if proposal not in {asked.proposal for asked in board.all()}:
            raise NotFound(f"no proposal {proposal[:100]!r} was asked; GET /approvals lists those that wait")
        return _row(board.answer(proposal, approved=given.approved, who=caller.name, reason=given.reason))

    return router


def _row(asked: Asked) -> ProposalRow:
    found = asked.answer
    return ProposalRow(
        proposal=asked.proposal,
        run=asked.run_id,
        decision_id=asked.decision_id,
        desk=asked.desk,
        round=asked.round_index,
        rulings=finite([dict(ruling) for ruling in asked.rulings]),
        rationale=asked.rationale,
        asked_at=iso(asked.asked_ms),
        deadline=iso(asked.deadline_ms),
        answer=None
        if found is None
        else AnswerRow(approved=found.approved, by=found.by, note=found.note, at=instant_of(found.at_ms)),
    )
