"""The guards of a run, made from its rules: the look at the markets, alerts, and who approves."""

from pathlib import Path
from typing import TYPE_CHECKING

from arena.seasons.rules import SeasonRules
from arena.settings import Settings

if TYPE_CHECKING:
    from graphs import Approver
    from trading.risk.alerts import AlertDesk
    from trading.risk.market_watch import MarketWatch
    from trading.risk.surveillance import Surveillance

ISOLATED = ("simulated", "replay", "paper")
"""Markets on which every desk has an account of its own, so that trades between two desks are no wash trades."""


def market_watch(rules: SeasonRules) -> "MarketWatch | None":
    """The look at the markets, None where the season has none."""
    if rules.breakers is None or not rules.breakers.watch_market:
        return None
    from trading.risk.market_watch import MarketWatch

    return MarketWatch()


def surveillance(rules: SeasonRules, source: str) -> "Surveillance | None":
    """What looks for patterns that paint the tape; it must see every event of the run."""
    if rules.alerts is None:
        return None
    from trading.risk.surveillance import Surveillance

    return Surveillance(() if source in ISOLATED else [desk.name for desk in rules.desks])


def alert_desk(rules: SeasonRules, settings: Settings) -> "AlertDesk | None":
    """Where alerts are raised: on the log, in a file, and by Apprise where addresses are set.

    Raises ConfigError for an address that Apprise does not know.
    """
    if rules.alerts is None:
        return None
    from arena.autonomous.notices import open_alerts

    return open_alerts(settings.home, settings.alert_urls, patience_ms=rules.alerts.patience_ms)


def approver(rules: SeasonRules, run_id: str, home: Path, cassette: Path, *, approve_all: bool) -> "Approver":
    """Who is asked before a desk trades, where the season's mode asks somebody."""
    from arena.seasons.approving import PATIENCE_MS, AskPeople, approve_unseen, recorded_answers
    from trading.risk.approvals import ApprovalBoard

    if approve_all:
        return approve_unseen
    if rules.cassette.mode == "replay":
        return recorded_answers(cassette)
    patience_ms = rules.season.approval_deadline_ms or PATIENCE_MS
    return AskPeople(board=ApprovalBoard(home), run_id=run_id, patience_ms=patience_ms)
