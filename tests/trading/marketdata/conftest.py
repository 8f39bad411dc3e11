"""Candle files made by hand, and the recordings that the tests may read."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000  # 2025-10-17T00:00:00Z

WriteParquet = Callable[..., Path]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real market data; TRADEFLOOR_TEST_DATA names another one."""
    default = Path(__file__).parents[4] / "shared" / "data"
    root = Path(os.environ.get("TRADEFLOOR_TEST_DATA", default))
    assert root.is_dir(), f"{root} is missing: set TRADEFLOOR_TEST_DATA to the folder of market data"
    return root


def candle_columns(rows: int, start_ms: int = START_MS, step_ms: int = HOUR_MS) -> dict[str, list]:
    """Well-formed candles around 100 as columns, ``ts`` in milliseconds."""
    return {
        "ts": [start_ms + step_ms * row for row in range(rows)],
        "open": [100.0 + row for row in range(rows)],
        "high": [102.0 + row for row in range(rows)],
        "low": [99.0 + row for row in range(rows)],
        "close": [101.0 + row for row in range(rows)],
        "volume": [float(row) for row in range(rows)],
    }


@pytest.fixture
def columns() -> Callable[..., dict[str, list]]:
    return candle_columns


@pytest.fixture
def write_parquet(tmp_path: Path) -> WriteParquet:
    """Writes columns as Parquet; ``ts`` becomes a timestamp unless another type is asked for."""

    def write(name: str, columns: dict[str, list], **types: pa.DataType) -> Path:
        kinds = {"ts": pa.timestamp("ms")} | types
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({name: pa.array(cells, kinds.get(name)) for name, cells in columns.items()}), path)
        return path

    return write


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[[str, dict[str, list]], Path]:
    """Writes columns as CSV, cells as they are."""

    def write(name: str, columns: dict[str, list]) -> Path:
        lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
