"""Alerts that nobody has answered yet, and answering them."""

from typing import Annotated

import fastapi

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.values import Instant, Row
from arena.services import Services
from trading.domain.instants import iso
from trading.risk.alerts import Alert, AlertDesk, FileChannel, LogChannel

AlertId = Annotated[str, fastapi.Path(pattern=r"^[a-z0-9-]{1,60}$", examples=["a-0123456789ab"])]


class AlertRow(Row):
    """Something a person must know, raised at an instant of the wall clock."""

    alert_id: str
    text: str
    raised_at: Instant
    critical: bool


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the alerts of ``services``."""
    router = area("alerts")
    desk = AlertDesk(services.home, (LogChannel(), FileChannel(services.home)))

    @router.get("/alerts", summary="Alerts that wait", dependencies=[needs(Role.VIEWER)])
    def alerts(after: AfterId = None, limit: Limit = 50) -> Page[AlertRow]:
        """Alerts that nobody has acknowledged, oldest first."""
        return page_by_id(list(map(_row, desk.waiting())), limit, after, lambda row: row.alert_id)

    @router.post("/alerts/{alert_id}/acknowledge", summary="Acknowledge an alert")
    def acknowledge(alert_id: AlertId, caller: Annotated[Caller, needs(Role.TRADER)]) -> AlertRow:
        """Take an alert off the list, in the caller's name."""
        if alert_id not in {alert.alert_id for alert in desk.waiting()}:
            raise NotFound(f"no alert {alert_id!r} waits; GET /alerts lists those that do")
        return _row(desk.acknowledge(alert_id, who=caller.name))

    return router


def _row(alert: Alert) -> AlertRow:
    return AlertRow(
        alert_id=alert.alert_id, text=alert.text, raised_at=iso(alert.raised_ms), critical=alert.is_critical
    )
