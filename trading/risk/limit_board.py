"""Limits changed while trading goes on: one small database under the home folder, read by every process there.

Tightening counts at once. Loosening needs a confirmation, and counts after a cool-down; it never goes past the limit
of the file that the project comes with. An override lifts one limit for a while, if a second person approves it. A
model may tighten and do nothing else. Nothing is ever removed: the table of changes is the record of who asked, when,
from what and to what.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.risk.limit_values import limit_text, looser, parsed, tighter
from trading.risk.limits import Limits

COOL_DOWN_MS = 300_000
"""How long a confirmed loosening waits before it counts."""

LONGEST_OVERRIDE_MS = 4 * 3_600_000
MOST_OVERRIDE = 2
"""An override may lift a limit to at most this many times the project's own."""

_TICK_NS = 100_000_000

_TABLE = """
create table if not exists changes (
    id integer primary key, origin text unique, kind text not null, name text not null, old text, value text not null,
    who text not null, actor text not null, reason text not null, at_ms integer not null, from_ms integer,
    until_ms integer, approver text
) strict
"""


class Actor(StrEnum):
    """Who asks for a change."""

    PERSON = "person"
    MODEL = "model"


class Kind(StrEnum):
    """What a change does."""

    TIGHTEN = "tighten"
    LOOSEN = "loosen"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a limit, by the wall clock (milliseconds since 1970, UTC).

    It counts from ``from_ms`` (None: not before a second person approves) until ``until_ms`` (None: for good).
    ``origin`` is the same in every copy of it.
    """

    origin: str
    kind: Kind
    name: str
    old: str
    value: str
    who: str
    actor: Actor
    reason: str
    at_ms: int
    from_ms: int | None
    until_ms: int | None = None
    approver: str | None = None


class LimitBoard:
    """The live limits of one home folder. ``house`` are those that the project comes with: the loosest there are."""

    def __init__(
        self, home: Path, house: Limits, clock: Clock | None = None, *, cool_down_ms: int = COOL_DOWN_MS
    ) -> None:
        self._path = home / "limits.sqlite"
        self._house = house
        self._clock = clock or SystemClock()
        self._cool_down_ms = cool_down_ms
        self._listeners: list[Callable[[Change], None]] = []
        self._seen: tuple[tuple[int, int], list[Change]] | None = None

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with every change made in this process: the in-process bus."""
        self._listeners.append(listener)

    def changes(self) -> list[Change]:
        """Every change ever made, oldest first. Raises ConfigError when the record cannot be read."""
        stamp = self._stamp()
        if stamp is None:
            return []
        # File times tick coarsely: what was written just now may be written again within the same tick.
        settled = time.time_ns() - stamp[0] > _TICK_NS
        if self._seen is None or self._seen[0] != stamp or not settled:
            with self._open() as db:
                self._seen = stamp, _read(db)
        return self._seen[1]

    def effective(self, base: Limits) -> Limits:
        """``base`` with what counts now in its place: the tighter of the two, or an override while it lasts."""
        now_ms, values = self._clock.now_ms(), {}
        for name, changes in self._standing(now_ms).items():
            live = parsed(self._house, name, changes[-1].value)
            override = changes[-1].kind is Kind.OVERRIDE
            values[name] = live if override else tighter(getattr(base, name), live)
        return base.model_copy(update=values) if values else base

    def why(self, name: str) -> Change | None:
        """The change that counts now for a limit."""
        return next(iter(self._standing(self._clock.now_ms()).get(name, [])[-1:]), None)

    def report(self) -> dict[str, Any]:
        """Every limit with the house's value, what counts now and by whom, and all changes: ready for JSON."""
        rows = []
        for name, value in self.effective(self._house):
            cause = self.why(name)
            rows.append(
                {
                    "name": name,
                    "value": limit_text(value),
                    "house": limit_text(getattr(self._house, name)),
                    "kind": None if cause is None else cause.kind.value,
                    "who": None if cause is None else cause.who,
                }
            )
        return {"limits": rows, "changes": [asdict(change) for change in self.changes()]}

    def set(
        self, name: str, value: str, *, who: str, reason: str, actor: Actor = Actor.PERSON, confirm: bool = False
    ) -> Change:
        """Change a limit. Raises RequestError for an unknown one, a value that is none, or a loosening not allowed."""
        who, reason = _said("who", who), _said("reason", reason)
        wanted = parsed(self._house, name, value)
        if looser(wanted, getattr(self._house, name)):
            raise RequestError(
                f"{name} = {value} is looser than the house limit {limit_text(getattr(self._house, name))}; "
                "an override, which a second person approves, can go past it for a while"
            )
        with self._open() as db:
            db.execute("begin immediate")
            now_ms = self._clock.now_ms()
            current = self._current(_read(db), name, now_ms)
            loosens = looser(wanted, current)
            if loosens and actor is Actor.MODEL:
                raise RequestError(
                    f"{name} = {value} is looser than {limit_text(current)}: a model may tighten, never loosen"
                )
            if loosens and not confirm:
                raise RequestError(
                    f"{name} = {value} is looser than {limit_text(current)}: say --confirm, and it counts after "
                    f"{self._cool_down_ms // 1000} s"
                )
            change = Change(
                origin=_origin(),
                kind=Kind.LOOSEN if loosens else Kind.TIGHTEN,
                name=name,
                old=limit_text(current),
                value=limit_text(wanted),
                who=who,
                actor=actor,
                reason=reason,
                at_ms=now_ms,
                from_ms=now_ms + self._cool_down_ms if loosens else now_ms,
            )
            _write(db, change)
            db.commit()
        self._tell(change)
        return change

    def ask_override(self, name: str, value: str, *, who: str, reason: str, for_ms: int) -> Change:
        """Ask to lift a limit for a while. It counts from when a second person approves it."""
        who, reason = _said("who", who), _said("reason", reason)
        wanted, house = parsed(self._house, name, value), getattr(self._house, name)
        if isinstance(wanted, tuple) or wanted > MOST_OVERRIDE * house:
            raise RequestError(
                f"{name} = {value}: an override may lift a number to {MOST_OVERRIDE} times {limit_text(house)}"
            )
        if not 0 < for_ms <= LONGEST_OVERRIDE_MS:
            raise RequestError(
                f"an override lasts up to {LONGEST_OVERRIDE_MS // 60_000} minutes, not {for_ms // 60_000}"
            )
        now_ms = self._clock.now_ms()
        with self._open() as db:
            db.execute("begin immediate")
            change = Change(
                origin=_origin(),
                kind=Kind.OVERRIDE,
                name=name,
                old=limit_text(self._current(_read(db), name, now_ms)),
                value=limit_text(wanted),
                who=who,
                actor=Actor.PERSON,
                reason=reason,
                at_ms=now_ms,
                from_ms=None,
                until_ms=for_ms,
            )
            _write(db, change)
            db.commit()
        return change

    def approve(self, origin: str, *, who: str) -> Change:
        """Let an override count, as a second person. Raises RequestError for one's own, an old or an unknown one."""
        approver = _said("who", who)
        with self._open() as db:
            db.execute("begin immediate")
            found = next((each for each in _read(db) if each.origin == origin), None)
            if found is None or found.kind is not Kind.OVERRIDE or found.from_ms is not None:
                raise RequestError(f"no override {origin!r} waits for approval")
            if found.who.casefold() == approver.casefold():
                raise RequestError(f"{approver} asked for this override: a second person must approve it")
            now_ms = self._clock.now_ms()
            until_ms = now_ms + (found.until_ms or 0)
            db.execute(
                "update changes set from_ms = ?, until_ms = ?, approver = ? where origin = ?",
                (now_ms, until_ms, approver, origin),
            )
            db.commit()
            approved = next(each for each in _read(db) if each.origin == origin)
        self._tell(approved)
        return approved

    def take(self, change: Change) -> None:
        """Write down a change that was made elsewhere; one that is known already stays as it is."""
        parsed(self._house, change.name, change.value)
        with self._open() as db:
            db.execute("begin immediate")
            _write(db, change)
            db.commit()

    def _standing(self, now_ms: int) -> Mapping[str, list[Change]]:
        """What counts at ``now_ms``, by limit: the last change that does not override, then an override."""
        found: dict[str, list[Change]] = {}
        overrides: dict[str, Change] = {}
        for change in self.changes():
            if change.from_ms is None or change.from_ms > now_ms:
                continue
            if change.kind is not Kind.OVERRIDE:
                found[change.name] = [change]
            elif change.until_ms is not None and now_ms < change.until_ms:
                overrides[change.name] = change
        for name, change in overrides.items():
            found.setdefault(name, []).append(change)
        return found

    def _current(self, changes: list[Change], name: str, now_ms: int) -> Any:
        current = getattr(self._house, name)
        for change in changes:
            if change.name == name and change.kind is not Kind.OVERRIDE and (change.from_ms or 0) <= now_ms:
                current = parsed(self._house, name, change.value)
        return current

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be read ({error.strerror})") from error
        return found.st_mtime_ns, found.st_size

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # The rollback journal rewrites the file itself, so that its time of change tells others to look.
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                db.execute(_TABLE)
                yield db
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{self._path}: the live limits cannot be read ({error})") from error


