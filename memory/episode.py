"""One remembered decision on one instrument: what was known when it was made, and later what became of it."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import orjson

from memory.state import State
from trading.domain import money_text

NEVER_MS = 2**62
"""The instant of what has not happened yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the desk forecast for the instrument when it decided; quantiles are simple returns over ``horizon_s``."""

    horizon_s: int
    p_up: float
    q05: float
    q50: float
    q95: float


@dataclass(slots=True, kw_only=True)
class Episode:
    """A decision of a desk on one instrument.

    The fields up to ``expected`` are fixed when the decision is on record and are all that it is found by. The rest is
    filled in when it is known: ``move`` at ``moved_ms``, the outcome at ``closed_ms``, both NEVER_MS until then.
    ``action`` is ``"enter"``, ``"exit"`` or ``"none"``; ``side`` the side taken, wanted or held. ``reflection``
    is the look back by rule; ``insight`` that of the desk's model, asked for at ``insight_ms`` and empty where it gave
    none. ``touched_seq`` is the journal event that changed it last.
    """

    episode_id: str
    decision_id: str
    seq: int
    event_hash: str
    desk: str
    instrument: str
    round_index: int
    decided_ms: int
    status: str
    action: str
    side: int
    state: State | None
    regime: str
    price: float
    text: str
    expected: Expectation | None
    touched_seq: int
    contradicts: str = ""
    moved_ms: int = NEVER_MS
    move: float | None = None
    closed_ms: int = NEVER_MS
    kind: str = ""
    net_return: float | None = None
    pnl: Decimal | None = None
    reflection: str = ""
    insight: str = ""
    insight_ms: int = NEVER_MS

    def digest(self) -> str:
        """SHA-256 over everything that is remembered of it, to tell a row that was changed from its journal."""
        content = [
            self.episode_id, self.decision_id, self.seq, self.event_hash, self.desk, self.instrument, self.round_index,
            self.decided_ms, self.status, self.action, self.side, self.state, self.regime, self.price, self.text,
            self.contradicts, self.moved_ms, self.move, self.closed_ms, self.kind, self.net_return,
            None if self.pnl is None else money_text(self.pnl), self.reflection, self.insight,
            self.insight_ms,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(content)).hexdigest()


def episode_id(event_hash: str, instrument: str) -> str:
    """The id of an episode: it follows from its journal event, so a replay or a repeat gives the same one."""
    return f"e-{hashlib.sha256(f'{event_hash}|{instrument}'.encode()).hexdigest()[:20]}"
