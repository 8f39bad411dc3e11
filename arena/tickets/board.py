"""Tickets of a home folder: any process puts them there, the season that plays takes each once and tells the outcome.

The table is the audit as well: who asked for what, when by the wall clock. Nothing is removed. It decides nothing:
which tickets were carried out stands in the journal of their run.
"""

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from arena.tickets.order import OrderTicket
from arena.tickets.ticket import Ticket, TicketState
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError

PATIENCE_MS = 2 * 3_600_000
"""How long a ticket waits for a round by the wall clock: what was wanted this morning is not done tonight."""

MOST_WAITING = 50
"""Tickets of a desk that may wait at the same time."""

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_TABLE = """
create table if not exists tickets (
    run_id text not null, ticket text not null, desk text not null, body text not null, who text not null,
    placed_ms integer not null, deadline_ms integer not null, state text not null, words text not null,
    primary key (run_id, ticket)
) strict
"""
_COLUMNS = "run_id, ticket, desk, body, who, placed_ms, deadline_ms, state, words"


class TicketBoard:
    """The tickets of one home folder."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._path = home / "tickets.sqlite"
        self._clock = clock or SystemClock()

    def place(
        self,
        *,
        run_id: str,
        desk: str,
        who: str,
        order: OrderTicket | None = None,
        cancels: str = "",
        ticket_id: str = "",
        patience_ms: int = PATIENCE_MS,
    ) -> Ticket:
        """Put a ticket up: an order, or the cancel of an order by its id. The same id again is the same ticket.

        Raises RequestError for an id that stands for another ticket, or where too many wait.
        """
        identity = ticket_id or f"t-{uuid4().hex[:16]}"
        if not _ID.fullmatch(identity):
            raise RequestError(f"ticket id {identity[:80]!r}: expected up to 64 letters, digits and hyphens")
        if (order is None) == (not cancels):
            raise RequestError("a ticket is an order or the cancel of one")
        body = json.dumps({"cancels": cancels[:80]} if order is None else _plain(order), sort_keys=True)
        now_ms = self._clock.now_ms()
        with self._open() as db:
            db.execute("begin immediate")
            found = _read(db, "where run_id = ? and ticket = ?", (run_id, identity))
            if found:
                if db.execute(
                    "select 1 from tickets where run_id = ? and ticket = ? and desk = ? and body = ?",
                    (run_id, identity, desk, body),
                ).fetchone():
                    return found[0]
                raise RequestError(f"ticket {identity!r} stands for something else already; give this one its own id")
            waiting = _read(db, "where run_id = ? and desk = ? and state = 'waiting'", (run_id, desk))
            if sum(now_ms < one.deadline_ms for one in waiting) >= MOST_WAITING:
                raise RequestError(f"{MOST_WAITING} tickets of {desk} wait already; withdraw some, or wait for a round")
            db.execute(
                "insert into tickets values (?, ?, ?, ?, ?, ?, ?, 'waiting', '')",
                (run_id, identity, desk, body, " ".join(who.split())[:100], now_ms, now_ms + patience_ms),
            )
            db.execute("commit")
            return _read(db, "where run_id = ? and ticket = ?", (run_id, identity))[0]

    def withdraw(self, run_id: str, ticket_id: str) -> Ticket:
        """Take a ticket back that no round has taken yet. Raises RequestError where one has, or there is none."""
        with self._open() as db:
            changed = db.execute(
                "update tickets set state = 'withdrawn' where run_id = ? and ticket = ? and state = 'waiting'",
                (run_id, ticket_id),
            ).rowcount
            found = _read(db, "where run_id = ? and ticket = ?", (run_id, ticket_id))
        if not found:
            raise RequestError(f"no ticket {ticket_id[:80]!r}")
        if not changed:
            raise RequestError(f"ticket {ticket_id} is {found[0].state} already")
        return found[0]

    def claim(self, run_id: str, desk: str, known: Collection[str]) -> list[Ticket]:
        """The tickets for the round that is open, oldest first: from here on they cannot be withdrawn.

        ``known`` are those that stand in the journal already. One that was claimed by a round which was never
        committed is claimed again. Those whose time is up expire.
        """
        if not self._path.exists():
            return []
        now_ms = self._clock.now_ms()
        with self._open() as db:
            db.execute("begin immediate")
            live = "run_id = ? and desk = ? and state in ('waiting', 'taken')"
            found = [one for one in _read(db, f"where {live}", (run_id, desk)) if one.ticket_id not in known]
            late = [(run_id, one.ticket_id) for one in found if now_ms >= one.deadline_ms]
            taken = [one for one in found if now_ms < one.deadline_ms]
            db.executemany("update tickets set state = 'expired' where run_id = ? and ticket = ?", late)
            db.executemany(
                "update tickets set state = 'taken' where run_id = ? and ticket = ?",
                [(run_id, one.ticket_id) for one in taken],
            )
            db.execute("commit")
        return taken

    def tell(self, run_id: str, states: Iterable[tuple[str, TicketState, str]]) -> None:
        """Say what became of tickets: their ids, states and words, as the journal has them."""
        rows = [(state.value, words[:300], run_id, identity) for identity, state, words in states]
        if rows and self._path.exists():
            with self._open() as db:
                db.executemany("update tickets set state = ?, words = ? where run_id = ? and ticket = ?", rows)

    def of(self, run_id: str, desk: str, count: int = 200) -> list[Ticket]:
        """The newest tickets of a desk, newest first. One whose time ran out unseen is shown as expired."""
        if not self._path.exists():
            return []
        with self._open() as db:
            found = _read(db, "where run_id = ? and desk = ?", (run_id, desk))
        now_ms = self._clock.now_ms()
        return [_seen(one, now_ms) for one in found[::-1][:count]]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                db.execute(_TABLE)
                yield db
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{self._path}: the tickets cannot be read ({error})") from error


def _seen(ticket: Ticket, now_ms: int) -> Ticket:
    is_late = ticket.state is TicketState.WAITING and now_ms >= ticket.deadline_ms
    return replace(ticket, state=TicketState.EXPIRED) if is_late else ticket


def _plain(order: OrderTicket) -> dict[str, object]:
    return {"order": order.model_dump(mode="json", exclude_unset=True)}


def _read(db: sqlite3.Connection, where: str, values: tuple[str, ...]) -> list[Ticket]:
    rows = db.execute(f"select {_COLUMNS} from tickets {where} order by placed_ms, rowid", values)  # noqa: S608  (constant text)
    return [_ticket(*row) for row in rows]


def _ticket(
    run_id: str,
    identity: str,
    desk: str,
    body: str,
    who: str,
    placed_ms: int,
    deadline_ms: int,
    state: str,
    words: str,
) -> Ticket:
    try:
        given = json.loads(body)
        order = OrderTicket.model_validate(given["order"]) if "order" in given else None
        return Ticket(
            ticket_id=identity,
            run_id=run_id,
            desk=desk,
            order=order,
            cancels="" if order is not None else str(given["cancels"]),
            who=who,
            placed_ms=placed_ms,
            deadline_ms=deadline_ms,
            state=TicketState(state),
            words=words,
        )
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ConfigError(f"ticket {identity}: it is damaged ({error}); move tickets.sqlite away") from error
