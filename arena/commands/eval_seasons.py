"""``tradefloor eval seasons``: a season file over several windows and seeds, and what that says of its desks."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from arena import wiring
from arena.commands.leaderboard import print_board
from arena.commands.output import INTERRUPTED, print_json, say
from arena.commands.run import play
from arena.ranking import SEED, played_season, trials_of
from arena.seasons.repeated import Repeat, finished, repeats
from arena.seasons.rulefile import load_rules
from arena.seasons.runner import Ending
from arena.settings import Settings
from evals.leaderboard import PlayedSeason, leaderboard
from trading.domain.errors import RequestError
from trading.storage.runs import RunFolder, Runs


def seasons(
    path: Path,
    *,
    windows: Sequence[str],
    repeat: int,
    mask: int | None,
    sets: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Play what is missing of the seasons, and rank the desks over all of them, paired by round."""
    settings = Settings.load({"home": home, "data_root": data_root})
    planned = repeats(load_rules(path, sets), windows, repeat, mask=mask)
    prepared = [wiring.prepare(one.rules, settings) for one in planned[:1]]  # the first fault is told before any play
    rows: list[dict[str, Any]] = []
    played: list[PlayedSeason] = []
    for number, one in enumerate(planned):
        ready = prepared[0] if number == 0 else wiring.prepare(one.rules, settings)
        folder = finished(settings.home, ready.content_sha256)
        found = folder is not None
        if folder is None:
            folder = wiring.open_run(ready, settings)
            say(f"season {number + 1} of {len(planned)}: {one.window}, seed {one.rules.season.seed}")
            if asyncio.run(play(ready, folder, settings)) is Ending.INTERRUPTED:
                say("the same command goes on")
                raise typer.Exit(INTERRUPTED)
        season = played_season(folder)
        if season is None:
            raise RequestError(f"{folder.run_id} has fewer than two marks; give a longer window")
        played.append(season)
        rows.append(_row(one, folder, season, found=found))
    board = leaderboard(played, trials=trials_of(settings, Runs(settings.home).all()), rng=np.random.default_rng(SEED))
    if as_json:
        print_json({"seasons": rows, **board.to_json()})
        return
    for row in rows:
        said = ", ".join(f"{name} {value:+.2%}" for name, value in row["returns"].items())
        typer.echo(f"{row['run_id']} ({row['window']}, seed {row['seed']}, {row['regime']}): {said}")
    print_board(board)


def _row(one: Repeat, folder: RunFolder, season: PlayedSeason, *, found: bool) -> dict[str, Any]:
    return {
        "run_id": folder.run_id,
        "window": one.window,
        "repeat": one.number,
        "seed": one.rules.season.seed,
        "mask": one.rules.market.mask,
        "regime": season.regime,
        "found": found,
        "returns": {desk.name: float(desk.equity_end / desk.equity_start) - 1.0 for desk in season.desks},
    }
