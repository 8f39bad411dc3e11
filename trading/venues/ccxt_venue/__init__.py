"""Real exchanges through ccxt: spot and perpetuals behind the port of venues.

Which exchanges, and what is particular about each, stands in :mod:`trading.venues.ccxt_venue.facts`.
"""

from trading.venues.ccxt_venue.dead_man import VenueSwitch
from trading.venues.ccxt_venue.facts import VENUES, VenueFacts, venue_facts
from trading.venues.ccxt_venue.opening import Keys, VenueSpec, keys_from, open_venue
from trading.venues.ccxt_venue.stream import has_stream, order_changes
from trading.venues.ccxt_venue.venue import CcxtVenue

__all__ = [
    "VENUES",
    "CcxtVenue",
    "Keys",
    "VenueFacts",
    "VenueSpec",
    "VenueSwitch",
    "has_stream",
    "keys_from",
    "open_venue",
    "order_changes",
    "venue_facts",
]
