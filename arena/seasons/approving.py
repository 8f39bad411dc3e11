"""Asking a person before a desk trades: at a terminal or a page, as a recorded season answered, or nobody."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graphs import Proposal
from trading.domain.decision import Approval, IntentEdit
from trading.domain.errors import ConfigError
from trading.domain.event import Event, EventKind
from trading.domain.instants import iso
from trading.risk.approvals import ApprovalBoard
from trading.storage.journal import read_verified

PATIENCE_MS = 300_000
"""How long a proposal waits for a person where a season does not say."""

UNSEEN = "--approve all"
"""Who approves when nobody looks."""

_EVERY_S = 0.2

_LOG = logging.getLogger("tradefloor.approvals")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPeople:
    """Puts proposals of a run on the board and waits, by the wall clock, up to ``patience_ms`` for each."""

    board: ApprovalBoard
    run_id: str
    patience_ms: int

    async def __call__(self, proposal: Proposal) -> Approval:
        """The answer, or that nobody gave one in time."""
        asked = self.board.ask(
            run_id=self.run_id,
            proposal=proposal.proposal_id,
            decision_id=proposal.decision_id,
            desk=proposal.desk,
            round_index=proposal.round_index,
            rulings=proposal.rulings,
            rationale=proposal.rationale,
            patience_ms=self.patience_ms,
            lots=proposal.lots,
            changed=proposal.changed,
        )
        if asked.answer is None:
            _LOG.warning(
                "%s of %s waits for a person until %s: `tradefloor approvals list`",
                asked.proposal,
                asked.desk,
                iso(asked.deadline_ms),
            )
        # Another process answers, so there is nothing here that could wake us.
        while (answer := self.board.look(self.run_id, asked.proposal)) is None:  # noqa: ASYNC110
            await asyncio.sleep(_EVERY_S)
        return answer


async def approve_unseen(proposal: Proposal) -> Approval:
    """Approve whatever is proposed, and say that nobody looked."""
    return Approval(approved=True, by=UNSEEN, note="nobody looked", proposal=proposal.proposal_id)


class AsRecorded:
    """The answers of a recorded season: the same proposal is answered and changed the same, at the same instant."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._answers: Mapping[tuple[str, str], Approval] = {
            (event.decision_id, event.payload["proposal"]): Approval(
                **{name: event.payload[name] for name in ("approved", "by", "note", "at_ms", "proposal")},
                edits=tuple(IntentEdit.of(row) for row in event.payload.get("edits", ())),
            )
            for event in events
            if event.kind is EventKind.APPROVAL_ANSWERED
        }

    async def __call__(self, proposal: Proposal) -> Approval:
        """The recorded answer. Raises ConfigError for a proposal that nobody was ever asked about."""
        found = self._answers.get((proposal.decision_id, proposal.proposal_id))
        if found is None:
            raise ConfigError(
                f"the recorded season has no answer to a proposal of {proposal.desk} in round "
                f"{proposal.round_index + 1}; play it with --approve all, or record it again"
            )
        return found


def recorded_answers(cassette: Path) -> AsRecorded:
    """The answers that stand in the journal beside ``cassette``. Raises ConfigError when there is none."""
    journal = cassette.with_name("journal.sqlite")
    if not journal.is_file():
        raise ConfigError(
            f"cassette {cassette}: no journal lies beside it, so nobody knows what was approved; "
            "replay the cassette of a run, or add --approve all"
        )
    return AsRecorded(stored.event() for stored in read_verified(journal))
