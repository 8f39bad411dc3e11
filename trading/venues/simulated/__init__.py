"""The simulated venue: fills, funding and liquidation against the bars of a tape, with fees, slippage and latency.

How an order fills on bars is documented in ``docs/decisions/0005-fills-on-bars.md``.
"""

from trading.venues.simulated.costs import Costs
from trading.venues.simulated.listing import list_instruments
from trading.venues.simulated.margin_rules import MarginRules
from trading.venues.simulated.venue import SimulatedVenue

__all__ = ["Costs", "MarginRules", "SimulatedVenue", "list_instruments"]
