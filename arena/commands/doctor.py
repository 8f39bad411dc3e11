"""``tradefloor doctor``: what is set and by whom, what can be reached, what is missing and what to type."""

from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.diagnosis import diagnose
from arena.settings import Settings


def examine(*, home: Path | None, data_root: Path | None, as_json: bool) -> None:
    """Print the effective configuration and every problem with its remedy."""
    found = diagnose(Settings.load({"home": home, "data_root": data_root}))
    if as_json:
        print_json(found.to_json())
        return
    for setting in found.settings:
        typer.echo(f"{setting.key:<14} {setting.value or 'unset':<40} {setting.source}")
    for model in found.models:
        state = "usable" if model["usable"] else f"needs {', '.join(model['missing'])}"
        typer.echo(f"{model['id']:<52} {state}{' (free)' if model['free'] else ''}")
    for venue in found.venues:
        typer.echo(
            f"{'venue ' + venue['id']:<52} {'usable' if venue['usable'] else 'needs ' + ', '.join(venue['missing'])}"
        )
    for embedding in found.memory["embeddings"]:
        state = "usable" if embedding["usable"] else "type `./run setup embed`"
        typer.echo(f"{'memory embedding ' + embedding['id']:<52} {state}; {embedding['note']}")
    for problem in found.problems:
        typer.echo(f"problem: {problem['what']}\n     do: {problem['do']}")
    if not found.problems:
        typer.echo("no problems found")
