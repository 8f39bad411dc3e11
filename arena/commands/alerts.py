"""``tradefloor alerts``: what nobody has answered yet, and answering it."""

from dataclasses import asdict
from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from trading.domain.instants import iso
from trading.risk.alerts import AlertDesk, FileChannel, LogChannel


def show(*, home: Path | None, as_json: bool) -> None:
    """Alerts that wait, oldest first."""
    waiting = _desk(home).waiting()
    if as_json:
        print_json({"alerts": [asdict(alert) for alert in waiting]})
        return
    for alert in waiting:
        typer.echo(
            f"{alert.alert_id}  {iso(alert.raised_ms)}  {'critical' if alert.is_critical else 'note'}: {alert.text}"
        )


def acknowledge(alert_id: str, *, who: str, home: Path | None, as_json: bool) -> None:
    """Take an alert off the list."""
    alert = _desk(home).acknowledge(alert_id, who=who)
    if as_json:
        print_json(asdict(alert))
    else:
        typer.echo(f"acknowledged {alert.alert_id}: {alert.text}")


def _desk(home: Path | None) -> AlertDesk:
    folder = Settings.load({"home": home}).home
    return AlertDesk(folder, (LogChannel(), FileChannel(folder)))
