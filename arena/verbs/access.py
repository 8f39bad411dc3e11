"""Who may come in, and what they wrote."""

from typing import Annotated

import typer

from arena.verbs.options import Home, Json

app = typer.Typer()
access = typer.Typer(help="Who may log in, and what was written.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(access, name="access")

Name = Annotated[str, typer.Argument(help="A name that was added.")]


@access.command("add")
def access_add(
    name: Annotated[str, typer.Argument(help="Small letters, digits and . _ @ -")],
    role: Annotated[str, typer.Option(help="viewer (reads), trader (halts, approves, trades) or admin (everything).")],
    no_password: Annotated[bool, typer.Option("--no-password", help="For a program: it comes by token alone.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let somebody in. The password is asked for, or read from the first line of stdin."""
    from arena.commands.access import add

    add(name, role=role, with_password=not no_password, home=home, as_json=as_json)


@access.command("token")
def access_token(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Make a token for programs of somebody. It is shown once, and kept as a hash."""
    from arena.commands.access import token

    token(name, home=home, as_json=as_json)


@access.command("list")
def access_list(home: Home = None, as_json: Json = False) -> None:
    """List who may come in."""
    from arena.commands.access import show

    show(home=home, as_json=as_json)


@access.command("passwd")
def access_passwd(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Change a password, and end the sessions that began with the old one."""
    from arena.commands.access import passwd

    passwd(name, home=home, as_json=as_json)


@access.command("revoke")
def access_revoke(name: Name, home: Home = None, as_json: Json = False) -> None:
    """End all tokens and sessions of somebody, who may log in again."""
    from arena.commands.access import revoke

    revoke(name, home=home, as_json=as_json)


@access.command("remove")
def access_remove(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Let somebody in no more. Tokens and sessions end at once."""
    from arena.commands.access import remove

    remove(name, home=home, as_json=as_json)


@access.command("audit")
def access_audit(
    count: Annotated[int, typer.Option("--count", min=1, max=100_000, help="How many lines, from the newest.")] = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print who wrote what over the web, and changes to who may come in."""
    from arena.commands.access import audit

    audit(count, home=home, as_json=as_json)