def _origin() -> str:
    return uuid4().hex[:12]


def _read(db: sqlite3.Connection) -> list[Change]:
    columns = "origin, kind, name, old, value, who, actor, reason, at_ms, from_ms, until_ms, approver"
    rows = db.execute(f"select {columns} from changes order by at_ms, id")  # noqa: S608  (constant names)
    return [
        Change(
            origin=row[0],
            kind=Kind(row[1]),
            name=row[2],
            old=row[3],
            value=row[4],
            who=row[5],
            actor=Actor(row[6]),
            reason=row[7],
            at_ms=row[8],
            from_ms=row[9],
            until_ms=row[10],
            approver=row[11],
        )
        for row in rows
    ]


def _write(db: sqlite3.Connection, change: Change) -> None:
    db.execute(
        "insert into changes (origin, kind, name, old, value, who, actor, reason, at_ms, from_ms, until_ms, approver) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (origin) do update set "
        "from_ms = excluded.from_ms, until_ms = excluded.until_ms, approver = excluded.approver",
        (
            change.origin,
            change.kind.value,
            change.name,
            change.old,
            change.value,
            change.who,
            change.actor.value,
            change.reason,
            change.at_ms,
            change.from_ms,
            change.until_ms,
            change.approver,
        ),
    )


def _said(what: str, text: str) -> str:
    line = " ".join(text.split())[:200]
    if not line:
        raise RequestError(f"--{what} is needed: a limit is not changed by nobody and for nothing")
    return line
