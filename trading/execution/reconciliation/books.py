"""What the venue's own books must say, currency by currency: a fold over the journal, exact to the last digit.

The ledger keeps what each desk owns, in one quote currency. This keeps what the account at the venue holds: a fee is
taken in the currency in which it was charged, and a closed part brings what the venue itself said it realised. What
the venue tells of other cash (funding, deposits, withdrawals) counts once by its id.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

from trading.domain.event import Event, EventKind
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.intent import Side
from trading.domain.money import EXACT, QUOTE_STEP, ZERO, round_nearest


class ExpectedBooks:
    """Balances by currency and positions by instrument since the account was taken over."""

    def __init__(self) -> None:
        self.is_open = False
        self._balances: dict[str, Decimal] = {}
        self._positions: dict[str, Decimal] = {}
        self._costs: dict[str, Decimal] = {}
        self._cash_ids: set[str] = set()
        self.cash_until_ms = 0

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """What the account holds of each currency; what is nothing is left out."""
        return {name: total for name, total in self._balances.items() if total}

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed quantity of each perpetual; what is flat is left out."""
        return {name: quantity for name, quantity in self._positions.items() if quantity}

    def knows_cash(self, cash_id: str) -> bool:
        """Whether a movement of cash counts already, by itself or in the balances that were taken over."""
        return cash_id in self._cash_ids

    def apply(self, event: Event) -> None:
        """Take an event in."""
        with localcontext(EXACT):
            if event.kind is EventKind.BOOKS_OPENED:
                self.is_open = True
                self._set(event.payload)
                self._cash_ids.update(event.payload.get("cash_ids", ()))
                self.cash_until_ms = event.ts_ms
            elif event.kind is EventKind.BOOKS_ADJUSTED:
                self._set(event.payload)
            elif event.kind is EventKind.FILLED and self.is_open and "venue" in event.payload:
                self._fill(event.payload)
            elif event.kind is EventKind.CASH_MOVED and self.is_open:
                self._cash(event.payload)

    def _set(self, payload: Mapping[str, Any]) -> None:
        for name, total in payload.get("balances", {}).items():
            self._balances[name] = Decimal(total)
        for name, quantity in payload.get("positions", {}).items():
            self._positions[name] = Decimal(quantity)
            self._costs[name] = ZERO  # what it had cost is not known, and only matters where the venue does not say

    def _cash(self, payload: Mapping[str, Any]) -> None:
        if payload["cash_id"] not in self._cash_ids:
            self._cash_ids.add(payload["cash_id"])
            self.cash_until_ms = max(self.cash_until_ms, payload["ts_ms"])
            self._move(payload["currency"], Decimal(payload["amount"]))

    def _fill(self, payload: Mapping[str, Any]) -> None:
        base, quote, kind = parse_symbol(payload["instrument"])
        price, quantity = Decimal(payload["price"]), Decimal(payload["quantity"])
        signed = Side(payload["side"]).sign * quantity
        if "charged" in payload:
            self._move(payload["charged_currency"], -Decimal(payload["charged"]))
        else:
            self._move(quote, -Decimal(payload["fee"]))
        if kind is InstrumentKind.SPOT:
            self._move(base, signed)
            self._move(quote, -signed * price)
            return
        ours = self._hold(payload["instrument"], signed, price)
        self._move(quote, Decimal(payload["realised"]) if "realised" in payload else ours)

    def _hold(self, instrument: str, signed: Decimal, price: Decimal) -> Decimal:
        """Change a position; what closing a part of it realised by the mean entry price."""
        held, cost = self._positions.get(instrument, ZERO), self._costs.get(instrument, ZERO)
        self._positions[instrument] = held + signed
        if held == 0 or (held > 0) == (signed > 0):
            self._costs[instrument] = cost + signed * price
            return ZERO
        closed = min(abs(signed), abs(held))
        part = cost if closed == abs(held) else round_nearest(cost * closed / abs(held), QUOTE_STEP)
        opened = abs(signed) - closed
        self._costs[instrument] = cost - part + (opened * price if signed > 0 else -opened * price)
        return (closed if held > 0 else -closed) * price - part

    def _move(self, currency: str, amount: Decimal) -> None:
        self._balances[currency] = self._balances.get(currency, ZERO) + amount
