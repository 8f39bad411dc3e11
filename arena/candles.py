"""Candles for a verb that looks back from an instant: those of ``--data``, of a run's season, or of the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.seasons.rules import Market, Season
from arena.settings import Settings
from arena.wiring import data_root, load_market
from trading.domain.errors import RequestError
from trading.domain.instants import iso
from trading.marketdata import Bars, Tape, TapeView, expand_paths, load_tape, parse_candle_name, read_candles
from trading.marketdata.naming import is_funding_name, parse_funding_name
from trading.marketdata.store import CandleStore
from trading.marketdata.ticks import TickStore

STORE = ("**/*.parquet", "**/*.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """Bars that had closed at ``as_of_ms``, one series an instrument."""

    as_of_ms: int
    step_ms: int
    source: str
    bars: Mapping[str, Bars]


def candle_store(settings: Settings) -> CandleStore:
    """The store under the home folder, which ``data fetch`` and ``data import`` write to."""
    return CandleStore(settings.home / "data")


def tick_store(settings: Settings) -> TickStore:
    """The ticks under the home folder, which ``data record`` and ``data import`` write to."""
    return TickStore(settings.home / "ticks")


def of_one_venue(paths: Sequence[Path], venue: str | None, *, named: bool) -> list[Path]:
    """The files of ``venue``, which is the folder they lie in. Files that were ``named`` need no venue; those of the
    store must be of one.

    Raises RequestError for a venue that has none of the files, and where several venues have the instrument.
    """
    venues = sorted({path.resolve().parent.name for path in paths})
    if venue is None:
        if len(venues) > 1 and not named:
            raise RequestError(f"candles of {', '.join(venues)} are in the data; say which with --venue")
        return list(paths)
    if paths and venue not in venues:
        raise RequestError(f"no candles of venue {venue!r} in the data; there are those of {', '.join(venues)}")
    return [path for path in paths if path.resolve().parent.name == venue]


def candle_paths(patterns: Sequence[str], settings: Settings) -> list[Path]:
    """The files of ``--data`` (relative to the folder one stands in), or all of the store without any."""
    if patterns:
        return [path for path in expand_paths(patterns, Path.cwd()) if not is_funding_name(path)]
    root = data_root(settings)
    found = sorted(path for pattern in STORE for path in root.glob(pattern))
    if not found:
        raise RequestError(
            f"no candle file under {root}; name files with --data GLOB, or bring some in with `tradefloor data fetch` "
            "or `tradefloor data import`"
        )
    return [path for path in found if not path.stem.endswith("-funding")]


def funding_paths(patterns: Sequence[str], settings: Settings, symbol: str) -> list[Path]:
    """The funding files of ``symbol`` among those of ``--data``, or in the store without any."""
    if patterns:
        paths = expand_paths(patterns, Path.cwd())
    else:
        paths = sorted(path for pattern in STORE for path in data_root(settings).glob(pattern))
    return [path for path in paths if is_funding_name(path) and parse_funding_name(path) == symbol]


def step_to_read(steps: Iterable[int], step_ms: int) -> int | None:
    """Which of the lengths of bars makes bars of ``step_ms``: that one, else the longest that fits in."""
    return max((step for step in steps if step <= step_ms and step_ms % step == 0), default=None)


def look_back(paths: Sequence[Path], symbols: Sequence[str], *, at_ms: int | None, lookback_ms: int) -> Lookback:
    """The bars of ``symbols`` that open in the ``lookback_ms`` before ``at_ms`` and have closed by then.

    Without an instant, it is the last close that all of them have. Raises DataError for files that are refused, and
    for an instrument without bars in that time.
    """
    end_ms = at_ms if at_ms is not None else _last_close(paths, symbols)
    return _seen(load_tape(paths, (), symbols, end_ms - lookback_ms, end_ms, history_bars=0), symbols, end_ms)


def look_back_in_season(
    season: Season, market: Market, symbols: Sequence[str], settings: Settings, *, at_ms: int, lookback_ms: int
) -> Lookback:
    """The bars of a season's own market: its candle files, or its simulation, which begins 1000 bars before it."""
    if market.kind == "simulated":
        return _seen(load_market(season, market, settings), symbols, at_ms, lookback_ms)
    paths = expand_paths(market.paths, data_root(settings))
    return look_back(paths, symbols, at_ms=at_ms, lookback_ms=lookback_ms)


def _seen(tape: Tape, symbols: Sequence[str], at_ms: int, lookback_ms: int | None = None) -> Lookback:
    view = TapeView(tape, at_ms)
    count = len(tape) if lookback_ms is None else lookback_ms // tape.step_ms
    bars = {symbol: view.bars(symbol, count) for symbol in symbols}
    empty = [symbol for symbol, found in bars.items() if len(found) < 2]
    if empty:
        raise RequestError(f"{empty[0]} has fewer than two bars that closed by {iso(at_ms)}; look back further")
    return Lookback(as_of_ms=at_ms, step_ms=tape.step_ms, source=tape.source, bars=bars)


def _last_close(paths: Sequence[Path], symbols: Sequence[str]) -> int:
    closes: dict[str, int] = {}
    for path in paths:
        name = parse_candle_name(path)
        if name.symbol in symbols:
            series = read_candles(path)
            if len(series):
                closes[name.symbol] = max(closes.get(name.symbol, 0), int(series.open_ms[-1]) + series.step_ms)
    missing = [symbol for symbol in symbols if symbol not in closes]
    if missing:
        raise RequestError(f"instrument {missing[0]} is not in the data; name its candle files with --data GLOB")
    return min(closes.values())
