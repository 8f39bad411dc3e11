"""A desk's place in one round: what it can see and reach, and who approves for it."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.brief import RoundBrief
from tools.context import ToolContext
from trading.domain.decision import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a person is asked to approve: the intents with the gate's preview, and why.

    ``lots`` are the quantity steps of its instruments. ``changed`` is what people changed before it came to this
    proposal: each change with who made it (``by``) and in which proposal.
    """

    decision_id: str
    desk: str
    round_index: int
    rulings: Sequence[Mapping[str, Any]]
    rationale: str
    lots: Mapping[str, str] = field(default_factory=dict)
    changed: Sequence[Mapping[str, Any]] = ()

    @property
    def proposal_id(self) -> str:
        """Identifies the proposal by its content and what led to it: asked again word for word, it is the same one."""
        content: list[Any] = [self.decision_id, list(self.rulings), self.rationale]
        if self.changed:
            content.append(list(self.changed))
        return f"p-{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]}"


Approver = Callable[[Proposal], Awaitable[Approval]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A desk in a round.

    ``thread_id`` names the checkpoints of the decision: the same one continues or returns it. With ``needs_approval`` a
    proposal waits for ``approver``, which answers in the end, if only that nobody did; without an approver the desk
    abstains and the proposal stays where it is, so that deciding again with one continues from there.
    """

    tools: ToolContext
    season: str
    round_index: int
    rounds: int
    decision_id: str
    thread_id: str
    brief: RoundBrief
    needs_approval: bool = False
    approver: Approver | None = None
