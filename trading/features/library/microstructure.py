"""Microstructure: the cost of trading and who pressed, from candles alone, from books, and from trades."""

from functools import partial

import numpy as np

from trading.features.feature import Block, Feature, Group, Input, count_of_bars
from trading.features.rolling import (
    beta,
    deviation,
    log_returns,
    mean,
    product,
    ratio,
    total,
    windows,
    zscore,
)
from trading.marketdata import FloatArray

_from_bars = partial(Feature, group=Group.MICROSTRUCTURE, inputs=(Input.BARS,))
_from_top = partial(Feature, group=Group.MICROSTRUCTURE, inputs=(Input.TOP,))
_from_book = partial(Feature, group=Group.MICROSTRUCTURE, inputs=(Input.BOOK,))
_from_trades = partial(Feature, group=Group.MICROSTRUCTURE, inputs=(Input.TRADES,))


def _illiquidity(length: int) -> Feature:
    return _from_bars(
        name=f"amihud_{length}",
        warmup=length + 1,
        unit="log fraction per million quote",
        description=f"Mean size of the log return over the value traded, {length} bars (Amihud 2002).",
        formula=lambda x: 1e6 * mean(ratio(np.abs(log_returns(x["close"])), x["volume"] * x["close"]), length),
    )


def _roll(x: Block) -> FloatArray:
    """Twice the root of minus the covariance of one move with the next; 0 where the covariance is not negative."""
    moves = log_returns(x["close"])
    now, before = windows(moves[1:], 72), windows(moves[:-1], 72)
    covariance = ((now - now.mean(axis=1)[:, None]) * (before - before.mean(axis=1)[:, None])).sum(axis=1) / 71
    found: FloatArray = 2.0 * np.sqrt(np.maximum(-covariance, 0.0))
    return found


def _corwin_schultz(x: Block) -> FloatArray:
    reach = np.log(x["high"] / x["low"]) ** 2
    two = np.log(np.maximum(x["high"][1:], x["high"][:-1]) / np.minimum(x["low"][1:], x["low"][:-1])) ** 2
    root = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = (np.sqrt(2.0 * (reach[1:] + reach[:-1])) - np.sqrt(reach[1:] + reach[:-1])) / root - np.sqrt(two / root)
    return mean(np.maximum(2.0 * np.tanh(alpha / 2.0), 0.0), 24)


def _bought_share(x: Block) -> FloatArray:
    """Share of each bar's volume taken as bought, from its move in deviations of 72 (Easley et al. 2012)."""
    moves = log_returns(x["close"])
    spread = deviation(moves, 72)
    scaled = ratio(moves, np.where(spread > 1e-12, spread, np.nan))
    return 1.0 / (1.0 + np.exp(-1.702 * scaled))  # the logistic stands in for the normal law, within 0.01


def _bulk_toxicity(x: Block) -> FloatArray:
    return ratio(total(product(np.abs(2.0 * _bought_share(x) - 1.0), x["volume"]), 50), total(x["volume"], 50))


def _bar_impact(x: Block) -> FloatArray:
    moves = log_returns(x["close"])
    value = product(np.sign(moves), x["volume"] * x["close"])
    return 1e6 * beta(moves, value, 72)


def _imbalance(levels: int) -> Feature:
    bids, asks = f"bid_size_{levels}", f"ask_size_{levels}"
    made = _from_top if levels == 1 else _from_book
    return made(
        name=f"book_imbalance_{levels}",
        warmup=1,
        unit="-1 to 1",
        description=f"Bid less ask size over both, first {levels} level{'s' if levels > 1 else ''}.",
        formula=lambda x: (x[bids] - x[asks]) / (x[bids] + x[asks]),
    )


def _flow(length: int) -> Feature:
    return _from_top(
        name=f"order_flow_imbalance_{length}",
        warmup=length,
        unit="best sizes",
        description=f"Order-flow imbalance of {count_of_bars(length)} over the mean best size.",
        formula=lambda x: total(x["order_flow"], length) / mean((x["bid_size_1"] + x["ask_size_1"]) / 2.0, length),
    )


def _trade_sign(length: int) -> Feature:
    return _from_trades(
        name=f"trade_sign_{length}",
        warmup=length,
        unit="-1 to 1",
        description=f"Bought less sold volume over both, {count_of_bars(length)}, by aggressor.",
        formula=lambda x: (
            total(x["buy_volume"] - x["sell_volume"], length) / total(x["buy_volume"] + x["sell_volume"], length)
        ),
    )


