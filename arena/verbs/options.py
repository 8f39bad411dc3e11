"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path | None, typer.Option("--home", help="Folder of runs and data [env TRADEFLOOR_HOME].")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
DataRoot = Annotated[
    Path | None, typer.Option("--data-root", help="Folder the season's paths are relative to [env TRADEFLOOR_DATA].")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the season file.")
]
Run = Annotated[str | None, typer.Argument(help="A run's id; the latest run without one.")]
Positions = Annotated[Path | None, typer.Option("--positions", help="A JSON file of cash and positions, not a run.")]
Data = Annotated[list[str] | None, typer.Option("--data", metavar="GLOB", help="Candle files; may be given again.")]
SuiteName = Annotated[str, typer.Option("--suite", help="The suite both were tried on.")]
SplitName = Annotated[str, typer.Option("--split", help="dev, or heldout: every look at those is counted.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts as well.")]
At = Annotated[str | None, typer.Option("--at", help="Instant to look from; the last one known without it.")]
Variants = Annotated[
    list[str], typer.Option("--variant", metavar="MODEL", help="MODEL, NAME=MODEL[,ROLE:PROMPT] or a TOML file.")
]
BudgetUsd = Annotated[float | None, typer.Option("--budget-usd", min=0, help="Send nothing above this.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Processes for rule-based desks.")]
Ray = Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster for them; local starts one.")]
Venue = Annotated[str | None, typer.Option("--venue", help="Whose data, where several venues have the instrument.")]
