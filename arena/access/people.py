"""People who may log in, and programs that come with a token of theirs."""

import hashlib
import hmac
import re
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from arena.access.caller import Caller, Role
from arena.access.passwords import hash_password, is_password
from arena.access.store import AccessFile
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError

TOKEN_PREFIX = "tf_"  # noqa: S105 - what tells our tokens from other secrets, and none itself

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_IDENT_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who was let in. ``tokens`` are the first characters of each token's hash: they name it, no more.

    ``created_ms`` is wall clock, milliseconds since 1970 (UTC).
    """

    name: str
    role: Role
    has_password: bool
    tokens: tuple[str, ...]
    created_ms: int

    @property
    def can_enter(self) -> bool:
        """Whether there is any way in for them."""
        return self.has_password or bool(self.tokens)


class People:
    """The people of one home folder. Passwords and tokens are kept as hashes alone."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._file = AccessFile(home)
        self._clock = clock or SystemClock()

    def add(self, name: str, role: Role, password: str | None) -> Person:
        """Let somebody in. Without a ``password`` they come by token alone.

        Raises RequestError for a name that is taken or is none, or a password that is too short.
        """
        if not _NAME.fullmatch(name):
            raise RequestError(
                f"{name[:80]!r} cannot be a name: it takes 1 to 64 small letters, digits and . _ @ -, a letter or "
                "digit first"
            )
        kept = None if password is None else hash_password(password)
        with self._file.open() as db:
            if _find(db, name) is not None:
                raise RequestError(f"{name} is there already; `tradefloor access passwd {name}` changes the password")
            db.execute("insert into people values (?, ?, ?, ?)", (name, role.name.lower(), kept, self._clock.now_ms()))
        return self.one(name)

    def remove(self, name: str) -> None:
        """Let somebody in no more: tokens and sessions end at once. Raises RequestError for an unknown name."""
        self._known(name)
        with self._file.open() as db:
            for table in ("sessions", "tokens", "people"):
                db.execute(f"delete from {table} where name = ?", (name,))  # noqa: S608  (constant names)

    def set_password(self, name: str, password: str) -> None:
        """Change the password and end every session of ``name``. Tokens stay."""
        self._known(name)
        kept = hash_password(password)
        with self._file.open() as db:
            db.execute("update people set password = ? where name = ?", (kept, name))
            db.execute("delete from sessions where name = ?", (name,))

    def issue_token(self, name: str) -> str:
        """A new token of ``name``: shown now and never again. Raises RequestError for an unknown name."""
        self._known(name)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        digest = digest_of(token)
        with self._file.open() as db:
            db.execute(
                "insert into tokens values (?, ?, ?, ?)", (digest, digest[:_IDENT_LENGTH], name, self._clock.now_ms())
            )
        return token

    def revoke(self, name: str) -> int:
        """End every token and session of ``name``; gives how many tokens there were."""
        found = self._known(name)
        with self._file.open() as db:
            db.execute("delete from tokens where name = ?", (name,))
            db.execute("delete from sessions where name = ?", (name,))
        return len(found.tokens)

    def one(self, name: str) -> Person:
        """The person of that name. Raises RequestError where there is none."""
        return self._known(name)

    def everyone(self) -> list[Person]:
        """Everybody, by name."""
        if not self._file.exists():
            return []
        with self._file.read() as db:
            rows = db.execute("select name, role, password, created_ms from people order by name").fetchall()
            return [_person(db, *row) for row in rows]

    def by_password(self, name: str, password: str) -> Caller | None:
        """Who ``name`` is where ``password`` is theirs. It takes as long for a name that nobody has."""
        found = None
        if self._file.exists():
            with self._file.read() as db:
                found = db.execute("select role, password from people where name = ?", (name,)).fetchone()
        kept = found[1] if found is not None else None
        if not is_password(kept, password) or found is None:
            return None
        return Caller(name=name, role=_role(found[0]))

    def by_token(self, token: str) -> Caller | None:
        """Whose token it is."""
        if not token.startswith(TOKEN_PREFIX) or not self._file.exists():
            return None
        digest = digest_of(token)
        with self._file.read() as db:
            found = db.execute(
                "select digest, people.name, role from tokens join people using (name) where digest = ?", (digest,)
            ).fetchone()
        if found is None or not hmac.compare_digest(found[0], digest):
            return None
        return Caller(name=found[1], role=_role(found[2]))

    def _known(self, name: str) -> Person:
        found = next((person for person in self.everyone() if person.name == name), None)
        if found is None:
            raise RequestError(f"nobody is called {name[:80]!r}; `tradefloor access list` shows who is there")
        return found


def digest_of(secret: str) -> str:
    """The hash under which a token or a session is kept. Both are 256 random bits, so no salt and no work is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _find(db: sqlite3.Connection, name: str) -> object:
    return db.execute("select 1 from people where name = ?", (name,)).fetchone()


def _person(db: sqlite3.Connection, name: str, role: str, password: str | None, created_ms: int) -> Person:
    idents = db.execute("select ident from tokens where name = ? order by created_ms, ident", (name,)).fetchall()
    return Person(
        name=name,
        role=_role(role),
        has_password=password is not None,
        tokens=tuple(ident for (ident,) in idents),
        created_ms=created_ms,
    )


def _role(text: str) -> Role:
    try:
        return Role[text.upper()]
    except KeyError:
        raise ConfigError(f"access.sqlite: {text!r} is no role; remove that person and add them again") from None
