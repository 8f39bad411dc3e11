"""Margin of perpetuals: when an account can no longer carry its positions, and at what prices it is closed.

A bar tells its extremes but not their order or whether instruments reached them together. Two paths are examined,
everything falling to its low and everything rising to its high: markets that are traded together move together, and
taking each position's own worst extreme at once would liquidate hedged books that no real path would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from trading.domain.instrument import Instrument
from trading.domain.money import EXACT, ZERO
from trading.domain.order import Order
from trading.domain.position import Position
from trading.ledger.account import DeskAccount
from trading.ledger.marking import mark_account

INITIAL = 2
"""In cross margin an opening order needs so many times the maintenance margin: what Hyperliquid asks at the highest
leverage of any coin, and Binance in the first bracket of its large ones."""

HALVINGS = 80
"""Maintenance in tiers bends the way to the low: the moment is found by halving, to the last of 24 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """What fell below its maintenance margin: the prices at that moment, and what it had left.

    ``margin`` is the margin of an isolated position, beyond which it cannot lose; None for a whole account.
    """

    prices: Mapping[str, Decimal]
    equity: Decimal
    maintenance: Decimal
    margin: Decimal | None = None


def lacks_margin(
    order: Order,
    quantity: Decimal,
    account: DeskAccount,
    prices: Mapping[str, Decimal],
    instruments: Mapping[str, Instrument],
    *,
    isolated_leverage: Decimal | None = None,
) -> bool:
    """Whether ``account`` cannot put up the initial margin of what ``quantity`` of ``order`` would leave it with.

    ``prices`` has one for every position, and that of the fill. What does not enlarge the position needs no margin. In
    cross margin the equity stands for all perpetuals together, in isolated margin the cash for the cost of each over
    ``isolated_leverage``.
    """
    symbol = order.instrument
    held = account.position(symbol).quantity
    after = held + order.side.sign * quantity
    if not instruments[symbol].is_perp or abs(after) <= abs(held):
        return False
    sizes = {name: abs(one.quantity) for name, one in account.positions.items() if instruments[name].is_perp}
    sizes[symbol] = abs(after)
    with localcontext(EXACT):
        if isolated_leverage is not None:
            others = sum((abs(account.position(name).cost) for name in sizes if name != symbol), ZERO)
            return account.cash * isolated_leverage < others + abs(after) * prices[symbol]
        needed = sum((_initial(instruments[name], size * prices[name]) for name, size in sizes.items()), ZERO)
        return mark_account(account, prices, instruments).equity < needed


