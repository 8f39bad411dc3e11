"""Every forecast that was given, with its instant, scored once its horizon has ended."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from trading.domain.errors import DataError
from trading.forecasting.record_scores import BASELINES, RecordScore, score_record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS forecasts (
    model_id TEXT NOT NULL,
    instrument TEXT NOT NULL,
    as_of_ms INTEGER NOT NULL,
    horizon_ms INTEGER NOT NULL,
    price REAL NOT NULL,
    p_up REAL NOT NULL,
    q05 REAL NOT NULL,
    q50 REAL NOT NULL,
    q95 REAL NOT NULL,
    volatility REAL NOT NULL,
    outcome REAL,
    PRIMARY KEY (model_id, instrument, as_of_ms, horizon_ms)
) STRICT
"""
_COLUMNS = "model_id, instrument, as_of_ms, horizon_ms, price, p_up, q05, q50, q95, volatility"

PriceAt = Callable[[str, int], float | None]
"""The close of an instrument at an instant, None where it is not known (yet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One forecast as it was given: quantiles are simple returns from ``price``."""

    model_id: str
    instrument: str
    as_of_ms: int
    horizon_ms: int
    price: float
    p_up: float
    q05: float
    q50: float
    q95: float
    volatility: float


class ForecastRecord:
    """The table of forecasts under a home folder. A forecast that was given once is never changed."""

    def __init__(self, home: Path) -> None:
        self._path = home / "forecasts.sqlite"
        home.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=10.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            with suppress(AttributeError):
                self._db.close()
            raise DataError(f"{self._path}: {error}; mend the record of forecasts or move it away") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, forecast: Recorded) -> None:
        """Keep a forecast; the same model at the same instant a second time is left as it was first said."""
        if not (0.0 < forecast.p_up < 1.0 and forecast.q05 <= forecast.q50 <= forecast.q95 and forecast.price > 0):
            raise ValueError(f"not a forecast: {forecast}")
        marks = ", ".join("?" * 10)
        self._db.execute(
            f"INSERT OR IGNORE INTO forecasts ({_COLUMNS}) VALUES ({marks})",  # noqa: S608  # columns of ours
            astuple(forecast),
        )

    def resolve(self, price_at: PriceAt, *, now_ms: int) -> int:
        """Note what came of every forecast whose horizon has ended by ``now_ms``; how many were noted."""
        rows = self._db.execute(
            "SELECT rowid, instrument, as_of_ms + horizon_ms, price FROM forecasts "
            "WHERE outcome IS NULL AND as_of_ms + horizon_ms <= ?",
            (now_ms,),
        ).fetchall()
        noted = 0
        for row, instrument, end_ms, price in rows:
            found = price_at(instrument, end_ms)
            if found is not None and math.isfinite(found) and found > 0:
                self._db.execute("UPDATE forecasts SET outcome = ? WHERE rowid = ?", (found / price - 1.0, row))
                noted += 1
        return noted

    def scores(self, *, until_ms: int | None = None) -> list[RecordScore]:
        """The scores of each model, instrument and horizon there is, baselines among them.

        With ``until_ms`` nothing counts that was not known then: forecasts given later, and outcomes that came later.
        """
        keys = self._db.execute(
            "SELECT DISTINCT instrument, horizon_ms FROM forecasts ORDER BY instrument, horizon_ms"
        ).fetchall()
        return [found for key in keys for found in self._scores(*key, until_ms=2**62 if until_ms is None else until_ms)]

    def instruments(self) -> list[str]:
        """The instruments with forecasts that wait for their outcome."""
        rows = self._db.execute("SELECT DISTINCT instrument FROM forecasts WHERE outcome IS NULL ORDER BY 1").fetchall()
        return [str(row[0]) for row in rows]

    def _scores(self, instrument: str, horizon_ms: int, *, until_ms: int) -> list[RecordScore]:
        rows = self._db.execute(
            "SELECT model_id, as_of_ms, p_up, q05, q50, q95, "
            "CASE WHEN as_of_ms + horizon_ms <= ? THEN outcome END FROM forecasts "
            "WHERE instrument = ? AND horizon_ms = ? AND as_of_ms <= ? ORDER BY model_id, as_of_ms",
            (until_ms, instrument, horizon_ms, until_ms),
        ).fetchall()
        said = {
            model_id: np.array([[np.nan if each is None else each for each in row[1:]] for row in of_model], np.float64)
            for model_id, of_model in groupby(rows, key=lambda row: str(row[0]))
        }
        grounds = {name: said[name] for name in BASELINES if name in said}
        return [
            score_record(
                model_id,
                instrument,
                horizon_ms,
                table,
                grounds={name: ground for name, ground in grounds.items() if name != model_id},
            )
            for model_id, table in said.items()
        ]
