"""``tradefloor runs``: what was run in this home folder."""

from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from trading.storage.runs import Runs


def show(*, home: Path | None, as_json: bool) -> None:
    """List the runs, the one worked on last at the end."""
    found = [
        {
            "run_id": run.run_id,
            "season": run.manifest.get("season"),
            "market": run.manifest.get("market"),
            "status": "finished" if run.is_finished else "unfinished",
            "rules_sha256": run.manifest.get("rules_sha256"),
        }
        for run in Runs(Settings.load({"home": home}).home).all()
    ]
    if as_json:
        print_json({"runs": found})
        return
    for run in found:
        typer.echo(f"{run['run_id']:<48} {run['market'] or 'n/a':<10} {run['status']}")
    if not found:
        typer.echo("no runs yet: `tradefloor run config/seasons/demo.toml` starts one")
