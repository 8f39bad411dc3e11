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
from arena.autonomous.latch import missing_keys
from arena.seasons.next_mode import Mode
from arena.services import Services
from trading.domain.errors import RequestError

Market = Literal["simulated", "replay", "paper", "live"]

LIVE = "LIVE"
RESET = "RESET"


class ModeRow(Row):
    """How the season on the floor trades. ``live`` is whether its orders leave the house.

    ``next_mode`` is the mode that was chosen for its next run, null where that is the same.
    """

    season: str
    run: str
    mode: str = Field(examples=["balanced"])
    next_mode: Mode | None
    market: str = Field(examples=["simulated"])
    live: bool
    halted: bool
    can_reset: bool


class NewMode(Said):
    """The mode of the next run, and the market; ``confirmation`` must be ``LIVE`` to go to live."""

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
    def change(wanted: NewMode, caller: Annotated[Caller, needs(Role.ADMIN)]) -> ModeRow:
        """Choose the mode of the next run; the one that plays was registered with its own and keeps it.

        The next run begins with a reset, or when the server starts after this one has ended. To go live takes the keys
        of the latch, and is done by `tradefloor run` alone: the answer says which are missing.
        """
        now = _row(services)
        if wanted.market is not None and wanted.market != now.market:
            _refuse_market(services, now, wanted)
        if wanted.mode is None or wanted.mode == (now.next_mode or now.mode):
            return now
        if services.season is None:
            raise RequestError(
                "the season on the floor was not started by this server, so nobody begins its next run: start one with "
                f"`tradefloor serve --set season.mode={wanted.mode}`"
            )
        services.season.choose_mode(wanted.mode, who=caller.name, reason=wanted.reason)
        return _row(services)

    @router.post("/reset", summary="Begin the season anew", status_code=202)
    def reset(wanted: NewRun, caller: Annotated[Caller, needs(Role.ADMIN)]) -> ResetRow:
        """End the run on the floor for good and start a new one on the same rules, in the mode that was chosen for it.

        What was recorded stays.
        """
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
        next_mode=None if season is None else season.next_mode,
        market=snapshot.market,
        live=snapshot.market == "live",
        halted=snapshot.halt_reason is not None,
        can_reset=season is not None and season.can_reset,
    )


def _refuse_market(services: Services, now: ModeRow, wanted: NewMode) -> None:
    """Say why the season stays on its market, and what to do instead."""
    if wanted.market != "live":
        raise RequestError(
            f"{now.season} was registered with market {now.market}, and a season does not change its market: start "
            f"another with `tradefloor serve --season FILE`, whose file says market.kind = '{wanted.market}'"
        )
    if wanted.confirmation != LIVE:
        raise RequestError(f'going to live needs confirmation = "{LIVE}"; nothing was changed')
    missing = [f"a season file with market.kind = 'live' ({now.season} was registered with {now.market})"]
    missing += missing_keys(now.season, services.settings)
    raise RequestError(
        f"{now.season} cannot go to live; it lacks {'; '.join(missing)}. Nothing was changed. With all of them a live "
        "season is played by `tradefloor run SEASON.toml` alone, which watches over its orders: see docs/live.md. "
        "market.kind = 'paper' trades a live market without sending orders"
    )
