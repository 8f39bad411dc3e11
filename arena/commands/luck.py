"""``tradefloor leaderboard luck``: how far luck alone goes, by days of trading and number of desks."""

import math
from typing import Any

import typer

from arena.commands.output import print_json
from trading.stats import expected_maximum_sharpe, observations_for_sharpe

DAYS = (17, 30, 90, 180, 365, 730)
DESKS = (5, 10, 20, 50)

_YEAR = 365.0
_HALF = 1.959964


def luck_rows() -> list[dict[str, Any]]:
    """For each number of days: the half-width of the 95 % interval of one annual Sharpe ratio of 0 (Lo 2002), and the
    best annual ratio to expect of so many desks without skill (Bailey & Lopez de Prado 2014)."""
    return [
        {
            "days": days,
            "half_width": _HALF * math.sqrt(_YEAR / days),
            "best_of": {desks: expected_maximum_sharpe(desks, variance=_YEAR / days) for desks in DESKS},
        }
        for days in DAYS
    ]


def print_luck(*, as_json: bool) -> None:
    """Print the table."""
    needed = observations_for_sharpe(1.0 / math.sqrt(_YEAR))
    if as_json:
        print_json({"year_days": _YEAR, "rows": luck_rows(), "days_for_sharpe_1": needed})
        return
    heads = " | ".join(f"best of {desks}" for desks in DESKS)
    typer.echo(f"| days | 95 % half-width of one Sharpe | {heads} |\n|{'---|' * (2 + len(DESKS))}")
    for row in luck_rows():
        best = " | ".join(f"{value:.1f}" for value in row["best_of"].values())
        typer.echo(f"| {row['days']} | {row['half_width']:.1f} | {best} |")
    typer.echo(f"\nA true annual Sharpe ratio of 1 is told from 0 after about {needed} days (95 %, one-sided).")
