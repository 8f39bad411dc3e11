"""``tradefloor access``: who may come in, and what was written by whom."""

import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from arena.access import Audit, People, Person, Role
from arena.commands.output import print_json, say
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.domain.instants import iso


def add(name: str, *, role: str, with_password: bool, home: Path | None, as_json: bool) -> None:
    """Let somebody in."""
    folder = _home(home)
    known = _role(role)
    person = People(folder).add(name, known, _password(name) if with_password else None)
    _record(folder, f"add {name} as {role}")
    _tell(_document(person), f"{name} may come in as {role}", as_json)


def token(name: str, *, home: Path | None, as_json: bool) -> None:
    """Make a token and show it once."""
    folder = _home(home)
    made = People(folder).issue_token(name)
    _record(folder, f"token for {name}")
    if as_json:
        print_json({"name": name, "token": made})
        return
    typer.echo(made)
    say(f"shown once: send it as Authorization: Bearer; `tradefloor access revoke {name}` ends it")


def passwd(name: str, *, home: Path | None, as_json: bool) -> None:
    """Change a password."""
    folder = _home(home)
    people = People(folder)
    people.one(name)
    people.set_password(name, _password(name))
    _record(folder, f"password of {name}")
    _tell(_document(people.one(name)), f"{name} has a new password; sessions with the old one have ended", as_json)


def revoke(name: str, *, home: Path | None, as_json: bool) -> None:
    """End tokens and sessions."""
    folder = _home(home)
    count = People(folder).revoke(name)
    _record(folder, f"revoke {name}")
    _tell({"name": name, "revoked_tokens": count}, f"{name}: {count} tokens and all sessions have ended", as_json)


def remove(name: str, *, home: Path | None, as_json: bool) -> None:
    """Let somebody in no more."""
    folder = _home(home)
    People(folder).remove(name)
    _record(folder, f"remove {name}")
    _tell({"name": name, "removed": True}, f"{name} may come in no more", as_json)


def show(*, home: Path | None, as_json: bool) -> None:
    """List who may come in."""
    people = People(_home(home)).everyone()
    if as_json:
        print_json({"people": [_document(person) for person in people]})
        return
    for person in people:
        ways = ["password"] if person.has_password else []
        ways += [f"token {ident}" for ident in person.tokens]
        typer.echo(f"{person.name:<24} {person.role.name.lower():<8} {', '.join(ways) or 'no way in yet'}")
    if not people:
        typer.echo("nobody yet: `tradefloor access add NAME --role admin` lets somebody in")


def audit(count: int, *, home: Path | None, as_json: bool) -> None:
    """Print the newest lines of the audit, oldest first."""
    lines, damaged = Audit(_home(home)).last(count)
    if as_json:
        print_json({"lines": [asdict(line) for line in lines], "damaged": damaged})
        return
    for line in lines:
        what = f"{line.method} {line.path}" + (f" ({line.act})" if line.act else "")
        typer.echo(f"{line.at}  {line.caller:<20} {line.role:<7} {line.status}  {what}  {line.request_id}")
    if damaged:
        say(f"{damaged} of these lines are damaged and left out")
    if not lines:
        typer.echo("nothing was written over the web yet")


def _home(home: Path | None) -> Path:
    return Settings.load({"home": home}).home


def _role(text: str) -> Role:
    try:
        return Role[text.upper()]
    except KeyError:
        known = ", ".join(role.name.lower() for role in Role)
        raise RequestError(f"--role {text!r}: expected one of {known}") from None


def _password(name: str) -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    line = sys.stdin.readline(4_096).rstrip("\r\n")
    if not line:
        raise RequestError("no password on stdin: type it on a terminal, or send it as the first line")
    return line


def _record(home: Path, act: str) -> None:
    Audit(home).record(
        caller="terminal",
        role="admin",
        method="ACCESS",
        path="tradefloor access",
        status=0,
        request_id=secrets.token_hex(8),
        act=act,
    )


def _document(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "role": person.role.name.lower(),
        "has_password": person.has_password,
        "tokens": list(person.tokens),
        "created_at": iso(person.created_ms),
    }


def _tell(document: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(words)
