"""The attempts of every eval on one machine: added, never changed, found again by what they were about."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Self

from evals.case import Case
from evals.scoring import Score, Scorer
from evals.suite import Suite
from evals.trial import Trial
from evals.variant import Variant
from trading.domain.errors import RequestError, TradefloorError

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    suite TEXT NOT NULL,
    case_id TEXT NOT NULL,
    cluster TEXT NOT NULL,
    split TEXT NOT NULL,
    variant TEXT NOT NULL,
    variant_sha256 TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    usd REAL,
    latency_ms REAL NOT NULL,
    trial BLOB
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS attempts_done ON attempts (key) WHERE status = 'done';
CREATE INDEX IF NOT EXISTS attempts_by_suite ON attempts (suite, variant_sha256);
CREATE TABLE IF NOT EXISTS scores (
    seq INTEGER NOT NULL REFERENCES attempts,
    scorer TEXT NOT NULL,
    value REAL,
    reason TEXT NOT NULL,
    PRIMARY KEY (seq, scorer)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (
    seq INTEGER PRIMARY KEY,
    suite TEXT NOT NULL,
    variant_sha256 TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;
"""

_COLUMNS = (
    "seq, key, suite, case_id, cluster, split, variant, variant_sha256, epoch, status, reason, tokens_in, tokens_out, "
    "usd, latency_ms"
)


class EvalStoreError(TradefloorError):
    """The file of attempts cannot be read or written."""


class AttemptStatus(StrEnum):
    """``done`` came to a decision or an abstention of the model's own making; ``error`` is tried again."""

    DONE = "done"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One row of the record, with its scores by scorer key; ``value`` None is unscored."""

    seq: int
    key: str
    suite: str
    case_id: str
    cluster: str
    split: str
    variant: str
    variant_sha256: str
    epoch: int
    status: AttemptStatus
    reason: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRow:
    """The score of one attempt as comparisons read it."""

    case_id: str
    cluster: str
    split: str
    epoch: int
    value: float | None
    reason: str


def attempt_key(suite: Suite, case: Case, variant: Variant, epoch: int) -> str:
    """Digest of what an attempt is about. The suite's scorers are no part of it: they run on what is stored."""
    return sha256(f"{suite.name}|{case.sha256}|{variant.sha256_for(case.question)}|{epoch}".encode()).hexdigest()


def latest_attempt(path: Path) -> int:
    """The number of the newest attempt in a store, 0 where there is none: it tells cheaply that something was added."""
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            return int(db.execute("SELECT coalesce(max(seq), 0) FROM attempts").fetchone()[0])
    except sqlite3.Error:  # it is being made, or no store: whoever opens it is told
        return 0


