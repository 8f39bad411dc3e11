"""``tradefloor retrain``: champions made anew when there is a reason, in a process of their own."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.modelling import Asked, files_of, frame_until
from arena.settings import Settings
from trading.domain import duration_ms, duration_text, iso
from trading.domain.errors import DataError, RequestError


def retrain(
    instruments: Sequence[str],
    *,
    every: str,
    watch: bool,
    check: str,
    until: str | None,
    data: Sequence[str],
    data_root: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Look at every champion once, or again and again, and make anew those that are due."""
    every_ms, check_ms = duration_ms(every), duration_ms(check)
    if watch and (as_json or until is not None):
        raise RequestError("--watch looks at the latest bars until it is stopped; expected without --json and --until")
    settings = Settings.load({"home": home, "data_root": data_root})
    while True:
        found = [
            _look(entry, every_ms=every_ms, until=until, data=data, home=home, data_root=data_root)
            for entry in _champions(instruments, settings)
        ]
        if as_json:
            print_json({"models": found})
        else:
            for row in found:
                typer.echo(_line(row))
        if not watch:
            return
        time.sleep(check_ms / 1000.0)


def _champions(instruments: Sequence[str], settings: Settings) -> list[Any]:
    """The champions of the instruments named, or all. Raises RequestError where one has none."""
    from trading.forecasting.registry import Registry, Stage

    found = [entry for entry in Registry(settings.home).entries() if entry.stage is Stage.CHAMPION]
    without = [name for name in instruments if name not in {entry.key.instrument for entry in found}]
    if without or not found:
        who = without[0] if without else "any instrument"
        raise RequestError(
            f"no champion of {who} under {settings.home}; make one with `tradefloor train INSTRUMENT --horizon 4h`, "
            "`tradefloor models list` shows what there is"
        )
    return [entry for entry in found if not instruments or entry.key.instrument in instruments]


def _look(
    entry: Any, *, every_ms: int, until: str | None, data: Sequence[str], home: Path | None, data_root: Path | None
) -> dict[str, Any]:
    """Whether one champion is due, and what came of making it anew."""
    from trading.features.frame import FeatureFrame
    from trading.forecasting.registry import Registry
    from trading.forecasting.retraining import Job, make_in_worker, why_retrain
    from trading.forecasting.signs import signs_of

    asked = Asked(
        instrument=entry.key.instrument,
        timeframe=duration_text(entry.key.step_ms),
        until=until,
        data=data,
        home=home,
        data_root=data_root,
    )
    settings = asked.settings
    registry = Registry(settings.home)
    frame: FeatureFrame = frame_until(asked, settings)
    bundle = registry.load(entry)
    until_ms = int(frame.open_ms[-1]) + frame.step_ms
    row: dict[str, Any] = {
        "instrument": entry.key.instrument,
        "timeframe": asked.timeframe,
        "horizon": duration_text(entry.key.horizon_ms),
        "champion": entry.model_id,
        "trained_to": iso(entry.trained_to_ms),
        "data_to": iso(until_ms),
        "reason": why_retrain(bundle.card, signs_of(bundle, frame), every_ms=every_ms),
        "made": None,
        "contest": None,
    }
    if row["reason"] is None:
        return row
    paths, funding = files_of(asked, settings)
    job = Job(
        home=settings.home,
        candles=tuple(paths),
        funding=tuple(funding),
        instrument=entry.key.instrument,
        from_ms=int(frame.open_ms[0]),
        until_ms=until_ms,
        horizon_ms=entry.key.horizon_ms,
        folds=len(bundle.card.folds),
        settings=bundle.card.settings,
    )
    try:
        made = make_in_worker(job)
    except DataError as error:  # the old champion goes on speaking, and the others are still looked at
        return row | {"contest": f"could not be made: {error}"}
    now = registry.champion(entry.key)
    return row | {"made": made.model_id, "contest": made.contest, "speaks": None if now is None else now.model_id}


def _line(row: dict[str, Any]) -> str:
    head = f"{row['instrument']} {row['horizon']} ahead: {row['champion']}, trained to {row['trained_to']}"
    if row["reason"] is None:
        return f"{head}, stays"
    if row["made"] is None:
        return f"{head}, is due ({row['reason']}); {row['contest']}"
    return f"{head}, is due ({row['reason']}); made {row['made']}: {row['contest']}; {row['speaks']} speaks"
