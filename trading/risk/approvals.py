"""Proposals that wait for a person: one small database under the home folder, read and answered by any process there.

Whoever runs a desk asks and waits; a terminal or a page lists and answers. An answer given once stands. Nothing is
removed: the tables are the record of who answered what or changed what, and when by the wall clock.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trading.domain.clock import Clock, SystemClock
from trading.domain.decision import Approval, IntentEdit
from trading.domain.errors import ConfigError, RequestError
from trading.risk.edits import LegChange, edits_of

_TABLE = """
create table if not exists proposals (
    run_id text not null, proposal text not null, decision_id text not null, desk text not null, round integer not null,
    body text not null, asked_ms integer not null, deadline_ms integer not null, approved integer, who text,
    reason text, answered_ms integer, primary key (run_id, proposal)
) strict
"""
_EDITS_TABLE = """
create table if not exists edits (
    run_id text not null, proposal text not null, edits text not null, primary key (run_id, proposal)
) strict
"""
_COLUMNS = (
    "run_id, proposal, decision_id, desk, round, body, asked_ms, deadline_ms, approved, who, reason, answered_ms, edits"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A proposal as it was asked: ``rulings`` are its intents, each with what the gate would say of it.

    ``asked_ms`` and ``deadline_ms`` are wall clock, milliseconds since 1970 (UTC). ``answer`` is None while nobody has
    answered; once the deadline has passed it says that nobody did. ``lots`` are the quantity steps of its instruments.
    ``changed`` is what people changed before it came to this proposal, which the gate did not let through as they
    wanted it: each change with who made it (``by``).
    """

    run_id: str
    proposal: str
    decision_id: str
    desk: str
    round_index: int
    rulings: Sequence[Mapping[str, Any]]
    rationale: str
    asked_ms: int
    deadline_ms: int
    lots: Mapping[str, str] = field(default_factory=dict)
    changed: Sequence[Mapping[str, Any]] = ()
    answer: Approval | None = None