def _initial(instrument: Instrument, notional: Decimal) -> Decimal:
    return min(notional, INITIAL * instrument.maintenance(notional))


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
    which they meet is exact; in tiers, maintenance is convex, and the moment is found by halving.
    """
    found = _first_below(
        lambda prices: slack(account, prices, instruments),
        opens,
        lows,
        highs,
        bends=any(instruments[symbol].margin_tiers for symbol in account.positions),
    )
    if found is None:
        return None
    mark = mark_account(account, found, instruments)
    return Liquidation(prices=found, equity=mark.equity, maintenance=mark.maintenance)


def find_isolated_liquidation(
    position: Position, leverage: Decimal, open_: Decimal, low: Decimal, high: Decimal, instrument: Instrument
) -> Liquidation | None:
    """The liquidation of one position whose margin is its cost over ``leverage``, and nothing else stands for it."""
    margin = abs(position.cost) / leverage
    symbol = instrument.symbol

    def left(prices: Mapping[str, Decimal]) -> Decimal:
        value = position.value(prices[symbol])
        return margin + value - position.cost - instrument.maintenance(abs(value))

    with localcontext(EXACT):
        found = _first_below(left, {symbol: open_}, {symbol: low}, {symbol: high}, bends=bool(instrument.margin_tiers))
        if found is None:
            return None
        value = position.value(found[symbol])
        return Liquidation(
            prices=found,
            equity=margin + value - position.cost,
            maintenance=instrument.maintenance(abs(value)),
            margin=margin,
        )


def _first_below(
    left: Callable[[Mapping[str, Decimal]], Decimal],
    opens: Mapping[str, Decimal],
    lows: Mapping[str, Decimal],
    highs: Mapping[str, Decimal],
    *,
    bends: bool,
) -> dict[str, Decimal] | None:
    at_open = left(opens)
    worst: tuple[Decimal, Mapping[str, Decimal]] | None = (ZERO, opens) if at_open < 0 else None
    for ends in (lows, highs):
        at_end = left(ends)
        if at_end < 0:
            share = max(ZERO, at_open) / (max(ZERO, at_open) - at_end)
            if bends and at_open >= 0:
                share = _halved(left, opens, ends)
            if worst is None or share < worst[0]:
                worst = share, ends
    return None if worst is None else _along(opens, worst[1], worst[0])


def _along(opens: Mapping[str, Decimal], ends: Mapping[str, Decimal], share: Decimal) -> dict[str, Decimal]:
    return {symbol: opens[symbol] + (ends[symbol] - opens[symbol]) * share for symbol in opens}


def _halved(
    left: Callable[[Mapping[str, Decimal]], Decimal], opens: Mapping[str, Decimal], ends: Mapping[str, Decimal]
) -> Decimal:
    safe, lost = ZERO, Decimal(1)
    for _ in range(HALVINGS):
        middle = (safe + lost) / 2
        if left(_along(opens, ends, middle)) < 0:
            lost = middle
        else:
            safe = middle
    return lost


def safe_move(
    account: DeskAccount,
    prices: Mapping[str, float],
    instruments: Mapping[str, Instrument],
    *,
    isolated_leverage: float | None = None,
) -> float:
    """The fraction by which all prices may move, in any direction at once, without a liquidation.

    Infinity without perpetuals. A bound for skipping bars: the exact check is :func:`find_liquidation`.
    """
    if isolated_leverage is not None:
        return _safe_isolated(account, prices, instruments, isolated_leverage)
    equity, exposure, maintenance, perps = float(account.cash), 0.0, 0.0, False
    for symbol, position in account.positions.items():
        value = float(position.quantity) * prices[symbol]
        instrument = instruments[symbol]
        rate = float(instrument.worst_maintenance)
        exposure += abs(value) * (1 + rate)
        if instrument.is_perp:
            perps = True
            equity += value - float(position.cost)
            maintenance += abs(value) * rate
        else:
            equity += value
    if not perps:
        return float("inf")
    return max(0.0, (equity - maintenance) / exposure) * 0.999


def _safe_isolated(
    account: DeskAccount, prices: Mapping[str, float], instruments: Mapping[str, Instrument], leverage: float
) -> float:
    least = float("inf")
    for symbol, position in account.positions.items():
        instrument = instruments[symbol]
        if not instrument.is_perp:
            continue
        cost, value = float(position.cost), float(position.quantity) * prices[symbol]
        rate = float(instrument.worst_maintenance)
        room = abs(cost) / leverage + value - cost - abs(value) * rate
        least = min(least, max(0.0, room / (abs(value) * (1 + rate))) * 0.999)
    return least


def liquidation_price(
    *,
    wallet: Decimal,
    quantity: Decimal,
    entry: Decimal,
    instrument: Instrument,
    other_maintenance: Decimal = ZERO,
    other_unrealised: Decimal = ZERO,
) -> Decimal | None:
    """The price at which a position is liquidated, everything else standing still; None where no price does it.

    Binance's formula for USD-M futures in one-way mode: LP = (WB - TMM + UPNL + cum - side x q x entry) /
    (q x MMR - side x q), ``wallet`` being the wallet balance (the margin of an isolated position), and MMR and cum
    the rate and amount of the tier in which the notional at LP lies.
    """
    side = 1 if quantity > 0 else -1
    size = abs(quantity)
    tiers = [(tier.notional, tier.rate, tier.amount) for tier in instrument.margin_tiers]
    tiers = tiers or [(ZERO, instrument.maintenance_margin, ZERO)]
    for at, (floor, rate, amount) in enumerate(tiers):
        over = size * rate - side * size
        if over == 0:
            continue
        price = (wallet - other_maintenance + other_unrealised + amount - side * size * entry) / over
        ceiling = tiers[at + 1][0] if at + 1 < len(tiers) else None
        if price > 0 and floor <= size * price and (ceiling is None or size * price < ceiling):
            return price
    return None
