"""What an order's own size does to its price."""

import math


def square_root_impact(quantity: float, *, volume: float, volatility: float, constant: float = 1.0) -> float:
    """The expected move against an order as a fraction of price: constant x volatility x sqrt(quantity / volume).

    ``volatility`` (of log prices) and ``volume`` are over the same span, whose length cancels out. The law holds over
    markets and decades: Toth et al. (2011), Anomalous price impact and the critical nature of liquidity; the constant
    is near one. NaN where volume is not above zero or anything is not known.
    """
    if not volume > 0 or not volatility >= 0 or not quantity >= 0:
        return math.nan
    return constant * volatility * math.sqrt(quantity / volume)