class ApprovalBoard:
    """The proposals of one home folder."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._path = home / "approvals.sqlite"
        self._clock = clock or SystemClock()

    def ask(
        self,
        *,
        run_id: str,
        proposal: str,
        decision_id: str,
        desk: str,
        round_index: int,
        rulings: Sequence[Mapping[str, Any]],
        rationale: str,
        patience_ms: int,
        lots: Mapping[str, str] | None = None,
        changed: Sequence[Mapping[str, Any]] = (),
    ) -> Asked:
        """Put a proposal before people. One that was answered already keeps its answer, another gets its time anew."""
        now_ms = self._clock.now_ms()
        asked = {"rulings": list(rulings), "rationale": rationale, "lots": dict(lots or {}), "changed": list(changed)}
        body = json.dumps(asked, ensure_ascii=False)
        with self._open() as db:
            db.execute("begin immediate")
            db.execute(
                "insert into proposals (run_id, proposal, decision_id, desk, round, body, asked_ms, deadline_ms) "
                "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (run_id, proposal) do update set "
                "asked_ms = excluded.asked_ms, deadline_ms = excluded.deadline_ms, approved = null, answered_ms = null "
                "where who is null",
                (run_id, proposal, decision_id, desk, round_index, body, now_ms, now_ms + patience_ms),
            )
            db.execute("commit")
            return _find(db, run_id, proposal)

    def look(self, run_id: str, proposal: str) -> Approval | None:
        """The answer so far. When its time is up, that nobody answered is written down, and is the answer."""
        with self._open() as db:
            found = _find(db, run_id, proposal)
            if found.answer is None and self._clock.now_ms() >= found.deadline_ms:
                # An answer that arrived in this very moment was first, and stands.
                db.execute(
                    "update proposals set approved = 0, answered_ms = ? "
                    "where run_id = ? and proposal = ? and answered_ms is null",
                    (self._clock.now_ms(), run_id, proposal),
                )
                found = _find(db, run_id, proposal)
            return found.answer

    def answer(
        self, proposal: str, *, approved: bool, who: str, reason: str, changes: Sequence[LegChange] | None = None
    ) -> Asked:
        """Approve or reject a proposal that waits, or with ``changes`` approve it as changed.

        Raises RequestError when none of that id waits, somebody was first, nobody says who they are and why, or the
        changes cannot be made.
        """
        if changes is not None and not approved:
            raise RequestError("what is rejected is not sent, so nothing of it can be changed: leave the changes out")
        who, reason = _said("who", who), _said("reason", reason)
        with self._open() as db:
            db.execute("begin immediate")
            now_ms = self._clock.now_ms()
            named = [asked for asked in _read(db) if asked.proposal == proposal]
            open_ones = [asked for asked in named if _waits(asked, now_ms)]
            if not open_ones:
                raise RequestError(f"{proposal[:100]!r}: {_why_not(named)}; see `tradefloor approvals list`")
            edits = [edits_of(asked.rulings, changes, asked.lots) if changes is not None else () for asked in open_ones]
            for asked, its_edits in zip(open_ones, edits, strict=True):
                if its_edits:
                    text = json.dumps([asdict(edit) for edit in its_edits], ensure_ascii=False)
                    db.execute("insert into edits values (?, ?, ?)", (asked.run_id, proposal, text))
                db.execute(
                    "update proposals set approved = ?, who = ?, reason = ?, answered_ms = ? "
                    "where run_id = ? and proposal = ?",
                    (int(approved), who, reason, now_ms, asked.run_id, proposal),
                )
            db.execute("commit")
            return _find(db, open_ones[0].run_id, proposal)

    def waiting(self) -> list[Asked]:
        """The proposals that can be answered now, oldest first."""
        if not self._path.exists():
            return []
        with self._open() as db:
            return _read(db, "where answered_ms is null and deadline_ms > ?", (self._clock.now_ms(),))

    def all(self) -> list[Asked]:
        """Every proposal ever asked, oldest first."""
        if not self._path.exists():
            return []
        with self._open() as db:
            return _read(db)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                db.execute(_TABLE)
                db.execute(_EDITS_TABLE)
                yield db
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{self._path}: the proposals cannot be read ({error})") from error


def _waits(asked: Asked, now_ms: int) -> bool:
    return asked.answer is None and now_ms < asked.deadline_ms


def _why_not(named: Sequence[Asked]) -> str:
    if not named:
        return "no proposal of that id"
    answer = named[-1].answer
    if answer is None or answer.by is None:
        return "its time is up, and the desk abstained"
    return f"{answered_how(answer)} by {answer.by} already"


def answered_how(answer: Approval) -> str:
    """What a person did with a proposal, in a word."""
    if answer.edits:
        return "changed"
    return "approved" if answer.approved else "rejected"


def _find(db: sqlite3.Connection, run_id: str, proposal: str) -> Asked:
    found = _read(db, "where run_id = ? and proposal = ?", (run_id, proposal))
    if not found:
        raise RequestError(f"no proposal {proposal!r} of run {run_id!r} was asked")
    return found[0]


def _read(db: sqlite3.Connection, where: str = "", values: tuple[str | int, ...] = ()) -> list[Asked]:
    both = "proposals left join edits using (run_id, proposal)"
    rows = db.execute(f"select {_COLUMNS} from {both} {where} order by asked_ms, proposals.rowid", values)  # noqa: S608  (constant names)
    return [_asked(*row) for row in rows]


def _asked(
    run_id: str,
    proposal: str,
    decision_id: str,
    desk: str,
    round_index: int,
    body: str,
    asked_ms: int,
    deadline_ms: int,
    approved: int | None,
    who: str | None,
    reason: str | None,
    answered_ms: int | None,
    edits: str | None,
) -> Asked:
    try:
        given = json.loads(body)
        rulings, rationale = tuple(given["rulings"]), str(given["rationale"])
        lots, changed = dict(given.get("lots", {})), tuple(given.get("changed", ()))
        its_edits = tuple(IntentEdit.of(row) for row in json.loads(edits or "[]"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"proposal {proposal}: its text is damaged ({error}); move approvals.sqlite away") from error
    answer = None
    if answered_ms is not None:
        answer = Approval(
            approved=bool(approved),
            by=who,
            note=reason or "",
            at_ms=answered_ms if who else None,
            proposal=proposal,
            edits=its_edits,
        )
    return Asked(
        run_id=run_id,
        proposal=proposal,
        decision_id=decision_id,
        desk=desk,
        round_index=round_index,
        rulings=rulings,
        rationale=rationale,
        asked_ms=asked_ms,
        deadline_ms=deadline_ms,
        lots=lots,
        changed=changed,
        answer=answer,
    )


def _said(what: str, text: str) -> str:
    line = " ".join(text.split())[:200]
    if not line:
        raise RequestError(f"--{what} is needed: nothing is approved, changed or rejected by nobody and for nothing")
    return line
