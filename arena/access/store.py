"""The file of people, tokens and sessions: ``<home>/access.sqlite``, which its owner alone may read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trading.domain.errors import ConfigError

_TABLES = (
    "create table if not exists people (name text primary key, role text not null, password text, "
    "created_ms integer not null) strict",
    "create table if not exists tokens (digest text primary key, ident text not null, name text not null, "
    "created_ms integer not null) strict",
    "create table if not exists sessions (digest text primary key, name text not null, created_ms integer not null, "
    "seen_ms integer not null) strict",
)
_OTHERS = 0o077


class AccessFile:
    """Opens the database for one piece of work at a time, from any thread or process."""

    def __init__(self, home: Path) -> None:
        self.path = home / "access.sqlite"

    def exists(self) -> bool:
        """Whether anybody was ever added."""
        return self.path.exists()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The database, inside a transaction that is kept when the work ends well.

        Raises ConfigError where the file is damaged, cannot be opened, or can be read by other people.
        """
        try:
            self._make()
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as db:
                db.execute("begin immediate")
                for table in _TABLES:
                    db.execute(table)
                yield db
                db.execute("commit")
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{self.path}: people cannot be read ({error})") from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The database for reading; it must exist. Raises ConfigError as :meth:`open` does."""
        try:
            self._check()
            address = f"{self.path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)) as db:
                yield db
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{self.path}: people cannot be read ({error})") from error

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        self._check()

    def _check(self) -> None:
        mode = self.path.stat().st_mode
        if os.name == "posix" and mode & _OTHERS:
            raise ConfigError(f"{self.path}: other people can read it (mode {mode & 0o777:o}): chmod 600 {self.path}")