class AttemptStore:
    """One SQLite file in write-ahead mode: one process runs, others may read. Each attempt is durable once added.

    Raises EvalStoreError for a file that is no such store or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with ExitStack() as closing:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._db = sqlite3.connect(path, timeout=10.0)
                closing.callback(self._db.close)
                version = self._db.execute("PRAGMA user_version").fetchone()[0]
                if version not in (0, _VERSION):
                    raise EvalStoreError(f"{path}: a store of version {version}, expected {_VERSION}; move it away")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.executescript(_SCHEMA)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            except (sqlite3.Error, OSError) as error:
                raise EvalStoreError(f"{path}: {error}; move the file away to begin a new one") from error
            self._closing = closing.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def done(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that need no further try."""
        wanted = set(keys)
        return {key for (key,) in self._db.execute("SELECT key FROM attempts WHERE status = 'done'") if key in wanted}

    def tries(self, key: str) -> int:
        """How often it was tried."""
        return int(self._db.execute("SELECT count(*) FROM attempts WHERE key = ?", (key,)).fetchone()[0])

    def add(
        self,
        suite: Suite,
        case: Case,
        variant: Variant,
        epoch: int,
        *,
        trial: Trial | None,
        status: AttemptStatus,
        reason: str = "",
        scores: Sequence[tuple[Scorer, Score]] = (),
    ) -> None:
        """Add an attempt with its scores, all of it or nothing."""
        tokens = (None, None) if trial is None else trial.tokens
        row = (
            attempt_key(suite, case, variant, epoch),
            suite.name,
            case.case_id,
            case.cluster,
            case.split,
            variant.name,
            variant.sha256,
            epoch,
            status.value,
            reason,
            *tokens,
            None if trial is None else trial.usd,
            0.0 if trial is None else trial.latency_ms,
            None if trial is None else zlib.compress(trial.to_bytes(), 6),
        )
        with self._writing():
            cursor = self._db.execute(
                "INSERT INTO attempts (key, suite, case_id, cluster, split, variant, variant_sha256, epoch, status, "
                "reason, tokens_in, tokens_out, usd, latency_ms, trial) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                row,
            )
            self._put_scores(int(cursor.lastrowid or 0), scores)

    def rescore(self, seq: int, scores: Sequence[tuple[Scorer, Score]]) -> None:
        """Add the scores of a scorer, or of a new version of it; what was scored under another version stays."""
        with self._writing():
            self._put_scores(seq, scores)

    def attempts(
        self,
        *,
        suite: str | None = None,
        variant: str | None = None,
        status: AttemptStatus | None = None,
        case_id: str | None = None,
    ) -> list[Attempt]:
        """Attempts in the order they were made, those that fit every filter given; ``variant`` is a name or digest."""
        conditions, values = ["1"], []
        for column, value in (("suite", suite), ("status", status), ("case_id", case_id)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(str(value))
        if variant is not None:
            conditions.append("(variant = ? OR variant_sha256 = ?)")
            values += [variant, variant]
        where = " AND ".join(conditions)
        found = self._db.execute(f"SELECT {_COLUMNS} FROM attempts WHERE {where} ORDER BY seq", values)  # noqa: S608  # columns are ours
        return [_attempt(row) for row in found]

    def trial(self, seq: int) -> Trial | None:
        """What was stored of an attempt, None where it ended in an error."""
        row = self._db.execute("SELECT trial FROM attempts WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise RequestError(f"there is no attempt {seq}")
        return None if row[0] is None else Trial.from_bytes(zlib.decompress(row[0]))

    def scores(self, *, suite: str, variant: str, scorer: Scorer) -> list[ScoredRow]:
        """The scores of a variant (by digest) on a suite; attempts that ended in an error have none."""
        found = self._db.execute(
            "SELECT case_id, cluster, split, epoch, value, scores.reason FROM attempts JOIN scores USING (seq) "
            "WHERE suite = ? AND variant_sha256 = ? AND status = 'done' AND scorer = ? ORDER BY case_id, epoch",
            (suite, variant, scorer.key),
        )
        return [
            ScoredRow(case_id=case_id, cluster=cluster, split=split, epoch=epoch, value=value, reason=reason)
            for case_id, cluster, split, epoch, value, reason in found
        ]

    def digest_of(self, name: str, *, suite: str) -> str:
        """The digest of the variant that was last tried under ``name`` (or whose digest begins so) on ``suite``.

        Raises RequestError when there is none.
        """
        row = self._db.execute(
            "SELECT variant_sha256 FROM attempts WHERE suite = ? AND (variant = ? OR variant_sha256 LIKE ?) "
            "ORDER BY seq DESC LIMIT 1",
            (suite, name, f"{name}%" if len(name) >= 8 else name),
        ).fetchone()
        if row is None:
            raise RequestError(f"no attempt of {name!r} on suite {suite!r} yet: `tradefloor eval run {suite}` first")
        return str(row[0])

    def digests(self, names: Sequence[str], *, suite: str) -> list[str]:
        """The digests of the variants that were tried under one of ``names`` on ``suite``, the latest last."""
        marks = ", ".join("?" * len(names))
        found = self._db.execute(
            f"SELECT variant_sha256 FROM attempts WHERE suite = ? AND variant IN ({marks}) "  # noqa: S608  # question marks
            "GROUP BY variant_sha256 ORDER BY max(seq)",
            (suite, *names),
        )
        return [str(digest) for (digest,) in found]

    def count_look(self, suite: str, variant_sha256: str, what: str) -> int:
        """Count a look at held-out results. Gives how many there were of this variant, this one included."""
        with self._writing():
            self._db.execute(
                "INSERT INTO looks (suite, variant_sha256, what) VALUES (?, ?, ?)", (suite, variant_sha256, what)
            )
        row = self._db.execute(
            "SELECT count(*) FROM looks WHERE suite = ? AND variant_sha256 = ?", (suite, variant_sha256)
        ).fetchone()
        return int(row[0])

    def variants_tried(self, suite: str) -> int:
        """How many different variants were tried on a suite: the number of trials that a verdict must answer for."""
        row = self._db.execute(
            "SELECT count(DISTINCT variant_sha256) FROM attempts WHERE suite = ?", (suite,)
        ).fetchone()
        return int(row[0])

    def _put_scores(self, seq: int, scores: Sequence[tuple[Scorer, Score]]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO scores (seq, scorer, value, reason) VALUES (?, ?, ?, ?)",
            [(seq, scorer.key, score.value, score.reason) for scorer, score in scores],
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise EvalStoreError(f"{self.path}: {error}; what is stored is whole, this attempt is not in it") from error


def _attempt(row: Sequence[object]) -> Attempt:
    seq, key, suite, case_id, cluster, split, variant, digest, epoch, status, reason, read, written, usd, ms = row
    return Attempt(
        seq=int(str(seq)),
        key=str(key),
        suite=str(suite),
        case_id=str(case_id),
        cluster=str(cluster),
        split=str(split),
        variant=str(variant),
        variant_sha256=str(digest),
        epoch=int(str(epoch)),
        status=AttemptStatus(str(status)),
        reason=str(reason),
        tokens_in=None if read is None else int(str(read)),
        tokens_out=None if written is None else int(str(written)),
        usd=None if usd is None else float(str(usd)),
        latency_ms=float(str(ms)),
    )
