"""Risk: what a run, or one of its desks, can lose."""

from typing import Any, Literal

import fastapi

from arena.api.area import area
from arena.api.heavy import heavy
from arena.api.records import READS, known_desk, market_asked
from arena.api.values import AskedDesk, AskedInstant, AskedRun, finite, ms_of
from arena.measured import Question, measure
from arena.risk.reporting import computed_report, of_desk
from arena.services import Services
from trading.domain.instants import iso

Horizon = Literal["1h", "4h", "8h", "12h", "24h", "72h"]
Lookback = Literal["7d", "30d", "90d", "365d"]


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the risk of the runs of ``services``."""
    router = area("risk", below="/risk", dependencies=READS)

    @router.get("/report", summary="The risk report of a run or a desk")
    def report(
        run: AskedRun = None,
        desk: AskedDesk = None,
        horizon: Horizon = "24h",
        lookback: Lookback = "365d",
        as_of: AskedInstant = None,
    ) -> dict[str, Any]:
        """The document of ``tradefloor risk report --json``, without the back-test over the season.

        VaR and CVaR are positive fractions of equity, by method and level.
        """
        _, record = market_asked(services, run)
        known_desk(record, desk)
        at_ms = ms_of(as_of)
        question = Question(
            run=record.folder.run_id,
            positions=None,
            data=(),
            at=None if at_ms is None else iso(at_ms),
            lookback=lookback,
            home=services.home,
            data_root=services.settings.data_root,
        )
        with heavy():
            measured = measure(question)
            document: dict[str, Any] = finite(
                computed_report(
                    of_desk(measured, desk) if desk is not None else measured,
                    services.settings,
                    horizon=horizon,
                    proposal={},
                    judged=False,
                )
            )
        return document

    return router
