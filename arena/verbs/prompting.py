"""What models are told: prompt versions and the aliases that point to them."""

from pathlib import Path
from typing import Annotated

import typer

from arena.verbs.options import Home, Json

app = typer.Typer()
prompts = typer.Typer(help="Prompt versions and aliases.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(prompts, name="prompts")

Reference = Annotated[str, typer.Argument(help="ROLE/NAME.vN or an alias, such as executor/production.")]


@prompts.command("list")
def prompts_list(
    role: Annotated[str | None, typer.Option(help="Only this role's.")] = None, home: Home = None, as_json: Json = False
) -> None:
    """List every version with its digest, author, message and aliases; exit 1 when one cannot be used."""
    from arena.commands.prompts import listing

    listing(role, home=home, as_json=as_json)


@prompts.command("show")
def prompts_show(reference: Reference, home: Home = None, as_json: Json = False) -> None:
    """Print a prompt as its file has it."""
    from arena.commands.prompts import show

    show(reference, home=home, as_json=as_json)


@prompts.command("diff")
def prompts_diff(
    first: Reference,
    second: Annotated[str, typer.Argument(help="The one to compare it with.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print what changed from the first to the second."""
    from arena.commands.prompts import show_diff

    show_diff(first, second, home=home, as_json=as_json)


@prompts.command("add")
def prompts_add(
    name: Annotated[str, typer.Argument(help="ROLE/NAME; its next version is published.")],
    file: Annotated[Path, typer.Argument(help="The text, as `prompts show` prints one.")],
    author: Annotated[str, typer.Option(help="Who wrote it.")],
    message: Annotated[str, typer.Option(help="Why.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Publish a text as the next version of a prompt of this home folder."""
    from arena.commands.prompts import add

    add(name, file, author=author, message=message, home=home, as_json=as_json)


@prompts.command("alias")
def prompts_alias(
    alias: Annotated[str, typer.Argument(help="ROLE/production, ROLE/candidate or another word.")],
    reference: Annotated[str | None, typer.Argument(help="What it means from now on; shown without one.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show what an alias means, or point it to another version in this home folder."""
    from arena.commands.prompts import point

    point(alias, reference, home=home, as_json=as_json)
