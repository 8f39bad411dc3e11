"""What a desk is told of what became of its last decision."""

from typing import Any

from agents.feedback import feedback_line
from trading.domain.event import Event, EventKind
from trading.engine.feedback import Feedback


def answered(**changes: Any) -> Event:
    payload = {"desk": "one", "proposal": "p-1", "approved": True, "by": "ada", "note": "half of it", "at_ms": 1}
    return Event(ts_ms=1, kind=EventKind.APPROVAL_ANSWERED, payload={**payload, **changes})


def told(*events: Event) -> list[str]:
    fold = Feedback()
    for event in events:
        fold.apply(event)
    return [feedback_line(row) for row in fold.of("one")]


def test_a_desk_is_told_what_a_person_changed_and_why() -> None:
    size = {"leg": 1, "intent_id": "i-1", "instrument": "BTC-USDT-PERP", "name": "quantity", "old": "2", "new": "1"}
    edits = [size, {**size, "leg": 2, "instrument": "ETH-USDT-PERP", "new": None}]
    assert told(answered(edits=edits)) == [
        "ada changed your proposal: BTC-USDT-PERP quantity from 2 to 1; ETH-USDT-PERP dropped. half of it"
    ]
    assert told(answered(edits=edits), answered(approved=False, note="no"))[1] == (
        "ada did not approve your proposal: no"
    )
    assert told(answered()) == [], "what was approved as it was is told by its fills"
    assert told(answered(approved=False, by=None)) == ["Nobody approved your proposal in time, so nothing was sent."]
