"""A matching engine with books of its own: price and time, exact decimals, no code of the trading core.

Resting orders of others are the levels of the loopback market. What an order takes leaves the level it was taken from;
what rests is filled when the market trades through its price.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.exchanges.accounts import Asked, Held, Listener, Moved, Refused, Status, Traded
from tests.exchanges.market import ASKS, BIDS, Listing, Market

ZERO = Decimal(0)


class BookAccount:
    """One account over the markets of a loopback exchange. Spot holds currencies, perpetuals a wallet."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        deposits: Mapping[str, Decimal],
        *,
        now_ms: Callable[[], int],
        taker: Decimal = Decimal("0.0005"),
        maker: Decimal = Decimal("0.0002"),
        leverage: Decimal = Decimal(10),
        fees_in_quote: bool = False,
    ) -> None:
        self._markets = markets
        self._now_ms = now_ms
        self._fees = {False: taker, True: maker}
        self._leverage = leverage
        self._fees_in_quote = fees_in_quote
        self.wallet: dict[str, Decimal] = dict(deposits)
        self.held: dict[str, tuple[Decimal, Decimal]] = {}
        self._orders: list[Held] = []
        self._trades: list[Traded] = []
        self._moved: list[Moved] = []
        self._peaks: dict[int, Decimal] = {}
        self._waiting: set[int] = set()
        self.listeners: list[Listener] = []

    # -- what the wire asks ----------------------------------------------------------------------------------------

    def place(self, asked: Asked) -> Held:
        if any(one.asked.client_id == asked.client_id and one.status.live for one in self._orders):
            raise Refused("duplicate")
        self._check(asked)
        now = self._now_ms()
        held = Held(number=len(self._orders) + 1001, asked=asked, created_ms=now, updated_ms=now)
        self._orders.append(held)
        if held.conditional:
            self._waiting.add(held.number)
            self._peaks[held.number] = self._top(asked.instrument, not asked.buys)
        self._tell(held)
        if not held.conditional:
            self._arrive(held)
        return held

    def cancel(self, held: Held) -> None:
        if not held.status.live:
            raise Refused("unknown order")
        self._end(held, Status.CANCELLED)

    def orders(self) -> Sequence[Held]:
        return self._orders

    def trades(self) -> Sequence[Traded]:
        return self._trades

    def balances(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        locked: dict[str, Decimal] = {}
        for held in self._live():
            listing = self._listing(held)
            if listing.perp or held.conditional:
                continue
            left = held.asked.quantity - held.filled
            currency = listing.quote if held.asked.buys else listing.base
            price = held.asked.limit or ZERO
            locked[currency] = locked.get(currency, ZERO) + (left * price if held.asked.buys else left)
        return {name: (total - locked.get(name, ZERO), locked.get(name, ZERO)) for name, total in self.wallet.items()}

    def positions(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        return {name: row for name, row in self.held.items() if row[0]}

    def last(self, instrument: str) -> Decimal:
        return self._top(instrument, buys=False)

    def moved(self) -> Sequence[Moved]:
        return self._moved

    # -- cash comes and goes ---------------------------------------------------------------------------------------

    def pay(self, kind: str, amount: str, currency: str = "USDT", *, fee: str = "0", **more: Any) -> Moved:
        """Cash that moves without a trade. A pending deposit is not credited, a pending withdrawal is taken already."""
        moved = Moved(
            number=9001 + len(self._moved),
            kind=kind,
            currency=currency,
            amount=Decimal(amount),
            fee=Decimal(fee),
            **{"at_ms": self._now_ms()} | more,
        )
        self._moved.append(moved)
        if not (kind == "deposit" and moved.status == "pending"):
            self._move(currency, moved.amount - moved.fee)
        return moved

    def settle(self, moved: Moved, status: str) -> None:
        """A pending deposit is credited when it is done; a withdrawal that fails is given back."""
        moved.status = status
        if moved.kind == "deposit" and status == "done":
            self._move(moved.currency, moved.amount)
        elif moved.kind == "withdrawal" and status == "failed":
            self._move(moved.currency, moved.fee - moved.amount)

    # -- the market moves ------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Look at the markets again: triggers, expiries, and what rests at a price that the market went through."""
        now = self._now_ms()
        for held in list(self._live()):
            if held.asked.expires_ms is not None and now >= held.asked.expires_ms:
                self._end(held, Status.EXPIRED)
            elif held.number in self._waiting:
                if self._triggered(held):
                    self._waiting.discard(held.number)
                    self._arrive(held)
            else:
                self._take(held, maker=True)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _live(self) -> list[Held]:
        return [held for held in self._orders if held.status.live]

    def _listing(self, held: Held) -> Listing:
        return self._markets[held.asked.instrument].listing

    def _top(self, instrument: str, buys: bool) -> Decimal:
        """The price at which one who buys, or sells, is served first."""
        market = self._markets[instrument]
        return market.best(ASKS if buys else BIDS, 1)[0][0] * market.listing.tick

    def _check(self, asked: Asked) -> None:
        listing = self._markets[asked.instrument].listing
        price = asked.limit or asked.trigger or self._top(asked.instrument, asked.buys)
        position = self.held.get(asked.instrument, (ZERO, ZERO))[0]
        if asked.reduce_only and not (position < 0 if asked.buys else position > 0):
            raise Refused("nothing to reduce")
        if asked.trigger is not None:
            last = self._top(asked.instrument, asked.buys)
            above = asked.buys == (asked.kind == "stop")
            if (asked.trigger <= last) if above else (asked.trigger >= last):
                raise Refused("would trigger")
        if asked.post_only and asked.limit is not None and self._crosses(asked):
            raise Refused("would take")
        if listing.perp:
            after = position + (asked.quantity if asked.buys else -asked.quantity)
            if (
                abs(after) > abs(position)
                and abs(after) * price > self.wallet.get(listing.quote, ZERO) * self._leverage
            ):
                raise Refused("funds")
            return
        free = self.balances()
        needed, currency = (asked.quantity * price, listing.quote) if asked.buys else (asked.quantity, listing.base)
        if free.get(currency, (ZERO, ZERO))[0] < needed:
            raise Refused("funds")

    def _crosses(self, asked: Asked) -> bool:
        assert asked.limit is not None
        top = self._top(asked.instrument, asked.buys)
        return asked.limit >= top if asked.buys else asked.limit <= top

    def _triggered(self, held: Held) -> bool:
        asked = held.asked
        last = self._top(asked.instrument, asked.buys)
        if asked.trail is not None:
            best = self._peaks[held.number]
            best = self._peaks[held.number] = min(best, last) if asked.buys else max(best, last)
            return last >= best * (1 + asked.trail) if asked.buys else last <= best * (1 - asked.trail)
        assert asked.trigger is not None
        above = asked.buys == (asked.kind == "stop")
        return last >= asked.trigger if above else last <= asked.trigger

    def _arrive(self, held: Held) -> None:
        asked = held.asked
        if asked.tif == "FOK" and self._reachable(asked) < asked.quantity:
            self._end(held, Status.EXPIRED)
            return
        self._take(held, maker=False)
        if held.status.live and (asked.limit is None or asked.tif in ("IOC", "FOK")):
            self._end(held, Status.EXPIRED)

    def _reachable(self, asked: Asked) -> Decimal:
        return sum((size for _, size in self._levels(asked)), ZERO)

    def _levels(self, asked: Asked) -> list[tuple[Decimal, Decimal]]:
        market = self._markets[asked.instrument]
        grid = market.listing
        rows = []
        for price, size in market.best(ASKS if asked.buys else BIDS, 50):
            at = price * grid.tick
            if asked.limit is not None and (at > asked.limit if asked.buys else at < asked.limit):
                break
            rows.append((at, size * grid.lot))
        return rows

    def _take(self, held: Held, *, maker: bool) -> None:
        asked = held.asked
        market = self._markets[asked.instrument]
        for at, size in self._levels(asked):
            left = asked.quantity - held.filled
            taken = min(left, size)
            if asked.reduce_only:
                taken = min(taken, abs(self.held.get(asked.instrument, (ZERO, ZERO))[0]))
            if taken <= 0:
                break
            side = ASKS if asked.buys else BIDS
            ticks = int(at / market.listing.tick)
            rest = int((size - taken) / market.listing.lot)
            if rest or len(market.levels[side]) > 5:
                market._set([(side, ticks, rest)])
            self._trade(held, asked.limit if maker and asked.limit is not None else at, taken, maker=maker)
        if asked.reduce_only and held.status.live and not self.held.get(asked.instrument, (ZERO, ZERO))[0]:
            self._end(held, Status.EXPIRED)

    def _trade(self, held: Held, price: Decimal, quantity: Decimal, *, maker: bool) -> None:
        listing, asked = self._listing(held), held.asked
        sign = 1 if asked.buys else -1
        rate, realised = self._fees[maker], ZERO
        if listing.perp:
            realised = self._hold(asked.instrument, sign * quantity, price)
            fee, currency = price * quantity * rate, listing.quote
            self._move(currency, realised - fee)
        else:
            in_base = asked.buys and not self._fees_in_quote
            fee, currency = (quantity * rate, listing.base) if in_base else (price * quantity * rate, listing.quote)
            self._move(listing.base, sign * quantity)
            self._move(listing.quote, -sign * price * quantity)
            self._move(currency, -fee)
        held.filled += quantity
        held.spent += price * quantity
        held.updated_ms = self._now_ms()
        held.status = Status.FILLED if held.filled == asked.quantity else Status.PARTIAL
        traded = Traded(
            number=len(self._trades) + 1,
            order=held,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=currency,
            maker=maker,
            at_ms=held.updated_ms,
            realised=realised,
        )
        self._trades.append(traded)
        self._tell(held, traded)

    def _hold(self, instrument: str, change: Decimal, price: Decimal) -> Decimal:
        """Add to a position or close of it; the profit that closing realised. Entry prices are means, kept as cost."""
        quantity, cost = self.held.get(instrument, (ZERO, ZERO))  # cost is signed: quantity times mean entry
        if quantity == 0 or (quantity > 0) == (change > 0):
            self.held[instrument] = (quantity + change, cost + change * price)
            return ZERO
        closed = min(abs(change), abs(quantity))
        sign = 1 if quantity > 0 else -1
        whole = closed == abs(quantity)
        part = cost if whole else (cost * closed / abs(quantity)).quantize(Decimal("1e-12"))
        realised = sign * closed * price - part
        rest = abs(change) - closed
        opened = (1 if change > 0 else -1) * rest
        self.held[instrument] = (quantity + change, (ZERO if whole else cost - part) + opened * price)
        return realised

    def _move(self, currency: str, amount: Decimal) -> None:
        self.wallet[currency] = self.wallet.get(currency, ZERO) + amount

    def _end(self, held: Held, status: Status) -> None:
        held.status = status
        held.updated_ms = self._now_ms()
        self._waiting.discard(held.number)
        self._tell(held)

    def _tell(self, held: Held, traded: Traded | None = None) -> None:
        for listener in self.listeners:
            listener(held, traded)
