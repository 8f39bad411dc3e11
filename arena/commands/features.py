"""``tradefloor features``: the feature vector of an instrument at an instant, from candles that had closed by then."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from arena.candles import candle_paths
from arena.commands.output import print_json
from arena.settings import Settings
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import duration_ms, iso, parse_instant, to_ms
from trading.marketdata import TapeView, load_tape, parse_candle_name

UNKNOWN = "n/a"


def show(
    instrument: str,
    *,
    timeframe: str,
    at: str,
    data: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Print every feature by group; what is not known yet is null."""
    document = _vector(instrument, timeframe, at, data, Settings.load({"home": home, "data_root": data_root}))
    if as_json:
        print_json(document)
        return
    for group, names in document["groups"].items():
        typer.echo(group)
        for name in names:
            value = document["features"][name]
            typer.echo(f"  {name:<36} {UNKNOWN if value is None else f'{value:.6g}'}")


def _vector(instrument: str, timeframe: str, at: str, data: Sequence[str], settings: Settings) -> dict[str, Any]:
    from trading.features.frame import frame_of
    from trading.features.registry import groups, history_bars
    from trading.features.stream import latest

    step_ms, at_ms = duration_ms(timeframe), to_ms(parse_instant(at))
    if at_ms % step_ms:
        raise ConfigError(
            f"--at {at}: bars of {timeframe} do not close then; the last close before it is "
            f"{iso(at_ms // step_ms * step_ms)}"
        )
    paths = [path for path in candle_paths(data, settings) if _is(path, instrument, step_ms)]
    if not paths:
        raise RequestError(f"no {timeframe} candles of {instrument} in the data; name files with --data GLOB")
    tape = load_tape(paths, (), (instrument,), at_ms - step_ms, at_ms, history_bars=history_bars())
    values = latest(frame_of(TapeView(tape, at_ms), instrument, bars=history_bars()))
    return {
        "instrument": instrument,
        "at": iso(at_ms),
        "timeframe": timeframe,
        "count": len(values),
        "features": values,
        "groups": {group.value: list(names) for group, names in groups().items()},
    }


def _is(path: Path, instrument: str, step_ms: int) -> bool:
    name = parse_candle_name(path)
    return name.symbol == instrument and name.step_ms == step_ms and name.series.value == "candles"
