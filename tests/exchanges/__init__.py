"""Exchanges on 127.0.0.1 that speak the public wire of five venues and fail on request. No client lives here."""

from tests.exchanges.faults import Fault, Weather
from tests.exchanges.market import Listing, Market, Step
from tests.exchanges.server import Dialect, Request, Session, Venue, serve
from tests.exchanges.venues import EXCHANGES, serve_exchange

__all__ = [
    "EXCHANGES",
    "Dialect",
    "Fault",
    "Listing",
    "Market",
    "Request",
    "Session",
    "Step",
    "Venue",
    "Weather",
    "serve",
    "serve_exchange",
]
