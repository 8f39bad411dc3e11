"""How long an order that does not fill is waited for: some tries, then something else (control 16)."""

from dataclasses import dataclass
from enum import StrEnum


class NextStep(StrEnum):
    """What to do about an order that stands unfilled."""

    WAIT = "wait"
    REQUOTE = "requote"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """An order may stand ``wait_ms``; it is quoted anew ``retries`` times, and then the matter is escalated."""

    wait_ms: int
    retries: int

    def next_step(self, age_ms: int, tries: int) -> NextStep:
        """What to do after ``age_ms`` of the present try, ``tries`` tries having failed before it."""
        if age_ms < self.wait_ms:
            return NextStep.WAIT
        return NextStep.REQUOTE if tries < self.retries else NextStep.ESCALATE
