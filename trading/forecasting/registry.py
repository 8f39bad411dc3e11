"""Which models there are, which one speaks, and how that came to be: a table of our own beside the models' files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from trading.domain import duration_text
from trading.domain.errors import DataError, RequestError
from trading.forecasting.bundle import Bundle, ModelCard, read_bundle, read_card, write_bundle
from trading.forecasting.contest import contest
from trading.forecasting.dataset import Dataset
from trading.forecasting.training import Trained

_SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
    model_id TEXT PRIMARY KEY,
    instrument TEXT NOT NULL,
    step_ms INTEGER NOT NULL,
    horizon_ms INTEGER NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('candidate', 'champion', 'retired')),
    trained_to_ms INTEGER NOT NULL,
    card_sha256 TEXT NOT NULL,
    registered_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_champion ON models (instrument, step_ms, horizon_ms) WHERE stage = 'champion';
CREATE TABLE IF NOT EXISTS moves (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    instrument TEXT NOT NULL,
    step_ms INTEGER NOT NULL,
    horizon_ms INTEGER NOT NULL,
    before TEXT,
    after TEXT,
    reason TEXT NOT NULL
) STRICT;
"""


class Stage(StrEnum):
    """A candidate waits, the champion speaks, the retired may come back."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a model forecasts: one champion each."""

    instrument: str
    step_ms: int
    horizon_ms: int

    def __str__(self) -> str:
        return f"{self.instrument} {duration_text(self.step_ms)}, {duration_text(self.horizon_ms)} ahead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One registered model."""

    model_id: str
    key: Key
    stage: Stage
    trained_to_ms: int
    card_sha256: str
    registered_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One change of champion; None is nobody."""

    at: str
    key: Key
    before: str | None
    after: str | None
    reason: str


_COLUMNS = "model_id, instrument, step_ms, horizon_ms, stage, trained_to_ms, card_sha256, registered_at"


class Registry:
    """The models under ``<home>/models``. Several processes may use it at once; a champion changes at once."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "models"
        self._path = self.folder / "registry.sqlite"

    def register(self, trained: Trained, dataset: Dataset) -> Entry:
        """Write a model and enter it as a candidate; of the same model again nothing changes, but it may come back."""
        model_id, digest = write_bundle(trained, dataset, self.folder)
        key = Key(
            instrument=dataset.frame.instrument,
            step_ms=dataset.frame.step_ms,
            horizon_ms=trained.plan.horizon_ms,
        )
        with self._open(write=True) as db:
            db.execute(
                f"INSERT OR IGNORE INTO models ({_COLUMNS}) VALUES (?, ?, ?, ?, 'candidate', ?, ?, ?)",  # noqa: S608  # columns of ours
                (model_id, key.instrument, key.step_ms, key.horizon_ms, trained.trained_to_ms, digest, _now()),
            )
            db.execute(
                "UPDATE models SET stage = 'candidate' WHERE model_id = ? AND stage = 'retired'",
                (model_id,),
            )
        return self.get(model_id)

    def get(self, model_id: str) -> Entry:
        """A model by its id. Raises RequestError when there is none."""
        for entry in self.entries():
            if entry.model_id == model_id:
                return entry
        known = ", ".join(entry.model_id for entry in self.entries()) or "none yet"
        raise RequestError(f"no model {model_id[:100]!r} under {self.folder}; the models are: {known}")

    def entries(self, key: Key | None = None) -> list[Entry]:
        """Every model, of one key if it is given, the newest last."""
        if not self._path.exists():
            return []
        with self._open() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM models ORDER BY rowid").fetchall()  # noqa: S608  # columns of ours
        found = [_entry(row) for row in rows]
        return [entry for entry in found if key is None or entry.key == key]

    def champion(self, key: Key) -> Entry | None:
        """The model that speaks for ``key``."""
        return next((entry for entry in self.entries(key) if entry.stage is Stage.CHAMPION), None)

    def card(self, entry: Entry) -> ModelCard:
        """What is known of a model. Raises DataError for a damaged or foreign file."""
        return read_card(self.folder, entry.model_id, entry.card_sha256)

    def load(self, entry: Entry) -> Bundle:
        """A model ready to forecast. Raises DataError for a damaged or foreign file."""
        bundle = read_bundle(self.folder, entry.model_id, entry.card_sha256)
        card = bundle.card
        if Key(instrument=card.instrument, step_ms=card.step_ms, horizon_ms=card.horizon_ms) != entry.key:
            raise DataError(f"model {entry.model_id}: its card is of another instrument or horizon; train it anew")
        return bundle

    def challenge(self, entry: Entry) -> str:
        """Let a candidate contest the champion's place by paired test, and say in a line what came of it."""
        champion = self.champion(entry.key)
        if champion is not None and champion.model_id == entry.model_id:
            return "is the champion"
        verdict = contest(self.load(entry), None if champion is None else self.load(champion))
        if verdict.promoted:
            self.promote(entry.model_id, verdict.reason)
        return verdict.reason

    def promote(self, model_id: str, reason: str) -> None:
        """Make a model the champion of its key; the one before it retires."""
        entry = self.get(model_id)
        self.load(entry)
        self._move(entry.key, entry.model_id, reason)

    def retire(self, model_id: str, reason: str) -> None:
        """Take a model out; if it was the champion, nobody speaks in its place."""
        entry = self.get(model_id)
        if entry.stage is Stage.CHAMPION:
            self._move(entry.key, None, reason)
            return
        with self._open(write=True) as db:
            db.execute("UPDATE models SET stage = 'retired' WHERE model_id = ?", (model_id,))

    def roll_back(self, key: Key, reason: str) -> Entry | None:
        """Undo the last change of champion. Raises RequestError when there was none."""
        moves = self.moves(key)
        if not moves:
            raise RequestError(f"{key}: no champion was ever made, so there is nothing to roll back to")
        before = moves[-1].before
        if before is not None:
            self.load(self.get(before))
        self._move(key, before, reason)
        return None if before is None else self.get(before)

    def moves(self, key: Key | None = None) -> list[Move]:
        """Every change of champion, the newest last."""
        if not self._path.exists():
            return []
        with self._open() as db:
            rows = db.execute(
                "SELECT at, instrument, step_ms, horizon_ms, before, after, reason FROM moves ORDER BY number"
            ).fetchall()
        found = [
            Move(
                at=at, key=Key(instrument=name, step_ms=step, horizon_ms=ahead), before=before, after=after, reason=why
            )
            for at, name, step, ahead, before, after, why in rows
        ]
        return [move for move in found if key is None or move.key == key]

    def _move(self, key: Key, after: str | None, reason: str) -> None:
        where = (key.instrument, key.step_ms, key.horizon_ms)
        of_key = "instrument = ? AND step_ms = ? AND horizon_ms = ?"
        with self._open(write=True) as db:
            row = db.execute(
                f"SELECT model_id FROM models WHERE stage = 'champion' AND {of_key}",  # noqa: S608  # a constant
                where,
            ).fetchone()
            before = None if row is None else str(row[0])
            if before == after:
                return
            db.execute("UPDATE models SET stage = 'retired' WHERE model_id = ?", (before,))
            db.execute("UPDATE models SET stage = 'champion' WHERE model_id = ?", (after,))
            db.execute(
                "INSERT INTO moves (at, instrument, step_ms, horizon_ms, before, after, reason) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_now(), *where, before, after, reason),
            )

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if write:
                self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10.0)) as db:
                if write:
                    db.execute("PRAGMA journal_mode=WAL")
                    db.executescript(_SCHEMA)
                    db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    if write:
                        db.execute("ROLLBACK")
                    raise
                if write:
                    db.execute("COMMIT")
        except sqlite3.Error as error:
            raise DataError(
                f"{self._path}: {error}; the list of models cannot be used, mend it or move it away"
            ) from error
        except OSError as error:
            raise RequestError(f"{self.folder}: {error.strerror}; name another home folder with --home") from error


def _entry(row: tuple[str, str, int, int, str, int, str, str]) -> Entry:
    model_id, instrument, step_ms, horizon_ms, stage, trained_to_ms, digest, registered_at = row
    return Entry(
        model_id=model_id,
        key=Key(instrument=instrument, step_ms=step_ms, horizon_ms=horizon_ms),
        stage=Stage(stage),
        trained_to_ms=trained_to_ms,
        card_sha256=digest,
        registered_at=registered_at,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
