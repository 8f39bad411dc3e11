"""Running a strategy: a function called on every bar, through the same venue, gate, ledger and journal as a desk."""

from collections.abc import Callable, Sequence

from trading.domain import ids
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.intent import TradeIntent
from trading.engine.cursor import Cursor
from trading.engine.kernel import Engine

Strategy = Callable[[Cursor], Sequence[TradeIntent] | None]
"""Called once a bar with what is known then; returns what it wants to trade, or None."""

QUIET_BARS = 4096
"""After this many bars without a decision the record says that they passed, and marks the accounts."""


def run_strategy(engine: Engine, desk: str, strategy: Strategy) -> int:
    """Run ``strategy`` over every bar from the season's start to its end; answers how many bars it saw.

    A round is opened only where the strategy wants something; bars on which nothing happens are passed over without
    touching an account. An opened season is expected, or one that was restored.
    """
    setup, tape = engine.setup, engine.tape
    cursor = Cursor(tape, engine.row)
    row = first = engine.row
    end = tape.bars_known_at(setup.end_ms)
    wake = engine.wake_row()
    rounds = engine.rounds_closed
    note_at = row + QUIET_BARS
    while row < end:
        if row >= wake:
            engine.row = row
            engine.process_bar()
            wake = engine.wake_row()
        row += 1
        cursor.at = row
        intents = strategy(cursor)
        if intents:
            engine.row = row
            engine.open_round(rounds, cursor.as_of_ms)
            engine.submit(_decision(setup.season, desk, rounds, tuple(intents)))
            engine.close_round()
            rounds += 1
            wake = row
            note_at = row + QUIET_BARS
        elif row >= note_at:
            engine.row = row
            engine.note_quiet(cursor.as_of_ms, QUIET_BARS)
            note_at = row + QUIET_BARS
    engine.row = row
    return row - first


def _decision(season: str, desk: str, index: int, intents: tuple[TradeIntent, ...]) -> Decision:
    return Decision(
        decision_id=ids.decision_id(season, desk, index),
        desk=desk,
        round_index=index,
        status=DecisionStatus.ACTED,
        intents=intents,
        rationale="; ".join(intent.reason for intent in intents if intent.reason),
    )
