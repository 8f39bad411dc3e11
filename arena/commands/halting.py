"""``tradefloor halt`` and ``resume``: the kill switch from any terminal."""

from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from trading.risk.kill_switch import KillSwitch


def halt(reason: str, *, flatten: bool, home: Path | None, as_json: bool) -> None:
    """Throw the switch of this home folder."""
    standing = KillSwitch(Settings.load({"home": home}).home).halt(reason, flatten=flatten)
    if as_json:
        document = {"halted": True, "scope": standing.scope, "reason": standing.reason, "since_ms": standing.since_ms}
        print_json({**document, "flatten": standing.flatten})
    else:
        also = ", and every position is closed" if standing.flatten else ""
        typer.echo(f"halted: {standing.reason}{also}; `tradefloor resume --reason ...` lets trading go on")


def resume(reason: str, *, desk: str | None, home: Path | None, as_json: bool) -> None:
    """Clear every latch of this home folder, or those of one desk."""
    cleared = KillSwitch(Settings.load({"home": home}).home).resume(reason, desk=desk)
    if as_json:
        print_json({"halted": False, "cleared": [{"scope": halt.scope, "reason": halt.reason} for halt in cleared]})
    else:
        for halt in cleared:
            typer.echo(f"cleared {halt.scope}: {halt.reason}")
