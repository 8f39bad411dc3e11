"""``tradefloor prompts``: versions of what models are told, and what the aliases mean."""

from dataclasses import asdict
from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.registration import prompt_folder
from arena.settings import Settings
from prompts import load_prompt, resolve, use_prompts
from prompts.library import add_version, diff, list_prompts, point_alias, read_text, text_of


def listing(role: str | None, *, home: Path | None, as_json: bool) -> None:
    """Print every version; exit 1 when one of them cannot be used."""
    _open(home)
    found = [one for one in list_prompts() if role is None or one.reference.startswith(f"{role}/")]
    if as_json:
        print_json({"prompts": [asdict(one) for one in found]})
    else:
        for one in found:
            origin = "shipped" if one.shipped else one.author or "home"
            pointing = f" <- {', '.join(one.aliases)}" if one.aliases else ""
            typer.echo(f"{one.reference:<28} {(one.sha256 or '?')[:12]}  {origin:<12} {one.message}{pointing}")
            if one.problem:
                typer.echo(f"  {one.problem}")
    if any(one.problem for one in found):
        raise typer.Exit(1)


def show(reference: str, *, home: Path | None, as_json: bool) -> None:
    """Print a prompt's text."""
    _open(home)
    prompt, text = load_prompt(reference), text_of(reference)
    if not as_json:
        typer.echo(text, nl=False)
        return
    slots = {name: kind.value for name, kind in prompt.slots.items()}
    facts = {"reference": prompt.reference, "role": prompt.role, "version": prompt.version, "sha256": prompt.sha256}
    print_json({**facts, "author": prompt.author, "message": prompt.message, "slots": slots, "text": text})


def show_diff(first: str, second: str, *, home: Path | None, as_json: bool) -> None:
    """Print what changed."""
    _open(home)
    changed = diff(first, second)
    if as_json:
        print_json({"first": resolve(first), "second": resolve(second), "same": not changed, "diff": changed})
    else:
        typer.echo(changed or f"{resolve(first)} and {resolve(second)} have the same text\n", nl=False)


def add(name: str, file: Path, *, author: str, message: str, home: Path | None, as_json: bool) -> None:
    """Publish a new version."""
    _open(home)
    prompt = add_version(name, read_text(file), author=author, message=message)
    if as_json:
        print_json({"reference": prompt.reference, "sha256": prompt.sha256})
    else:
        typer.echo(f"{prompt.reference} is published ({prompt.sha256[:12]})")


def point(alias: str, reference: str | None, *, home: Path | None, as_json: bool) -> None:
    """Show or move an alias."""
    _open(home)
    before = resolve(alias) if reference is None else point_alias(alias, reference)
    now = resolve(alias)
    if as_json:
        print_json({"alias": alias, "means": now, "before": before})
    else:
        typer.echo(f"{alias} means {now}" + (f", before {before}" if before not in (None, now) else ""))


def _open(home: Path | None) -> None:
    use_prompts(prompt_folder(Settings.load({"home": home})))
