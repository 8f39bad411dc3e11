"""``tradefloor limits``: what may be done at most, and changing it while trading goes on."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from arena.wiring import live_limits
from trading.domain.instants import duration_ms, iso
from trading.risk.limit_board import Change


def show(*, home: Path | None, as_json: bool) -> None:
    """Every limit with what counts now, and the changes that were made."""
    with live_limits(Settings.load({"home": home})) as board:
        found = board.report()
    if as_json:
        print_json(found)
        return
    for row in found["limits"]:
        changed = f"  (house {row['house']}, {row['kind']} by {row['who']})" if row["who"] else ""
        typer.echo(f"{row['name']:28} {row['value']}{changed}")
    for change in found["changes"]:
        typer.echo(_line(change))


def change(name: str, value: str, *, who: str, reason: str, confirm: bool, home: Path | None, as_json: bool) -> None:
    """Set a limit."""
    with live_limits(Settings.load({"home": home})) as board:
        _told(board.set(name, value, who=who, reason=reason, confirm=confirm), as_json=as_json)


def override(name: str, value: str, *, who: str, reason: str, duration: str, home: Path | None, as_json: bool) -> None:
    """Ask to lift a limit for a while."""
    with live_limits(Settings.load({"home": home})) as board:
        asked = board.ask_override(name, value, who=who, reason=reason, for_ms=duration_ms(duration))
        _told(asked, as_json=as_json)


def approve(origin: str, *, who: str, home: Path | None, as_json: bool) -> None:
    """Let an override count, as a second person."""
    with live_limits(Settings.load({"home": home})) as board:
        _told(board.approve(origin, who=who), as_json=as_json)


def _told(made: Change, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(made))
    else:
        typer.echo(_line(asdict(made)))


def _line(change: dict[str, Any]) -> str:
    if change["from_ms"] is None:
        when = f"waits for a second person: `tradefloor limits approve {change['origin']} --who ...`"
    else:
        until = f" until {iso(change['until_ms'])}" if change["until_ms"] is not None else ""
        when = f"counts from {iso(change['from_ms'])}{until}"
    return f"{change['name']}: {change['old']} -> {change['value']} ({change['kind']} by {change['who']}), {when}"
