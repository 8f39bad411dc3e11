"""Sessions of people who logged in on the web page. The browser holds a random name, we hold its hash."""

import hmac
import secrets
from pathlib import Path

from arena.access.caller import Caller, Role
from arena.access.people import digest_of
from arena.access.store import AccessFile
from trading.domain.clock import Clock, SystemClock

IDLE_MS = 2 * 3_600_000
"""A session ends when nothing was asked in it for this long. An open page asks once a second while it is on screen."""

LONGEST_MS = 24 * 3_600_000
"""A session ends this long after the login, whatever was asked in it."""

_TOUCH_MS = 60_000
_AT_ONCE = 20


class Sessions:
    """The sessions of one home folder, as any process there sees them."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._file = AccessFile(home)
        self._clock = clock or SystemClock()

    def begin(self, name: str) -> str:
        """A new session of ``name``, and its secret. What has expired goes; of many, the oldest go."""
        secret, now_ms = secrets.token_urlsafe(32), self._clock.now_ms()
        with self._file.open() as db:
            db.execute(
                "delete from sessions where seen_ms < ? or created_ms < ?", (now_ms - IDLE_MS, now_ms - LONGEST_MS)
            )
            db.execute("insert into sessions values (?, ?, ?, ?)", (digest_of(secret), name, now_ms, now_ms))
            db.execute(
                "delete from sessions where name = ? and digest not in "
                "(select digest from sessions where name = ? order by created_ms desc, rowid desc limit ?)",
                (name, name, _AT_ONCE),
            )
        return secret

    def caller(self, secret: str) -> Caller | None:
        """Whose session it is, with the role that they have now; None where it has ended or never was."""
        if not self._file.exists():
            return None
        digest, now_ms = digest_of(secret), self._clock.now_ms()
        with self._file.read() as db:
            found = db.execute(
                "select digest, people.name, role, sessions.created_ms, seen_ms "
                "from sessions join people using (name) where digest = ?",
                (digest,),
            ).fetchone()
        if found is None or not hmac.compare_digest(found[0], digest):
            return None
        _, name, role, created_ms, seen_ms = found
        if now_ms - seen_ms >= IDLE_MS or now_ms - created_ms >= LONGEST_MS:
            self.end(secret)
            return None
        if now_ms - seen_ms >= _TOUCH_MS:
            with self._file.open() as db:
                db.execute("update sessions set seen_ms = ? where digest = ?", (now_ms, digest))
        return Caller(name=name, role=Role[role.upper()])

    def end(self, secret: str) -> None:
        """End the session, if it is one."""
        if self._file.exists():
            with self._file.open() as db:
                db.execute("delete from sessions where digest = ?", (digest_of(secret),))