def _spread(x: Block) -> FloatArray:
    return 2e4 * (x["ask"] - x["bid"]) / (x["ask"] + x["bid"])


def _microprice(x: Block) -> FloatArray:
    middle = (x["bid"] + x["ask"]) / 2.0
    weighed = (x["bid"] * x["ask_size_1"] + x["ask"] * x["bid_size_1"]) / (x["bid_size_1"] + x["ask_size_1"])
    return 1e4 * (weighed / middle - 1.0)


def _trade_size(x: Block) -> FloatArray:
    size = (x["buy_volume"] + x["sell_volume"]) / x["trade_count"]
    return ratio(size, mean(size, 24))


FEATURES = (
    *map(_illiquidity, (24, 72)),
    _from_bars(
        name="roll_spread_72",
        warmup=74,
        unit="log fraction",
        description="Effective spread from the bounce between bid and ask, 72 bars (Roll 1984).",
        formula=_roll,
    ),
    _from_bars(
        name="corwin_schultz_spread_24",
        warmup=25,
        unit="fraction",
        description="Spread from highs and lows of two bars, mean of 24, negatives as 0 (Corwin and Schultz 2012).",
        formula=_corwin_schultz,
    ),
    _from_bars(
        name="bar_impact_72",
        warmup=73,
        unit="log fraction per million quote",
        description="Slope of log return on value traded, signed by the bar, over 72 bars: Kyle's lambda from candles.",
        formula=_bar_impact,
    ),
    _from_bars(
        name="bulk_vpin_50",
        warmup=122,
        unit="0 to 1",
        description="Imbalance of volume split by each bar's move, over 50 bars: VPIN from candles.",
        formula=_bulk_toxicity,
    ),
    _from_top(
        name="spread_bps",
        warmup=1,
        unit="bps",
        description="Ask less bid over their middle.",
        formula=_spread,
    ),
    _from_top(
        name="spread_zscore_72",
        warmup=72,
        unit="deviations",
        description="Spread in standard deviations of the last 72 bars, from their mean.",
        formula=lambda x: zscore(_spread(x), 72),
    ),
    *map(_imbalance, (1, 5, 10, 20)),
    _from_top(
        name="microprice_bps",
        warmup=1,
        unit="bps",
        description="Middle price weighted by the opposite sizes, above the middle.",
        formula=_microprice,
    ),
    _from_book(
        name="depth_ratio_24",
        warmup=24,
        unit="ratio",
        description="Size of the first 10 levels of both sides over its mean of 24 bars.",
        formula=lambda x: ratio(x["bid_size_10"] + x["ask_size_10"], mean(x["bid_size_10"] + x["ask_size_10"], 24)),
    ),
    *map(_flow, (1, 12)),
    *map(_trade_sign, (1, 24)),
    _from_trades(
        name="kyle_lambda_72",
        inputs=(Input.TRADES, Input.BARS),
        warmup=73,
        unit="log fraction per million quote",
        description="Slope of log return on net bought value over 72 bars (Kyle 1985).",
        formula=lambda x: 1e6 * beta(log_returns(x["close"]), (x["buy_volume"] - x["sell_volume"]) * x["close"], 72),
    ),
    _from_trades(
        name="vpin_50",
        warmup=50,
        unit="0 to 1",
        description="Mean imbalance of bought and sold volume over 50 bars, weighted by volume "
        "(Easley, Lopez de Prado and O'Hara 2012, on bars of time).",
        formula=lambda x: (
            total(np.abs(x["buy_volume"] - x["sell_volume"]), 50) / total(x["buy_volume"] + x["sell_volume"], 50)
        ),
    ),
    _from_trades(
        name="trade_count_ratio_24",
        warmup=24,
        unit="ratio",
        description="Number of trades over its mean of 24 bars.",
        formula=lambda x: ratio(x["trade_count"], mean(x["trade_count"], 24)),
    ),
    _from_trades(
        name="trade_size_ratio_24",
        warmup=24,
        unit="ratio",
        description="Mean size of a trade over that of 24 bars.",
        formula=_trade_size,
    ),
)
"""The group, in the order of the vector."""
