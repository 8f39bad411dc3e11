"""``tradefloor eval``: suites, attempts, comparisons and the gate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from arena.commands.attempting import attempts_json, make_missing, raise_incomplete
from arena.commands.output import print_json, say
from arena.evaluating import open_attempts, read_desks
from arena.settings import Settings
from arena.trying import IN_PROCESS, FanOut, chosen_cases
from evals.attempts import AttemptStore
from evals.compare import compare
from evals.foreign import read_logs, score_logs
from evals.gate import gate
from evals.runner import AT_ONCE, rescore
from evals.suite import Suite, discover, find_suite
from evals.variant import Variant

HELDOUT = "heldout"
GATE_FAILED = 100
FOREIGN_SEED = 1


def run(
    name: str,
    *,
    variants: Sequence[str],
    epochs: int,
    cases: int | None,
    split: str,
    cap_usd: float | None,
    at_once: int = AT_ONCE,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
    fan_out: FanOut = IN_PROCESS,
) -> None:
    """Make the attempts that are missing, and print what every scorer says of each variant."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite, desks = find_suite(name), read_desks(variants, settings)
    chosen = chosen_cases(suite, settings, split, cases)
    with open_attempts(settings) as store:
        tally = make_missing(
            suite, chosen, desks, epochs, store, settings, cap_usd=cap_usd, fan_out=fan_out, at_once=at_once
        )
        document: dict[str, Any] = {
            "suite": suite.name,
            "split": split,
            "cases": len(chosen),
            "epochs": epochs,
            "attempts": attempts_json(tally),
            "variants": [_summary(suite, desk, store, split) for desk in desks],
        }
        if split == HELDOUT:
            document["looks"] = {desk.name: store.count_look(suite.name, desk.sha256, "run") for desk in desks}
    _show(document, suite, as_json=as_json)
    raise_incomplete(tally, cap_usd)


def list_suites(*, home: Path | None, data_root: Path | None, as_json: bool) -> None:
    """Print the suites with their scorers and how much of each is on record."""
    settings = Settings.load({"home": home, "data_root": data_root})
    rows: list[dict[str, Any]] = []
    with open_attempts(settings) as store:
        for suite in discover().values():
            cases = suite.cases(settings.data_root)
            rows.append(
                {
                    "suite": suite.name,
                    "title": suite.title,
                    "cases": len(cases),
                    "heldout": sum(case.split == HELDOUT for case in cases),
                    "primary": suite.primary,
                    "scorers": [
                        {"name": one.name, "unit": one.unit, "rises": one.rises, "meaning": one.meaning}
                        for one in suite.scorers
                    ],
                    "attempts": len(store.attempts(suite=suite.name)),
                    "variants": store.variants_tried(suite.name),
                }
            )
    if as_json:
        print_json({"suites": rows})
        return
    for row in rows:
        typer.echo(f"{row['suite']}: {row['title']}; {row['cases']} cases ({row['heldout']} held out)")
        for one in row["scorers"]:
            typer.echo(f"  {one['name']} ({one['unit']}): {one['meaning']}")
        typer.echo(f"  {row['attempts']} attempts of {row['variants']} variants on record")


def compare_two(
    first: str, second: str, *, suite: str, scorer: str | None, split: str, home: Path | None, as_json: bool
) -> None:
    """Print whether one variant is better than another."""
    settings = Settings.load({"home": home})
    chosen = find_suite(suite)
    with open_attempts(settings) as store:
        found = compare(store, chosen, first, second, scorer=scorer, split=split)
        document = {"suite": suite, "split": split, **found.to_json()}
        if split == HELDOUT:
            document["looks"] = store.count_look(suite, store.digest_of(first, suite=suite), "compare")
    if as_json:
        print_json(document)
        return
    typer.echo(found.in_words())


