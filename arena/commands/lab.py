"""``tradefloor lab``: the matrix of cases and variants, the verdict in words, and cases of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arena import freezing
from arena.commands.attempting import attempts_json, make_missing, raise_incomplete
from arena.commands.output import print_json
from arena.evaluating import open_attempts, read_desks
from arena.settings import Settings
from arena.trying import IN_PROCESS, FanOut, chosen_cases
from evals.case import Split
from evals.promptlab.matrix import Cell, Row, fails, matrix, seen
from evals.promptlab.verdict import LabVerdict, verdicts
from evals.scoring import Scorer
from evals.suite import find_suite
from evals.variant import Variant
from trading.domain.errors import RequestError

HELDOUT = "heldout"
SPLITS: tuple[Split, ...] = ("dev", "heldout")

_HEAD = ("verdict", "difference", "ci95", "p_value", "n", "n_needed", "wins", "ties", "losses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the lab."""

    suite: str
    baseline: str | None
    scorer: str | None
    view: str
    epochs: int
    cases: int | None
    split: str


def run(
    asked: Question,
    variants: Sequence[str],
    *,
    cap_usd: float | None,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
    fan_out: FanOut = IN_PROCESS,
) -> None:
    """Make what is missing, then show the matrix and what can be concluded."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite, desks = find_suite(asked.suite), read_desks(variants, settings)
    scorer = suite.scorer(asked.scorer)
    baseline = _baseline(desks, asked.baseline)
    seen([], asked.view, scorer=scorer)
    if asked.split not in SPLITS:
        raise RequestError(f"--split {asked.split!r}: expected one of {', '.join(SPLITS)}")
    chosen = chosen_cases(suite, settings, asked.split, asked.cases)
    with open_attempts(settings) as store:
        tally = make_missing(suite, chosen, desks, asked.epochs, store, settings, cap_usd=cap_usd, fan_out=fan_out)
        rows = matrix(suite, chosen, desks, store, scorer=scorer)
        others = [desk for desk in desks if desk is not baseline]
        found = verdicts(store, suite, rows, others, baseline, scorer=asked.scorer, split=asked.split)
        looks = None
        if asked.split == HELDOUT:
            looks = {desk.name: store.count_look(suite.name, desk.sha256, "lab") for desk in desks}
    shown = seen(rows, asked.view, scorer=scorer)
    if as_json:
        head = found[0].to_json() if found else {}
        document: dict[str, Any] = {name: head.get(name) for name in _HEAD}
        document |= {
            "suite": suite.name,
            "split": asked.split,
            "scorer": scorer.name,
            "baseline": baseline.name,
            "in_words": [one.in_words() for one in found],
            "attempts": attempts_json(tally),
            "verdicts": [one.to_json() for one in found],
            "view": asked.view,
            "cases": len(rows),
            "matrix": [row.to_json() for row in shown],
        }
        print_json(document if looks is None else {**document, "looks": looks})
    else:
        _print(rows, shown, desks, baseline, scorer, found, looks)
    raise_incomplete(tally, cap_usd)


def add_case(
    run_id: str,
    decision: str,
    *,
    horizon: str,
    split: str,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Freeze a decision. The case is set up once before it is kept, so that what cannot be staged is refused."""
    settings = Settings.load({"home": home, "data_root": data_root})
    if split not in SPLITS:
        raise RequestError(f"--split {split!r}: expected one of {', '.join(SPLITS)}")
    made: Split = "heldout" if split == HELDOUT else "dev"
    case, path = freezing.add_case(settings, run_id, decision, horizon=horizon, split=made)
    if as_json:
        print_json({"case": case.case_id, "path": str(path), "sha256": case.sha256, "split": case.split})
    else:
        typer.echo(f"{case.case_id} is a case of the suite own ({path})")


def _baseline(desks: Sequence[Variant], name: str | None) -> Variant:
    if name is None:
        return desks[0]
    for desk in desks:
        if desk.name == name:
            return desk
    raise RequestError(f"--baseline {name!r}: expected one of {', '.join(desk.name for desk in desks)}")


def _print(
    rows: Sequence[Row],
    shown: Sequence[Row],
    desks: Sequence[Variant],
    baseline: Variant,
    scorer: Scorer,
    found: Sequence[LabVerdict],
    looks: dict[str, int] | None,
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=160)
    table = Table("case", box=None, pad_edge=False)
    for desk in desks:
        notes = [word for word, true in (("rule-based", desk.is_rule_based), ("baseline", desk is baseline)) if true]
        table.add_column(f"{desk.name} ({', '.join(notes)})" if notes else desk.name)
    for row in shown:
        table.add_row(row.case_id, *(_cell(cell, scorer) for cell in row.cells))
    console.print(table)
    console.print(f"{len(shown)} of {len(rows)} cases; scored by {scorer.name} ({scorer.unit})")
    for one in found:
        console.print(one.in_words())
    for name, count in (looks or {}).items():
        console.print(f"{name}: look {count} at held-out results; each one makes them less of a test")


def _cell(cell: Cell, scorer: Scorer) -> str:
    score = cell.reason if cell.score is None else f"{cell.score:.4g}"
    mark = "!" if fails(cell.score, scorer) else " "
    words = [f"{mark}{score}", cell.did[0] if cell.did else ""]
    if cell.tokens_in or cell.tokens_out:
        words.append(f"{(cell.tokens_in or 0) + (cell.tokens_out or 0):.0f} tokens")
    if cell.usd:
        words.append(f"${cell.usd:.4f}")
    if cell.latency_ms is not None:
        words.append(f"{cell.latency_ms:.0f} ms")
    if cell.errors:
        words.append(f"{cell.errors} errors")
    return "  ".join(word for word in words if word)
