"""``tradefloor regime``: what kind of market an instrument is in, from candles that had closed by then."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.one_instrument import Wanted, read_frame
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.domain.instants import iso

_HISTORY_FOR_CHANGES = 3


def show(
    instrument: str,
    *,
    timeframe: str,
    at: str | None,
    venue: str | None,
    data: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Print the regime with its probabilities, by method, and since when it counts."""
    wanted = Wanted(instrument=instrument, timeframe=timeframe, at=at, data=data, venue=venue)
    document = _document(wanted, Settings.load({"home": home, "data_root": data_root}))
    if as_json:
        print_json(document)
        return
    sure = "not known" if document["confidence"] is None else f"{document['confidence']:.2f}"
    typer.echo(f"{instrument} {timeframe} at {document['data_end']}: {document['regime']}, confidence {sure}")
    if document["since"]:
        typer.echo(
            f"the methods last agreed on a change at {document['since']['at']}, to {document['since']['regime']}"
        )
    names = list(document["probs"])
    typer.echo(f"{'':<18}" + "".join(f"{name:>10}" for name in names))
    for method, probs in {**document["methods"], "all": document["probs"]}.items():
        typer.echo(f"{method.replace('_', ' '):<18}" + "".join(f"{probs[name]:>10.3f}" for name in names))


def _document(wanted: Wanted, settings: Settings) -> dict[str, Any]:
    from trading.features.regimes import RegimeSettings, regime_series

    lengths = RegimeSettings()
    frame = read_frame(wanted, settings, bars=_HISTORY_FOR_CHANGES * lengths.history_bars)
    series = regime_series(frame, lengths)
    found = series.last()
    if found is None:
        raise RequestError(
            f"{frame.instrument} has {len(frame)} bars that had closed by then; a regime needs {lengths.baseline + 1}"
        )
    changes = series.changes()
    return {
        "instrument": frame.instrument,
        "timeframe": wanted.timeframe,
        "regime": found.regime.value,
        "confidence": found.confidence,
        "probs": dict(found.probs),
        "data_end": iso(int(frame.open_ms[-1]) + frame.step_ms),
        "methods": {name: dict(probs) for name, probs in found.methods.items()},
        "since": {"at": iso(changes[-1].open_ms + frame.step_ms), "regime": changes[-1].now.value} if changes else None,
    }
