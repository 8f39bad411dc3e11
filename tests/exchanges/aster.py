"""Aster's perpetuals, public part: Binance's wire under ``/fapi/v3``; books come whole, twenty levels a side."""

from collections.abc import Sequence
from typing import Any

from tests.exchanges.binance import Binance, pairs
from tests.exchanges.faults import Fault
from tests.exchanges.market import ASKS, BIDS, Levels, Listing, Market, Step
from tests.exchanges.server import Request, Session, Venue

DEPTH = 20


class Aster(Binance):
    """Spot lists nothing here; its list of markets and its clock are asked for all the same."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        super().__init__(listings, futures=True)
        self.exchange_id = "aster"
        self._root = "/fapi/v3/"

    def rest(self, request: Request, venue: Venue) -> Any | None:
        if request.path == "/api/v3/exchangeInfo":
            return {"timezone": "UTC", "rateLimits": [], "assets": [], "symbols": []}
        if request.path == "/api/v3/time":
            return self.time(request, venue)
        return super().rest(request, venue)

    def interest(self, request: Request, venue: Venue) -> Any:
        return None

    def frames(self, session: Session, instrument: str, step: Step, venue: Venue) -> tuple[list[Any], list[Any]]:
        market = venue.markets[instrument]
        _, others = super().frames(session, instrument, step, venue)
        name = f"{market.listing.base}{market.listing.quote}"
        if (f"depth{DEPTH}", name) not in session.topics:
            return [], others
        book = [self._whole(name, market, market.levels, step, step.at_ms)]
        if len(market.past) > 5 and venue.weather.strikes(Fault.STALE_SNAPSHOT):
            book.append(self._whole(name, market, market.past[0][1], step, step.at_ms - 2_000))
        return book, others

    @staticmethod
    def _whole(name: str, market: Market, levels: tuple[Levels, Levels], step: Step, at_ms: int) -> Any:
        return {
            "e": "depthUpdate",
            "E": at_ms,
            "T": at_ms,
            "s": name,
            "U": step.first_id,
            "u": step.final_id,
            "pu": step.previous_id,
            "b": pairs(market.listing, market.best(BIDS, DEPTH, levels)),
            "a": pairs(market.listing, market.best(ASKS, DEPTH, levels)),
        }
