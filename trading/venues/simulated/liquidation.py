"""Closing an account, or a position with a margin of its own, that can no longer be carried."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from trading.domain import ids
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side
from trading.domain.money import QUOTE_STEP, ZERO, money_text, round_nearest
from trading.domain.order import LIQUIDATION, Order, order_payload
from trading.ledger.account import DeskAccount
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.events import ended, filled
from trading.venues.simulated.margin import Liquidation
from trading.venues.simulated.matching import slipped
from trading.venues.simulated.standing import StandingOrders


def close_out(
    account: DeskAccount,
    found: Liquidation,
    symbols: Sequence[str],
    orders: StandingOrders,
    instruments: Mapping[str, Instrument],
    costs: Costs,
    ts_ms: int,
) -> Iterator[Event]:
    """Cancel what stands, close ``symbols`` with the further fee, and let the insurance fund pay what is owed then.

    In cross margin spot holdings are sold before the fund pays. An isolated position costs no more than its margin.
    """
    isolated = found.margin is not None
    yield Event(
        ts_ms=ts_ms,
        kind=EventKind.LIQUIDATED,
        payload={
            "desk": account.desk,
            "equity": money_text(round_nearest(found.equity, QUOTE_STEP)),
            "maintenance": money_text(round_nearest(found.maintenance, QUOTE_STEP)),
            "positions": {symbol: money_text(account.position(symbol).quantity) for symbol in symbols},
        },
    )
    for order in orders.of(account.desk):
        if not isolated or order.instrument in symbols:
            yield ended(order, EventKind.ORDER_CANCELLED, ts_ms, "account liquidated")
    before = account.cash
    for symbol in symbols:
        yield from _forced_close(account, instruments[symbol], found.prices[symbol], costs, ts_ms)
    if found.margin is not None:
        owed = max(before - account.cash - found.margin, -account.cash)
    else:
        for symbol in tuple(account.positions) if account.cash < 0 else ():
            yield from _forced_close(account, instruments[symbol], found.prices[symbol], costs, ts_ms)
        owed = -account.cash
    if owed > 0:
        yield Event(ts_ms=ts_ms, kind=EventKind.INSURED, payload={"desk": account.desk, "amount": money_text(owed)})


def _forced_close(
    account: DeskAccount, instrument: Instrument, price: Decimal, costs: Costs, ts_ms: int
) -> Iterator[Event]:
    symbol = instrument.symbol
    held = account.position(symbol).quantity
    side = Side.SELL if held > 0 else Side.BUY
    order = Order(
        order_id=ids.order_id(f"liquidation:{account.desk}:{symbol}:{ts_ms}"),
        client_order_id="",
        intent_id="",
        desk=account.desk,
        instrument=symbol,
        side=side,
        order_type=OrderType.MARKET,
        quantity=abs(held),
        sent_ms=ts_ms,
        arrives_ms=ts_ms,
        reduce_only=True,
        origin=LIQUIDATION,
    )
    yield Event(ts_ms=ts_ms, kind=EventKind.ORDERED, payload=order_payload(order))
    yield filled(
        order,
        part=0,
        price=slipped(price, side, instrument, costs.slippage),
        arrival=max(price, ZERO),
        quantity=abs(held),
        fee_rate=costs.taker_fee + costs.liquidation_fee,
        liquidity=Liquidity.TAKER,
        ts_ms=ts_ms,
    )
