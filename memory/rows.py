"""Episodes as rows of SQLite, and back."""

import sqlite3
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from memory.episode import Episode, Expectation
from trading.domain import money_text

SCHEMA = """
CREATE TABLE IF NOT EXISTS episodes (
    episode_id TEXT PRIMARY KEY,
    decision_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event_hash TEXT NOT NULL,
    desk TEXT NOT NULL,
    instrument TEXT NOT NULL,
    round_index INTEGER NOT NULL,
    decided_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    action TEXT NOT NULL,
    side INTEGER NOT NULL,
    state BLOB,
    regime TEXT NOT NULL,
    price REAL NOT NULL,
    text TEXT NOT NULL,
    expected TEXT,
    touched_seq INTEGER NOT NULL,
    contradicts TEXT NOT NULL,
    moved_ms INTEGER NOT NULL,
    move REAL,
    closed_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    net_return REAL,
    pnl TEXT,
    reflection TEXT NOT NULL,
    insight TEXT NOT NULL,
    insight_ms INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS episodes_in_time ON episodes (decided_ms, seq, instrument);
CREATE TABLE IF NOT EXISTS embedded (
    collection TEXT NOT NULL,
    episode_id TEXT NOT NULL,
    PRIMARY KEY (collection, episode_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

COLUMNS = 28
INSERT = f"INSERT OR REPLACE INTO episodes VALUES ({', '.join('?' * COLUMNS)})"  # noqa: S608  (only question marks)


def row_of(one: Episode) -> tuple[Any, ...]:
    """The row of an episode, with the digest over what is in it."""
    expected = one.expected
    return (
        one.episode_id,
        one.decision_id,
        one.seq,
        one.event_hash,
        one.desk,
        one.instrument,
        one.round_index,
        one.decided_ms,
        one.status,
        one.action,
        one.side,
        None if one.state is None else np.array(one.state, dtype="<f8").tobytes(),
        one.regime,
        one.price,
        one.text,
        None
        if expected is None
        else orjson.dumps([expected.horizon_s, expected.p_up, expected.q05, expected.q50, expected.q95]).decode(),
        one.touched_seq,
        one.contradicts,
        one.moved_ms,
        one.move,
        one.closed_ms,
        one.kind,
        one.net_return,
        None if one.pnl is None else money_text(one.pnl),
        one.reflection,
        one.insight,
        one.insight_ms,
        one.digest(),
    )


def episode_of(row: sqlite3.Row) -> Episode:
    """The episode of a row."""
    facts = {name: row[name] for name in row.keys() if name != "digest"}  # noqa: SIM118  (a Row is no mapping)
    facts["state"] = None if row["state"] is None else tuple(np.frombuffer(row["state"], dtype="<f8").tolist())
    facts["pnl"] = None if row["pnl"] is None else Decimal(row["pnl"])
    if row["expected"] is not None:
        horizon_s, p_up, q05, q50, q95 = orjson.loads(row["expected"])
        facts["expected"] = Expectation(horizon_s=horizon_s, p_up=p_up, q05=q05, q50=q50, q95=q95)
    return Episode(**facts)
