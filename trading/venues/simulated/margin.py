"""Margin of perpetuals: when an account can no longer carry its positions, and at what prices it is closed.

A bar tells its extremes but not their order or whether instruments reached them together. Two paths are examined,
everything falling to its low and everything rising to its high: markets that are traded together move together, and
taking each position's own worst extreme at once would liquidate hedged books that no real path would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.instrument import Instrument
from trading.domain.money import ZERO
from trading.ledger.account import DeskAccount
from trading.ledger.marking import mark_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """An account that fell below its maintenance margin: the prices at that moment, and what it had left."""

    prices: Mapping[str, Decimal]
    equity: Decimal
    maintenance: Decimal


def slack(account: DeskAccount, prices: Mapping[str, Decimal], instruments: Mapping[str, Instrument]) -> Decimal:
    """Equity above maintenance margin; negative when the account must be closed."""
    mark = mark_account(account, prices, instruments)
    return mark.equity - mark.maintenance


def find_liquidation(
    account: DeskAccount,
    opens: Mapping[str, Decimal],
    lows: Mapping[str, Decimal],
    highs: Mapping[str, Decimal],
    instruments: Mapping[str, Instrument],
) -> Liquidation | None:
    """The first liquidation on the way from ``opens`` to ``lows`` or to ``highs``; None when neither path has one.

    Along a straight path equity and maintenance margin are linear in the share of the way gone, so the moment at
    which they meet is exact.
    """
    at_open = slack(account, opens, instruments)
    worst: tuple[Decimal, Mapping[str, Decimal]] | None = (ZERO, opens) if at_open < 0 else None
    for ends in (lows, highs):
        at_end = slack(account, ends, instruments)
        if at_end < 0:
            share = max(ZERO, at_open) / (max(ZERO, at_open) - at_end)
            if worst is None or share < worst[0]:
                worst = share, ends
    if worst is None:
        return None
    share, ends = worst
    prices = {symbol: opens[symbol] + (ends[symbol] - opens[symbol]) * share for symbol in opens}
    mark = mark_account(account, prices, instruments)
    return Liquidation(prices=prices, equity=mark.equity, maintenance=mark.maintenance)


def safe_move(account: DeskAccount, prices: Mapping[str, float], instruments: Mapping[str, Instrument]) -> float:
    """The fraction by which all prices may move, in any direction at once, without a liquidation.

    Infinity without perpetuals. A bound for skipping bars: the exact check is :func:`find_liquidation`.
    """
    equity, exposure, maintenance, perps = float(account.cash), 0.0, 0.0, False
    for symbol, position in account.positions.items():
        value = float(position.quantity) * prices[symbol]
        instrument = instruments[symbol]
        exposure += abs(value) * (1 + float(instrument.maintenance_margin))
        if instrument.is_perp:
            perps = True
            equity += value - float(position.cost)
            maintenance += abs(value) * float(instrument.maintenance_margin)
        else:
            equity += value
    if not perps:
        return float("inf")
    return max(0.0, (equity - maintenance) / exposure) * 0.999
