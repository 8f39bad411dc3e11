"""Settings and doctor: what is in force, what can be reached, what is wrong, and what waits for somebody."""

from collections.abc import Mapping
from pathlib import Path

from arena.access import Caller, Role
from arena.beside import Beside
from arena.diagnosis import Diagnosis, diagnose
from arena.ui.components.markup import element
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page
from arena.ui.pressed import hidden_button
from arena.ui.risk.parts import columns
from arena.ui.settings.panels import (
    ACKNOWLEDGE,
    LOOK_AGAIN,
    alerts_panel,
    files_panel,
    latch_panel,
    models_panel,
    problems_panel,
    settings_panel,
    state_facts,
)
from trading.domain.errors import TradefloorError
from trading.risk.alerts import Alert, AlertDesk, FileChannel, LogChannel

FRESH_MS = 600_000
"""How long a look at the installation counts."""


def build(page: LivePage) -> None:
    """One live panel over everything; the acts behind it."""
    services = page.services
    settings = services.settings
    known: Beside[Diagnosis] = Beside("doctor", services.jobs, fresh_ms=FRESH_MS)
    desk = AlertDesk(settings.home, (LogChannel(), FileChannel(settings.home)))
    looks = [0]

    def next_mode() -> str | None:
        return None if services.season is None else services.season.next_mode

    def content(address: Address, now_ms: int) -> str:
        found = known.ask("all", lambda ticket: diagnose(settings), edition=looks[0])
        alerts, trouble = _waiting(desk)
        return element(
            "div",
            state_facts(settings, services.floor.snapshot(), found, alerts, next_mode=next_mode()),
            columns(
                [problems_panel(found), alerts_panel(alerts, trouble, now_ms), settings_panel(settings)],
                [latch_panel(settings), files_panel(settings), models_panel(found)],
            ),
            class_="tf tf-risk",
        )

    page.housed_html(
        content,
        edition=lambda: (services.jobs.version, looks[0], _stamp(settings.home / "alerts"), next_mode()),
        elem_id="tf-settings",
    )

    def acknowledge(value: str, address: Mapping[str, str], caller: Caller) -> str:
        return f"Acknowledged: {desk.acknowledge(value, who=caller.name).text}"

    def look_again(value: str, address: Mapping[str, str], caller: Caller) -> None:
        looks[0] += 1

    hidden_button(acknowledge, Role.TRADER, elem_id=ACKNOWLEDGE)
    hidden_button(look_again, Role.TRADER, elem_id=LOOK_AGAIN)


def _waiting(desk: AlertDesk) -> tuple[list[Alert], str]:
    try:
        return desk.waiting(), ""
    except (TradefloorError, OSError) as error:
        return [], str(error)


def _stamp(folder: Path) -> int:
    return folder.stat().st_mtime_ns if folder.is_dir() else 0


PAGE = Page(title="Settings", path="settings", order=90, build=build)