def check_gate(
    candidate: str,
    baseline: str,
    *,
    suite: str,
    protected: Sequence[str],
    split: str,
    home: Path | None,
    as_json: bool,
) -> None:
    """Exit with 100 when the candidate is worse than the baseline by a protected measure."""
    settings = Settings.load({"home": home})
    chosen = find_suite(suite)
    with open_attempts(settings) as store:
        found = gate(store, chosen, candidate, baseline, protected=protected, split=split)
    failed = [one.comparison.scorer.name for one in found if one.fails]
    if as_json:
        print_json(
            {
                "suite": suite,
                "candidate": candidate,
                "baseline": baseline,
                "passed": not failed,
                "failed": failed,
                "findings": [one.to_json() for one in found],
            }
        )
    else:
        for one in found:
            typer.echo(f"{'FAILS ' if one.fails else 'passes'} {one.comparison.in_words()}")
    if failed:
        say(f"gate: {candidate} is worse than {baseline} by {', '.join(failed)}")
        raise typer.Exit(GATE_FAILED)


def score_again(name: str, *, home: Path | None, data_root: Path | None, as_json: bool) -> None:
    """Run the scorers again on what is stored."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite = find_suite(name)
    with open_attempts(settings) as store:
        scored, strange = rescore(suite, suite.cases(settings.data_root), store)
    if as_json:
        print_json({"suite": name, "scored": scored, "strange": strange})
        return
    typer.echo(f"{scored} attempts scored again; {strange} are about cases that the suite does not have here")


def score_foreign(path: Path, *, data: Sequence[str], data_root: Path | None, home: Path | None, as_json: bool) -> None:
    """Recompute and score the logs of another arena."""
    settings = Settings.load({"home": home, "data_root": data_root})
    root = settings.data_root or settings.home / "data"
    board = score_logs(read_logs(path), data, root, rng=np.random.default_rng(FOREIGN_SEED))
    if as_json:
        print_json(board.to_json())
        return
    for desk in board.desks:
        if desk.total_return is None:
            typer.echo(f"{desk.model}: unknown ({desk.unknown}); known until {desk.known_until}")
            continue
        span = "n/a" if desk.return_ci95 is None else f"{desk.return_ci95[0]:+.1%} to {desk.return_ci95[1]:+.1%}"
        typer.echo(f"{desk.model}: {desk.total_return:+.2%} (95 % {span}), first in {desk.p_first:.0%} of resamples")
    for pair in board.pairs:
        low, high = pair["ci95"]
        typer.echo(
            f"{pair['first']} minus {pair['second']}: {pair['difference']:+.4f} of log growth "
            f"(95 % {low:+.4f} to {high:+.4f}, p = {pair['p_value']:.2f})"
        )


def _summary(suite: Suite, desk: Variant, store: AttemptStore, split: str) -> dict[str, object]:
    scores = {}
    for one in suite.scorers:
        rows = [row for row in store.scores(suite=suite.name, variant=desk.sha256, scorer=one) if row.split == split]
        known = [row.value for row in rows if row.value is not None]
        scores[one.name] = {
            "mean": sum(known) / len(known) if known else None,
            "scored": len(known),
            "unscored": len(rows) - len(known),
        }
    return {"variant": desk.name, "sha256": desk.sha256, "rule_based": desk.is_rule_based, "scores": scores}


def _show(document: dict[str, Any], suite: Suite, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("scorer", "unit", box=None, pad_edge=False)
    summaries = document["variants"]
    for summary in summaries:
        table.add_column(f"{summary['variant']}{' (rule-based)' if summary['rule_based'] else ''}", justify="right")
    for one in suite.scorers:
        cells = [_cell(summary["scores"][one.name]) for summary in summaries]
        table.add_row(f"{one.name}{' *' if one.name == suite.primary else ''}", one.unit, *cells)
    Console().print(table)
    typer.echo("* decides comparisons; a mean without an interval ranks nothing: `tradefloor eval compare A B`")


def _cell(score: dict[str, float | int | None]) -> str:
    return "unscored" if score["mean"] is None else f"{score['mean']:.4g} (n={score['scored']})"
