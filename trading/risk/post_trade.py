"""Getting back within a limit that was broken after the trade: by a fill from outside, or by the market itself."""

from collections.abc import Mapping
from decimal import Decimal, localcontext

from trading.domain.account import AccountView
from trading.domain.instrument import Instrument
from trading.domain.intent import Side, TradeIntent
from trading.domain.money import EXACT, round_up
from trading.risk.trip import TripReason

_SPARE = Decimal("0.99")
"""What is aimed at: a little less than the limit, so that the next tick does not break it again."""


def reducing_intents(
    account: AccountView, breach: TripReason, instruments: Mapping[str, Instrument]
) -> tuple[TradeIntent, ...]:
    """Market intents that shrink every position by the same share, until the exposure is back within ``breach.limit``.

    What already works against a position is counted first. ``breach.value`` is the exposure over equity that was found.
    """
    with localcontext(EXACT):
        share = 1 - _SPARE * breach.limit / breach.value if breach.value > 0 else Decimal(0)
        intents = []
        for symbol, position in account.positions.items():
            side = Side.SELL if position.quantity > 0 else Side.BUY
            working = sum(
                (order.quantity for order in account.open_orders if order.instrument == symbol and order.side is side),
                Decimal(0),
            )
            wanted = round_up(abs(position.quantity) * min(Decimal(1), share), instruments[symbol].lot)
            quantity = min(abs(position.quantity), wanted) - working
            if quantity > 0:
                intents.append(
                    TradeIntent(instrument=symbol, side=side, quantity=quantity, reduce_only=True, reason=breach.text())
                )
        return tuple(intents)
