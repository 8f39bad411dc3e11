"""What a file's name says it holds: the instrument, the timeframe, and which kind of series."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trading.domain.errors import DataError
from trading.domain.instants import duration_ms

_CANDLES = re.compile(
    r"(?P<symbol>[A-Z0-9]{1,20}-[A-Z0-9]{2,10}(?:-PERP)?)(?P<mark>-mark)?-(?P<timeframe>[1-9]\d{0,5}[smhdw])"
    r"(?:-(?P<label>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*))?\.(?:parquet|csv)"
)
_FUNDING = re.compile(r"(?P<symbol>[A-Z0-9]{1,20}-[A-Z0-9]{2,10}-PERP)-funding\.(?:parquet|csv)")


class SeriesKind(StrEnum):
    """What a file is a series of: traded candles, candles of the mark price (no volume), or funding rates."""

    CANDLES = "candles"
    MARK = "mark"
    FUNDING = "funding"


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleFileName:
    """What the name of a candle file says. ``label`` is free text that tells files of one series apart, or empty."""

    symbol: str
    step_ms: int
    label: str
    series: SeriesKind


def is_funding_name(path: Path) -> bool:
    """Whether the file is named as one of funding rates."""
    return _FUNDING.fullmatch(path.name) is not None


def parse_candle_name(path: Path) -> CandleFileName:
    """What ``BTC-USDT-PERP-1h.parquet``, ``BTC-USDT-1m-202408.csv`` or ``BTC-USDT-PERP-mark-1h.parquet`` holds."""
    found = _CANDLES.fullmatch(path.name)
    if found is None:
        raise DataError(
            f"{path}: not the name of a candle file; expected <BASE>-<QUOTE>[-PERP]-<timeframe>[-label].parquet"
            " or .csv, such as BTC-USDT-PERP-1h.parquet: rename it or leave it out"
        )
    return CandleFileName(
        symbol=found["symbol"],
        step_ms=duration_ms(found["timeframe"]),
        label=found["label"] or "",
        series=SeriesKind.MARK if found["mark"] else SeriesKind.CANDLES,
    )


def parse_funding_name(path: Path) -> str:
    """The perpetual whose funding rates the file holds: ``BTC-USDT-PERP-funding.parquet`` gives its symbol."""
    found = _FUNDING.fullmatch(path.name)
    if found is None:
        raise DataError(
            f"{path}: not the name of a funding file; expected <BASE>-<QUOTE>-PERP-funding.parquet or .csv:"
            " rename it or leave it out"
        )
    return found["symbol"]
