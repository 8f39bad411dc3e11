"""``tradefloor features``: the feature vector and the market snapshot of an instrument, from bars closed by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arena.candles import candle_paths, funding_paths, of_one_venue, step_to_read, tick_store
from arena.commands.output import print_json
from arena.settings import Settings
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import duration_ms, iso, parse_instant, to_ms
from trading.marketdata import (
    Bars,
    MarketView,
    SeriesKind,
    SeriesView,
    TapeView,
    load_tape,
    parse_candle_name,
    read_candles,
    resample,
)
from trading.marketdata.ticks import StoredTicks, TickStore
from trading.marketdata.ticks.view import TickedView

UNKNOWN = "n/a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to compute, when, and from what. ``venue`` None means the only one in the store."""

    instrument: str
    timeframe: str
    at: str
    venue: str | None
    ticks: Path | None
    data: Sequence[str]


def show(asked: Asked, *, home: Path | None, data_root: Path | None, as_json: bool) -> None:
    """Print every feature by group, and the snapshot; what is not known yet is null."""
    document = _document(asked, Settings.load({"home": home, "data_root": data_root}))
    if as_json:
        print_json(document)
        return
    for group, names in document["groups"].items():
        typer.echo(group)
        for name in names:
            value = document["features"][name]
            typer.echo(f"  {name:<36} {UNKNOWN if value is None else f'{value:.6g}'}")
    typer.echo(f"snapshot of bars of {document['snapshot']['timeframe']}")
    for name, value in document["snapshot"].items():
        shown = f"{value:.6g}" if isinstance(value, float) else value or UNKNOWN
        typer.echo(f"  {name:<36} {shown}")


def _document(asked: Asked, settings: Settings) -> dict[str, Any]:
    from trading.features.frame import frame_of
    from trading.features.registry import groups, history_bars
    from trading.features.snapshot import snapshot
    from trading.features.stream import latest

    step_ms, at_ms = duration_ms(asked.timeframe), to_ms(parse_instant(asked.at))
    if at_ms % step_ms:
        raise ConfigError(
            f"--at {asked.at}: bars of {asked.timeframe} do not close then; the last close before it is "
            f"{iso(at_ms // step_ms * step_ms)}"
        )
    ticks = _ticks(asked, settings)
    paths = _candles(asked, settings, needed=ticks is None)
    known = _by_length(paths, step_ms)
    view: MarketView
    if known:
        funding = funding_paths(asked.data, settings, asked.instrument)
        view = _view(known, funding, asked.instrument, step_ms, at_ms, history_bars())
    elif ticks is not None:
        bars = ticks.bars(at_ms - history_bars() * step_ms, at_ms, step_ms)
        if not len(bars):
            raise RequestError(f"no trade of {asked.instrument} is recorded that makes {asked.timeframe} bars by then")
        view = SeriesView(bars, as_of_ms=at_ms, source="recorded trades")
    else:
        raise RequestError(
            f"no {asked.timeframe} candles of {asked.instrument} in the data; name files with --data GLOB"
        )
    if ticks is not None:
        view = TickedView(view, {asked.instrument: ticks})
    values = latest(frame_of(view, asked.instrument, bars=history_bars()))
    return {
        "instrument": asked.instrument,
        "at": iso(at_ms),
        "timeframe": asked.timeframe,
        "count": len(values),
        "features": values,
        "groups": {group.value: list(names) for group, names in groups().items()},
        "snapshot": snapshot(_shortest(known, view, asked.instrument, at_ms), at_ms).model_dump(),
    }


def _candles(asked: Asked, settings: Settings, *, needed: bool) -> list[Path]:
    try:
        paths = candle_paths(asked.data, settings)
    except RequestError:
        if needed or asked.data:
            raise
        return []
    own = [path for path in paths if _is_of(path, asked.instrument)]
    return of_one_venue(own, asked.venue, named=bool(asked.data)) if own else []


def _ticks(asked: Asked, settings: Settings) -> StoredTicks | None:
    """The ticks of the instrument: those of ``--ticks``, or of the store where the candles are the store's as well."""
    if asked.ticks is None and asked.data:
        return None
    store = TickStore(asked.ticks) if asked.ticks is not None else tick_store(settings)
    if asked.ticks is not None and not asked.ticks.is_dir():
        raise RequestError(f"--ticks {asked.ticks}: no such folder")
    venues = store.venues(asked.instrument)
    if asked.venue is not None:
        venues = tuple(venue for venue in venues if venue == asked.venue)
    if len(venues) > 1:
        raise RequestError(f"ticks of {asked.instrument} of {', '.join(venues)} are stored; say which with --venue")
    if not venues and asked.ticks is not None:
        raise RequestError(
            f"--ticks {asked.ticks}: holds no ticks of {asked.instrument} of {asked.venue or 'any venue'}"
        )
    return StoredTicks(store, venues[0], asked.instrument) if venues else None


def _by_length(paths: Sequence[Path], step_ms: int) -> dict[int, list[Path]]:
    """The files by the length of their bars, of those that make bars of ``step_ms``."""
    known: dict[int, list[Path]] = {}
    for path in paths:
        length_ms = parse_candle_name(path).step_ms
        if step_to_read([length_ms], step_ms):
            known.setdefault(length_ms, []).append(path)
    return known


def _view(
    known: dict[int, list[Path]], funding: Sequence[Path], instrument: str, step_ms: int, at_ms: int, count: int
) -> MarketView:
    """Bars of ``step_ms`` as they were recorded, else resampled from the longest shorter ones."""
    read_ms = step_to_read(known, step_ms)
    assert read_ms is not None
    ratio = step_ms // read_ms
    tape = load_tape(known[read_ms], funding, (instrument,), at_ms - step_ms, at_ms, history_bars=count * ratio)
    view = TapeView(tape, at_ms)
    if ratio == 1:
        return view
    longer = resample(view.bars(instrument, (count + 1) * ratio), step_ms).bars
    return SeriesView(longer, as_of_ms=at_ms, source=view.source, funding=view.funding(instrument, len(tape)))


def _shortest(known: dict[int, list[Path]], view: MarketView, instrument: str, at_ms: int) -> Bars:
    """The shortest bars that were recorded up to the instant, and no longer than the vector's own."""
    from trading.features.snapshot import HISTORY_BARS

    for step_ms in sorted(each for each in known if each < view.step_ms and at_ms % each == 0):
        if _reach(known[step_ms], step_ms, at_ms):
            tape = load_tape(known[step_ms], (), (instrument,), at_ms - step_ms, at_ms, history_bars=HISTORY_BARS)
            return TapeView(tape, at_ms).bars(instrument, HISTORY_BARS)
    return view.bars(instrument, HISTORY_BARS)


def _reach(paths: Sequence[Path], step_ms: int, at_ms: int) -> bool:
    """Whether one of the files has the bar that closed at the instant."""
    return any(len(read_candles(path).between(at_ms - step_ms, at_ms)) for path in paths)


def _is_of(path: Path, instrument: str) -> bool:
    name = parse_candle_name(path)
    return name.symbol == instrument and name.series is SeriesKind.CANDLES
