"""The store of a run's memory: episodes in SQLite, their texts' vectors in Chroma, one writer, all of it derived.

The journal is the record; a store that is behind, half written or thrown away is made whole from it. Rows come first
and vectors after, and a row without a vector is known as such: killed in between, the vector is written the next time.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from memory.embedding import Embedding
from memory.episode import Episode
from memory.rows import COLUMNS, INSERT, SCHEMA, episode_of, row_of
from memory.vectors import MAX_BATCH, ChromaVectors, VectorIndex
from trading.domain.errors import MemoryUnavailable

_PAGE = 500
OpenVectors = Callable[[str], VectorIndex]
"""The index of a collection by its name."""

Progress = Callable[[int, int], None]
"""Told how many texts have been embedded, and of how many."""


class MemoryStore:
    """The memory of one run in ``folder``. One process at a time has it open: a second one is refused.

    ``open_vectors`` answers with the index of a collection; by default Chroma in the folder, or at ``chroma_url``.
    What has no vector yet is embedded on opening; ``progress`` is told of it.
    Raises MemoryUnavailable when the folder is in use, or cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        embedding: Embedding,
        *,
        run_id: str = "",
        chroma_url: str | None = None,
        open_vectors: OpenVectors | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.folder = folder
        self.embedding = embedding
        self.collection = f"episodes-{embedding.slug}" if chroma_url is None else f"{run_id}-{embedding.slug}"[-100:]
        self._lock = _claim(folder)
        try:
            with _sql(folder):
                self._db = sqlite3.connect(folder / "episodes.sqlite", isolation_level=None, check_same_thread=False)
                self._db.row_factory = sqlite3.Row
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.executescript(SCHEMA)
                found = len(self._db.execute("PRAGMA table_info(episodes)").fetchall())
                if found != COLUMNS:
                    raise sqlite3.DatabaseError(f"it has {found} columns, expected {COLUMNS}")
            if open_vectors is not None:
                self._vectors = open_vectors(self.collection)
            elif chroma_url is not None:
                self._vectors = ChromaVectors.at_server(chroma_url, self.collection)
            else:
                self._vectors = ChromaVectors.in_folder(folder / "chroma", self.collection)
            self.heal(progress)
        except BaseException:
            self._release()
            raise

    @property
    def written_seq(self) -> int:
        """The last journal event of which everything is in the store."""
        return int(self.fact("written_seq") or 0)

    def fact(self, name: str) -> str | None:
        """A fact about the store, None where it was not noted."""
        with _sql(self.folder):
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def write(self, episodes: Iterable[Episode], *, written_seq: int, progress: Progress | None = None) -> None:
        """Keep episodes, new or changed, and note up to which event everything is there. Raises MemoryUnavailable."""
        rows = [row_of(episode) for episode in episodes]
        with _sql(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(INSERT, rows)
                facts = {"written_seq": str(written_seq), "embedding": self.embedding.name}
                self._db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
                self._db.execute("COMMIT")
            except sqlite3.Error:
                self._db.execute("ROLLBACK")
                raise
        self.heal(progress)

    def heal(self, progress: Progress | None = None) -> int:
        """Embed every episode that has no vector in the collection yet; answers how many those were."""
        done, lacking = 0, 0 if progress is None else self._lacking()
        while batch := self._without_vector(min(self.embedding.batch, MAX_BATCH)):
            vectors = self.embedding.embed([row["text"] for row in batch])
            ids = [row["episode_id"] for row in batch]
            self._vectors.upsert(ids, vectors, [row["desk"] for row in batch], [row["decided_ms"] for row in batch])
            with _sql(self.folder):
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "INSERT OR IGNORE INTO embedded VALUES (?, ?)", [(self.collection, key) for key in ids]
                )
                self._db.execute("COMMIT")
            done += len(ids)
            if progress is not None:
                progress(done, lacking)
        return done

    def forget_vectors(self) -> None:
        """Take it that the collection is empty: every text is embedded anew by the next :meth:`heal`."""
        with _sql(self.folder):
            self._db.execute("DELETE FROM embedded WHERE collection = ?", (self.collection,))

    def episodes(self) -> Iterator[Episode]:
        """Every episode, in order of its decision."""
        with _sql(self.folder):
            for row in self._db.execute("SELECT * FROM episodes ORDER BY decided_ms, seq, instrument"):
                yield episode_of(row)

    def digests(self) -> Iterator[tuple[Episode, str]]:
        """Every episode with the digest that was written with it."""
        with _sql(self.folder):
            for row in self._db.execute("SELECT * FROM episodes ORDER BY decided_ms, seq, instrument"):
                yield episode_of(row), row["digest"]

    def search(
        self, text: str, *, as_of_ms: int, desk: str | None = None, count: int = 5
    ) -> list[tuple[Episode, float]]:
        """The episodes decided before ``as_of_ms`` whose texts are nearest to ``text``, with cosines.

        A search over everything is tried first and is nearly always enough; filtering inside Chroma is many times
        slower and comes only where too much of what was found lies later.
        """
        vector = self.embedding.embed([text])[0]
        found = self._visible(self._vectors.query(vector, 8 * count), as_of_ms, desk)
        if len(found) < count:
            found = self._visible(self._vectors.query(vector, count, desk=desk, before_ms=as_of_ms), as_of_ms, desk)
        return found[:count]

    def counts(self) -> dict[str, int]:
        """Episodes, those with an outcome, vectors in the collection, and bytes on disk: all, index, vectors."""
        with _sql(self.folder):
            row = self._db.execute(
                "SELECT count(*) AS episodes, count(net_return) AS closed, count(DISTINCT desk) AS desks FROM episodes"
            ).fetchone()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        index = sum(path.stat().st_size for path in self.folder.glob("episodes.sqlite*"))
        held = folder_bytes(self.folder)
        return {
            **dict(row),
            "vectors": self._vectors.count(),
            "bytes": held,
            "bytes_index": index,
            "bytes_vectors": held - index,
        }

    def close(self) -> None:
        """Let go of the files and the lock."""
        try:
            self._vectors.close()
        finally:
            self._release()

    def _visible(
        self, hits: Sequence[tuple[str, float]], as_of_ms: int, desk: str | None
    ) -> list[tuple[Episode, float]]:
        ids = [key for key, _ in hits]
        rows: dict[str, Episode] = {}
        with _sql(self.folder):
            for begin in range(0, len(ids), _PAGE):
                part = ids[begin : begin + _PAGE]
                marks = ", ".join("?" * len(part))
                query = f"SELECT * FROM episodes WHERE episode_id IN ({marks})"  # noqa: S608  (only question marks)
                rows |= {row["episode_id"]: episode_of(row) for row in self._db.execute(query, part)}
        return [
            (rows[key], cosine)
            for key, cosine in hits
            if key in rows and rows[key].decided_ms < as_of_ms and desk in (None, rows[key].desk)
        ]

    def _lacking(self) -> int:
        with _sql(self.folder):
            (found,) = self._db.execute(
                "SELECT count(*) FROM episodes AS one WHERE NOT EXISTS "
                "(SELECT 1 FROM embedded WHERE collection = ? AND episode_id = one.episode_id)",
                (self.collection,),
            ).fetchone()
        return int(found)

    def _without_vector(self, limit: int) -> list[sqlite3.Row]:
        with _sql(self.folder):
            return self._db.execute(
                "SELECT episode_id, text, desk, decided_ms FROM episodes AS one WHERE NOT EXISTS "
                "(SELECT 1 FROM embedded WHERE collection = ? AND episode_id = one.episode_id) "
                "ORDER BY decided_ms, seq, instrument LIMIT ?",
                (self.collection, limit),
            ).fetchall()

    def _release(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()
        self._lock.close()


def set_aside(folder: Path, part: str) -> Path | None:
    """Move a damaged part of a store out of the way; nothing is deleted. None where there was nothing."""
    place = folder / part
    if not place.exists():
        return None
    number = 1
    while (aside := folder / f"{part}.damaged-{number}").exists():
        number += 1
    place.rename(aside)
    return aside


def forget_embedded(folder: Path) -> None:
    """Take it that no vectors are there, in a store that cannot be opened because of them."""
    index = folder / "episodes.sqlite"
    if not index.is_file():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(index, isolation_level=None)) as db:
        db.execute("DELETE FROM embedded")  # an index that is damaged as well goes next


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _claim(folder: Path) -> sqlite3.Connection:
    # An exclusive transaction on a file of its own is a lock that every system has and that dies with the process.
    lock: sqlite3.Connection | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "writer.lock", isolation_level=None, timeout=0.2, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except (sqlite3.Error, OSError) as error:
        if lock is not None:
            lock.close()
        if getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY":
            raise MemoryUnavailable(
                f"trade memory at {folder}: another process has it open; wait for it, or stop it",
                short="another process has it open",
                is_locked=True,
            ) from error
        raise MemoryUnavailable(
            f"trade memory at {folder}: cannot be opened ({error}); mend the folder's permissions or move it away",
            short="its folder cannot be opened",
        ) from error
    return lock


@contextmanager
def _sql(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise MemoryUnavailable(
            f"trade memory at {folder}: its index cannot be used ({error}); "
            "`tradefloor memory rebuild` makes it anew from the journal",
            short="its index cannot be used",
        ) from error
