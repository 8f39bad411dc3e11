"""Market data: candle files and their checks, the tape, the simulated market, and the view that ends at ``as_of``.

No orders and no accounts: a venue reads the tape, a desk reads the view.
"""

from trading.marketdata.tape import FloatArray, FundingRates, IntArray, Tape
from trading.marketdata.view import Bars, MarketView, TapeView, last_bar

__all__ = ["Bars", "FloatArray", "FundingRates", "IntArray", "MarketView", "Tape", "TapeView", "last_bar"]
