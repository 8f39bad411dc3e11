"""``tradefloor standings``: a run's table, with what it can and cannot say."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from arena.commands.output import print_json
from arena.seasons.standings import standings_document
from arena.settings import Settings
from trading.storage.runs import Runs

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

UNKNOWN = "n/a"
WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""

COLUMNS: tuple[tuple[str, Literal["left", "right"]], ...] = (
    ("Rank", "left"),
    ("Desk", "left"),
    ("Kind", "left"),
    ("Return", "right"),
    ("95 % interval", "right"),
    ("Max drop", "right"),
    ("Luck", "right"),
    ("Brier skill", "right"),
    ("Fees", "right"),
    ("Acted", "right"),
    ("Held", "right"),
    ("Abstained", "right"),
    ("$", "right"),
)

DISPENSABLE = ("Fees", "$", "Brier skill", "Held", "Acted", "Max drop", "Luck", "Abstained", "Kind")
"""What a narrow terminal goes without, in this order: a column that is not there misleads nobody, a cut number does."""


def show(run_id: str | None, *, home: Path | None, as_json: bool) -> None:
    """Print the standings of a run, the latest without an id."""
    runs = Runs(Settings.load({"home": home}).home)
    document = standings_document(runs.get(run_id) if run_id else runs.latest())
    if as_json:
        print_json(document)
    else:
        print_standings(document)


_MARKETS = {
    "simulated": "SIMULATED market",
    "paper": "an exchange's market, SIMULATED fills",
    "live": "an exchange's market, REAL orders",
}


def print_standings(document: Mapping[str, Any]) -> None:
    """The standings as a table for a terminal."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH)
    kind = _MARKETS.get(document["market"]["kind"], "recorded market")
    rounds = f"round {document['rounds_done']} of {document['rounds']}"
    console.print(f"{document['season']}  {kind}  {rounds}  {document['status']}")
    if document["halt_reason"]:
        console.print(f"halted: {document['halt_reason']}")
    table, left_out = _fitting_table(document["desks"], console)
    console.print(table)
    if left_out:
        console.print(f"Left out for want of width: {', '.join(left_out)}; --json has them.")
    console.print(f"journal {document['journal']['events']} events, head {document['journal']['head'][:16]}")
    console.print(_what_it_says(document["desks"]))


def _fitting_table(desks: Sequence[Mapping[str, Any]], console: "Console") -> "tuple[Table, Sequence[str]]":
    """The table with as many columns as fit, and the names of those that do not."""
    rows = [_cells(desk) for desk in desks]
    unbounded = console.options.update_width(sys.maxsize)
    for count in range(len(DISPENSABLE) + 1):
        table = _table(rows, DISPENSABLE[:count])
        if console.measure(table, options=unbounded).maximum <= console.width:
            return table, DISPENSABLE[:count]
    return _table(rows, DISPENSABLE), DISPENSABLE


def _table(rows: Sequence[Sequence[str]], left_out: Sequence[str]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown = [number for number, (name, _) in enumerate(COLUMNS) if name not in left_out]
    for number in shown:
        table.add_column(COLUMNS[number][0], justify=COLUMNS[number][1], no_wrap=True)
    for row in rows:
        table.add_row(*(row[number] for number in shown))
    return table


def _cells(desk: Mapping[str, Any]) -> list[str]:
    rank = f"{desk['rank']}" if desk["rank"] == desk["rank_last"] else f"{desk['rank']}-{desk['rank_last']}"
    named = {"rule-based": "rules, no LLM", "person": "by hand, no LLM"}
    kind = named.get(desk["kind"]) or ", ".join(sorted(set(desk["models"].values())))
    interval = desk["return_ci95"]
    return [
        rank,
        desk["desk"],
        kind,
        _percent(desk["return"]),
        UNKNOWN if interval is None else f"{_percent(interval[0])} to {_percent(interval[1])}",
        _percent(None if desk["max_drawdown"] is None else -desk["max_drawdown"]),
        UNKNOWN if desk["luck_percentile"] is None else f"{desk['luck_percentile'] * 100:.0f} of 100",
        UNKNOWN if desk["brier_skill"] is None else f"{desk['brier_skill']:+.4f}",
        f"{float(desk['fees']):.2f}",
        str(desk["acted"]),
        str(desk["held"]),
        str(desk["abstained"]),
        _dollars(desk),
    ]


def _dollars(desk: Mapping[str, Any]) -> str:
    if desk["usd"] is not None:
        return f"{desk['usd']:.2f}"
    return f"over {desk['usd_at_least']:.2f}" if desk["usd_at_least"] else UNKNOWN


def _percent(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    rounded = round(value * 100, 2)
    return f"{rounded:+.2f} %" if rounded else "0.00 %"  # no sign before nothing


def _what_it_says(desks: list[Mapping[str, Any]]) -> str:
    if len(desks) > 1 and all(len(desk["tied_with"]) == len(desks) - 1 for desk in desks):
        return f"No two of the {len(desks)} desks can be told apart on this season: every rank is a tie."
    return "Rank 1-3 means: at least 1 and at most 3, as far as this season can tell. Luck: random traders beaten."
