"""``tradefloor leaderboard``: desks over all seasons of this home, ranked where the data allow it."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json, say
from arena.ranking import board_of
from arena.restating import excluded_runs, restate, restatements
from arena.settings import Settings
from evals.leaderboard import Board, Entry, Filters
from trading.domain.errors import RequestError
from trading.domain.instants import parse_instant
from trading.storage.runs import Runs

FORMATS = ("table", "csv", "markdown")
KINDS = ("simulated", "replay", "paper", "live")
REGIMES = ("bull", "bear", "flat")

COLUMNS = (
    "Rank",
    "Desk",
    "Return",
    "95 % interval",
    "Luck",
    "DSR",
    "Drawdown",
    "Brier skill",
    "ECE",
    "Abstained",
    "$ a decision",
    "Decisions",
    "Seasons",
)


def show_as(form: str, asked: Filters, *, html: Path | None, home: Path | None, as_json: bool) -> None:
    """Print the leaderboard over the seasons that fit. Raises RequestError for a filter that means nothing."""
    for name, value, known in (
        ("--format", form, FORMATS),
        ("--market", asked.kind, KINDS),
        ("--regime", asked.regime, REGIMES),
    ):
        if value is not None and value not in known:
            raise RequestError(f"{name} {value!r}: expected one of {', '.join(known)}")
    for instant in (asked.after, asked.before):
        if instant is not None:
            parse_instant(instant)
    settings = Settings.load({"home": home})
    board = board_of(settings, asked)
    restated = restatements(settings.home)
    if html is not None:
        from arena.board_site import write_site

        say(f"wrote {write_site(html, board, restated, settings, table=as_csv(board))}")
    if as_json:
        print_json({**board.to_json(), "restatements": [one.to_json() for one in restated]})
    elif form == "csv":
        typer.echo(as_csv(board), nl=False)
    elif form == "markdown":
        typer.echo(as_markdown(board), nl=False)
    else:
        print_board(board)
        for one in excluded_runs(settings.home).values():
            typer.echo(f"{one.run} is left out since {one.at}: {one.reason}")


def restate_run(run: str, *, reason: str, undo: bool, home: Path | None, as_json: bool) -> None:
    """Take a run out of the leaderboard, or back in. Raises RequestError for a stranger."""
    settings = Settings.load({"home": home})
    made = restate(settings.home, Runs(settings.home).get(run).run_id, reason=reason, excluded=not undo)
    if as_json:
        print_json(made.to_json())
    else:
        typer.echo(f"{run} {'is left out' if made.excluded else 'counts again'}: {made.reason}")


def as_csv(board: Board) -> str:
    """One row a desk, every column of the JSON; lists are joined by spaces."""
    rows = [_flat(entry.to_json()) for entry in board.entries]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["desk"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_markdown(board: Board) -> str:
    """The table that people read, in Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in cells(entry))} |" for entry in board.entries]
    return "\n".join([*lines, "", said(board), ""])


def cells(entry: Entry) -> tuple[str, ...]:
    """The cells of a desk under :data:`COLUMNS`."""
    rank = "unranked" if entry.rank is None else f"{entry.rank}{' =' if entry.tied_with else ''}"
    kind = {"rule-based": " (rule-based)", "person": " (by hand)"}.get(entry.kind, "")
    return (
        rank,
        f"{entry.desk}{kind}",
        _percent(entry.return_),
        _span(entry.return_ci95),
        "n/a" if entry.luck_percentile is None else f"{100 * entry.luck_percentile:.0f}",
        _number(entry.deflated_sharpe),
        _percent(entry.max_drawdown, signed=False),
        _number(entry.brier_skill, signed=True),
        _number(entry.ece),
        _percent(entry.abstain_rate, signed=False),
        "n/a" if entry.usd_per_decision is None else f"{entry.usd_per_decision:.4f}",
        f"{entry.decisions:,}",
        f"{entry.seasons} ({entry.days:.0f} d)",
    )


def said(board: Board) -> str:
    """What the ranks mean, in one line."""
    kinds = "a simulated market" if board.kinds == ("simulated",) else "markets: " + ", ".join(board.kinds or ("none",))
    return (
        f"Rank = 1 + desks that are significantly better (all pairs, Holm, 5 %); '=' is tied. Luck is the percentile "
        f"among matched random traders. DSR allows for {board.trials} configurations tried. From {kinds}."
    )


def print_board(board: Board) -> None:
    """Print a leaderboard as a table, with what its ranks mean."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=170)
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=True)
    for entry in board.entries:
        table.add_row(*cells(entry))
    console.print(table)
    for entry in board.entries:
        if entry.unranked:
            console.print(f"{entry.desk} is unranked: {entry.unranked}")
    console.print(said(board))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _joined(value) for name, value in row.items()}


def _joined(value: Any) -> Any:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return value


def _percent(value: float | None, *, signed: bool = True) -> str:
    return "n/a" if value is None else f"{100 * value:{'+' if signed else ''}.2f} %"


def _span(bounds: tuple[float, float] | None) -> str:
    return "n/a" if bounds is None else f"{100 * bounds[0]:+.1f} to {100 * bounds[1]:+.1f} %"


def _number(value: float | None, *, signed: bool = False) -> str:
    return "n/a" if value is None else f"{value:{'+' if signed else ''}.3f}"
