"""The mode of the season on the floor, what it takes to go live, and beginning anew."""

from typing import Annotated, Literal

import fastapi
from pydantic import Field

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.records import READS
from arena.api.routes.floor import current
from arena.api.values import Reason, Row, Said
from arena.services import Services
from trading.domain.errors import RequestError

Mode = Literal["conservative", "balanced", "aggressive", "autonomous"]
Market = Literal["simulated", "replay", "paper", "live"]

LIVE = "LIVE"
RESET = "RESET"


class ModeRow(Row):
    """How the season on the floor trades. ``live`` is whether its orders leave the house."""

    season: str
    run: str
    mode: str = Field(examples=["balanced"])
    market: str = Field(examples=["simulated"])
    live: bool
    halted: bool
    can_reset: bool


class NewMode(Said):
    """The mode and market to trade in; ``confirmation`` must be ``LIVE`` to go to live."""

    mode: Mode | None = None
    market: Market | None = None
    confirmation: Annotated[str | None, Field(max_length=20, examples=["LIVE"])] = None
    reason: Reason


class NewRun(Said):
    """Begin the season anew. ``confirmation`` must be ``RESET``."""

    confirmation: Literal["RESET"]
    reason: Reason


class ResetRow(Row):
    """The run that ends. The new one is on the floor with one of the next snapshots."""

    accepted: bool = True
    ended_run: str
    reason: str


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the season on the floor of ``services``."""
    router = area("modes")

    @router.get("/mode", summary="The mode of the season on the floor", dependencies=READS)
    def mode() -> ModeRow:
        """How it trades now, and whether it can begin anew."""
        return _row(services)

    @router.put("/mode", summary="Change the mode")
    def change(wanted: NewMode, _: Annotated[Caller, needs(Role.ADMIN)]) -> ModeRow:
        """Answers with the mode where it trades in it already; the rules of a season do not move while it runs."""
        now = _row(services)
        if wanted.market == "live" and now.market != "live":
            if wanted.confirmation != LIVE:
                raise RequestError(f'going to live needs confirmation = "{LIVE}"; nothing was changed')
            raise RequestError(
                f"{now.season} cannot go to live: no venue of this version takes real orders. Nothing was changed; "
                "a season with market.kind = 'paper' trades a live market without sending orders"
            )
        for what, asked, found in (("mode", wanted.mode, now.mode), ("market", wanted.market, now.market)):
            if asked is not None and asked != found:
                key = "season.mode" if what == "mode" else "market.kind"
                raise RequestError(
                    f"{now.season} was registered with {what} {found}, and rules do not move while a season runs: "
                    f"start one with `tradefloor serve --set {key}={asked}`"
                )
        return now

    @router.post("/reset", summary="Begin the season anew", status_code=202)
    def reset(wanted: NewRun, caller: Annotated[Caller, needs(Role.ADMIN)]) -> ResetRow:
        """End the run on the floor for good and start a new one on the same rules. What was recorded stays."""
        snapshot = current(services.floor)
        if services.season is None:
            raise RequestError("the season on the floor was not started by this server, so it cannot be begun anew")
        services.season.reset(f"{wanted.reason} (reset by {caller.name})")
        return ResetRow(ended_run=snapshot.run_id, reason=wanted.reason)

    return router


def _row(services: Services) -> ModeRow:
    snapshot, season = current(services.floor), services.season
    return ModeRow(
        season=snapshot.season,
        run=snapshot.run_id,
        mode=snapshot.mode,
        market=snapshot.market,
        live=snapshot.market == "live",
        halted=snapshot.halt_reason is not None,
        can_reset=season is not None and season.can_reset,
    )
