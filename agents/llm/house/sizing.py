"""From target weights to intents: what the account holds, what is worth trading, and on which grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from agents.llm.house.strategies.strategy import Targets
from trading.domain import decimal_from_float, money_text, round_down

_SPOT_RESERVE = 0.98
"""Part of the equity that spot may use: fees and slippage of the purchase come out of the rest."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an instrument can be traded."""

    can_short: bool
    lot: Decimal
    min_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The account as the tools told it. ``busy`` instruments have an order open already."""

    equity: Decimal
    reduce_only: bool
    halted: bool
    busy: frozenset[str]
    quantities: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    terms: Mapping[str, Terms]

    @classmethod
    def read(
        cls,
        account: Mapping[str, Any],
        positions: Mapping[str, Any],
        quotes: Mapping[str, Any],
        instruments: Sequence[Mapping[str, Any]],
    ) -> Self:
        """From the results of get_account, get_positions and get_quote, and the facts of the instruments."""
        return cls(
            equity=Decimal(account["equity"]),
            reduce_only=bool(account["reduce_only"]),
            halted=bool(account["halted"]),
            busy=frozenset(order["instrument"] for order in account["open_orders"]),
            quantities={row["instrument"]: Decimal(row["quantity"]) for row in positions["positions"]},
            prices={
                row["instrument"]: decimal_from_float(row["price"])
                for row in quotes["quotes"]
                if row["price"] is not None
            },
            terms={
                row["symbol"]: Terms(
                    can_short=row["kind"] == "perp",
                    lot=Decimal(row["lot"]),
                    min_notional=Decimal(row["min_notional"]),
                )
                for row in instruments
            },
        )

    def weights(self) -> dict[str, float]:
        """Signed value of each position over equity."""
        if self.equity <= 0:
            return {}
        return {
            symbol: float(quantity * self.prices[symbol] / self.equity)
            for symbol, quantity in self.quantities.items()
            if symbol in self.prices
        }


def intents_for(targets: Targets, standing: Standing, *, band: float, max_gross: float) -> list[Answer]:
    """Intents that bring positions to ``targets`` where they are off by more than ``band`` (weights of equity).

    Sales come first, because they free cash and margin. Nothing for an account without equity.
    """
    if standing.equity <= 0:
        return []
    wanted = _bounded(targets, standing, max_gross)
    held = standing.weights()
    intents = [
        intent
        for symbol, weight in wanted.items()
        if symbol not in standing.busy and (abs(weight - held.get(symbol, 0.0)) > band or not weight)
        if (intent := _intent(symbol, weight, standing)) is not None
    ]
    return sorted(intents, key=lambda intent: intent["side"] == "buy")


def _bounded(targets: Targets, standing: Standing, max_gross: float) -> dict[str, float]:
    """The targets that can be had: no short spot, and all together, with what is left alone, within ``max_gross``."""
    held = standing.weights()
    wanted = {
        symbol: weight if standing.terms[symbol].can_short else max(0.0, weight)
        for symbol, weight in targets.items()
        if weight is not None and symbol in standing.prices
    }
    kept = sum(abs(weight) for symbol, weight in held.items() if symbol not in wanted)
    room = max(0.0, max_gross - kept)
    if any(not standing.terms[symbol].can_short for symbol in wanted):
        room = min(room, max(0.0, _SPOT_RESERVE - kept))
    gross = sum(abs(weight) for weight in wanted.values())
    scale = min(1.0, room / gross) if gross else 1.0
    return {symbol: weight * scale for symbol, weight in wanted.items()}


def _intent(symbol: str, weight: float, standing: Standing) -> Answer | None:
    terms, price = standing.terms[symbol], standing.prices[symbol]
    now = standing.quantities.get(symbol, Decimal(0))
    goal = decimal_from_float(weight) * standing.equity / price
    change = goal - now
    shrinks = now != 0 and change * now < 0 and abs(change) <= abs(now)
    if standing.reduce_only and not shrinks:
        if change * now >= 0:
            return None
        change, shrinks = -now, True
    quantity = round_down(abs(change), terms.lot)
    if quantity <= 0 or quantity * price < terms.min_notional:
        return None
    return {
        "instrument": symbol,
        "side": "buy" if change > 0 else "sell",
        "quantity": money_text(quantity),
        "order_type": "market",
        "limit_price": None,
        "reduce_only": shrinks,
        "good_for_rounds": 1,
        "reason": f"weight from {float(now * price / standing.equity):+.3f} to {weight:+.3f}",
    }
