"""``tradefloor lookahead``: whether a feature, a regime or an anomaly of a bar moves with the bars after it."""

import fnmatch
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.commands.progress import RoundProgress
from arena.one_instrument import Wanted, read_frame
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.domain.instants import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What to recompute and how often."""

    pattern: str
    samples: int
    bars: int
    seed: int


def check(
    instrument: str | None,
    asked: Check,
    *,
    timeframe: str,
    at: str | None,
    venue: str | None,
    data: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Print every name that moved, with the first bar and both values; exit 1 when there is one."""
    from trading.features.lookahead import look_ahead

    wanted = Wanted(instrument=instrument, timeframe=timeframe, at=at, data=data, venue=venue)
    frame = read_frame(wanted, Settings.load({"home": home, "data_root": data_root}), bars=asked.bars)
    recipe = _recipe(asked.pattern)
    if not recipe(frame.rows(0, 2)):
        raise RequestError(f"--features {asked.pattern}: no feature, regime or anomaly has such a name")
    with RoundProgress(min(asked.samples, len(frame) - 1), unit="instant") as progress:
        report = look_ahead(
            recipe, frame, samples=asked.samples, seed=asked.seed, on_sample=lambda done: progress.advance(done - 1)
        )
    moved: list[dict[str, Any]] = [
        {
            "name": each.name,
            "bar": iso(each.open_ms),
            "whole": _number(each.whole),
            "other": _number(each.other),
            "future": each.future,
        }
        for each in report.movements
    ]
    if as_json:
        document = {
            "instrument": frame.instrument,
            "timeframe": timeframe,
            "bars": len(frame),
            "samples": report.cuts,
            "checked": len(report.names),
            "moved": moved,
        }
        print_json(document)
    else:
        for row in moved:
            typer.echo(
                f"{row['name']}: {row['whole']} at {row['bar']}, and {row['other']} with a {row['future']} future"
            )
        typer.echo(
            f"{len(moved)} of {len(report.names)} names moved over {len(frame)} bars of {frame.instrument}, "
            f"recomputed at {report.cuts} instants"
        )
    sys.stdout.flush()
    if moved:
        raise typer.Exit(1)


def _recipe(pattern: str) -> Any:
    """All that the pattern may name; a room none of whose names match is not computed."""
    from trading.features import lookahead as checks
    from trading.features.registry import by_name, chosen
    from trading.features.vector import compute

    features = chosen(tuple(fnmatch.filter(by_name(), pattern)))
    recipes: list[checks.Recipe] = []
    if features:
        recipes.append(lambda frame: compute(frame, features).by_name())
    wild = any(letter in pattern for letter in "*?[")
    for prefix, recipe in (("regime", checks.regime_recipe), ("anomaly", checks.anomaly_recipe)):
        if pattern.startswith(prefix) or (wild and not pattern[:1].isalpha()):
            recipes.append(recipe)
    return checks.together(recipes, lambda name: fnmatch.fnmatch(name, pattern))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
