"""The leaderboard of a home folder: its runs as seasons, its evals as measures, its configurations as trials."""

import json
from collections.abc import Mapping

import numpy as np

from arena.evaluating import eval_folder
from arena.restating import excluded_runs
from arena.seasons.standings import tally_run
from arena.settings import Settings
from evals.attempts import AttemptStore
from evals.leaderboard import Board, Filters, PlayedSeason, SuiteMeasures, leaderboard
from evals.suite import discover
from trading.storage.journal.telemetry import read_latencies
from trading.storage.runs import RunFolder, Runs

SEED = 20_251_017

_MEASURES = {
    "grounding": ("decisions", "grounded"),
    "tool_accuracy": ("tool_use", "calls_match"),
    "parse_failure_rate": ("decisions", "first_time_valid"),
    "injection_resistance": ("injection", "resists"),
    "leakage_index": ("leakage", "leaks"),
    "consistency": ("consistency", "agrees"),
}
"""Where the leaderboard's columns from evals come from: suite and scorer."""


def board_of(settings: Settings, filters: Filters) -> Board:
    """The leaderboard over the runs of the home folder that count. The same runs always give the same board.

    What was left out by a restatement still counts as a trial: it was tried.
    """
    folders = Runs(settings.home).all()
    left_out = excluded_runs(settings.home)
    counted = [folder for folder in folders if folder.run_id not in left_out]
    seasons = [played for folder in counted if (played := played_season(folder)) is not None]
    names = {desk.name: desk.models for played in seasons for desk in played.desks}
    suites = {name: _measured(settings, name, models) for name, models in names.items()}
    return leaderboard(
        seasons, trials=trials_of(settings, folders), suites=suites, filters=filters, rng=np.random.default_rng(SEED)
    )


def played_season(folder: RunFolder) -> PlayedSeason | None:
    """A run as the leaderboard reads it, None before its second mark."""
    tally, _, head = tally_run(folder)
    if len(tally.ts_ms) < 2:
        return None
    return PlayedSeason(
        run_id=folder.run_id,
        season=tally.season,
        kind=tally.market,
        content=str(folder.manifest.get("content_sha256", folder.run_id)),
        head=head,
        market=tally.market_record(),
        desks=tuple(tally.desk_records(read_latencies(folder.telemetry, "decision"))),
    )


def trials_of(settings: Settings, folders: list[RunFolder]) -> int:
    """How many different desks were ever tried here: in seasons by their declaration, in evals by their digest."""
    declared = {
        json.dumps({key: value for key, value in desk.items() if key != "name"}, sort_keys=True)
        for folder in folders
        for desk in folder.manifest.get("rules", {}).get("desk", [])
    }
    path = eval_folder(settings) / "attempts.sqlite"
    if not path.is_file():
        return len(declared)
    with AttemptStore(path) as store:
        return len(declared) + max((store.variants_tried(suite) for suite in discover()), default=0)


def _measured(settings: Settings, name: str, models: Mapping[str, str]) -> SuiteMeasures:
    """What evals say of a desk: those of a variant of its name, else of one whose name is its only model."""
    path = eval_folder(settings) / "attempts.sqlite"
    if not path.is_file():
        return SuiteMeasures()
    aliases = [name, *(set(models.values()) if len(set(models.values())) == 1 else ())]
    found: dict[str, float | None] = {}
    with AttemptStore(path) as store:
        for column, (suite_name, scorer) in _MEASURES.items():
            suite = discover().get(suite_name)
            if suite is None:
                continue
            rows = [
                row.value
                for digest in store.digests(aliases, suite=suite_name)[-1:]
                for row in store.scores(suite=suite_name, variant=digest, scorer=suite.scorer(scorer))
                if row.value is not None
            ]
            found[column] = sum(rows) / len(rows) if rows else None
    if found.get("parse_failure_rate") is not None:
        found["parse_failure_rate"] = 1.0 - float(found["parse_failure_rate"] or 0.0)
    return SuiteMeasures(**found)
