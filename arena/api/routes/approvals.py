"""Proposals that wait for a person, and answering them."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import fastapi
from pydantic import Field

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.values import Instant, Reason, Row, Said, finite, instant_of
from arena.services import Services
from trading.domain.decision import Approval
from trading.domain.instants import iso
from trading.risk.approvals import ApprovalBoard, Asked
from trading.risk.edits import LegChange

Digits = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$", examples=["0.5"])]
ProposalId = Annotated[str, fastapi.Path(min_length=1, max_length=120, examples=["p-0123456789abcdef"])]


class EditRow(Row):
    """What a person changed in a leg, counted from 1; a quantity that became null is a leg that was dropped."""

    leg: int = Field(examples=[1])
    instrument: str = Field(examples=["BTC-USDT-PERP"])
    name: str = Field(examples=["quantity"])
    old: str | None = Field(examples=["2"])
    new: str | None = Field(examples=["0.5"])


class ChangeRow(EditRow):
    """A change that led to a proposal: who made it, and in which proposal before this one."""

    by: str
    proposal: str


class AnswerRow(Row):
    """What was answered; ``by`` is null where nobody answered in time. With ``edits`` it was approved as changed."""

    approved: bool
    by: str | None
    note: str
    at: Instant | None
    edits: tuple[EditRow, ...]


class ProposalRow(Row):
    """A desk's proposal: its intents, each with what the gate would say of it. Texts come from models and are data.

    ``lots`` are the quantity steps of its instruments. ``changed`` is empty for what a desk proposed; where a person
    changed that and the gate did not let it through, it says how it came to this proposal.
    """

    proposal: str
    run: str
    decision_id: str
    desk: str
    round: int
    rulings: tuple[dict[str, Any], ...]
    rationale: str
    lots: dict[str, str]
    changed: tuple[ChangeRow, ...]
    asked_at: Instant
    deadline: Instant
    answer: AnswerRow | None


class LegEdit(Said):
    """What to change in a leg: what is left out stays, a price that is null is taken away. Or drop the leg."""

    leg: int = Field(ge=1, le=50, description="Counted from 1, in the order of `rulings`.", examples=[1])
    drop: bool = False
    quantity: Digits | None = Field(default=None, description="Base units, in whole lots; null is refused.")
    limit_price: Digits | None = None
    trigger_price: Digits | None = None
    stop_loss: Digits | None = None
    take_profit: Digits | None = None

    def change(self) -> LegChange:
        """As the board understands it."""
        values = self.model_dump(exclude_unset=True, exclude={"leg", "drop"})
        return LegChange(leg=self.leg, values=values, drop=self.drop)


class NewAnswer(Said):
    """Whether the proposal may be sent, and why; with ``edits`` as it is changed by them."""

    approved: bool
    reason: Reason
    edits: Annotated[tuple[LegEdit, ...], Field(min_length=1, max_length=50)] | None = None


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

    @router.post("/approvals/{proposal}/answer", summary="Approve, change or reject a proposal")
    def answer(proposal: ProposalId, given: NewAnswer, caller: Annotated[Caller, needs(Role.TRADER)]) -> ProposalRow:
        """Answer in the caller's name. An answer given once stands.

        With `edits` the proposal is approved as changed, and the gate rules on it again. What the gate then refuses or
        cuts is not sent: it comes back as another proposal, whose `changed` tells of these edits.
        """
        if proposal not in {asked.proposal for asked in board.all()}:
            raise NotFound(f"no proposal {proposal[:100]!r} was asked; GET /approvals lists those that wait")
        changes = None if given.edits is None else [edit.change() for edit in given.edits]
        return _row(
            board.answer(proposal, approved=given.approved, who=caller.name, reason=given.reason, changes=changes)
        )

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
        lots=dict(asked.lots),
        changed=tuple(ChangeRow.model_validate(change) for change in asked.changed),
        asked_at=iso(asked.asked_ms),
        deadline=iso(asked.deadline_ms),
        answer=None if found is None else _answer_row(found),
    )


def _answer_row(answer: Approval) -> AnswerRow:
    return AnswerRow(
        approved=answer.approved,
        by=answer.by,
        note=answer.note,
        at=instant_of(answer.at_ms),
        edits=tuple(EditRow(**asdict(edit)) for edit in answer.edits),
    )
