"""Valuing an account at the market: exact, and the same wherever it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from trading.domain.instrument import Instrument
from trading.domain.money import EXACT, ZERO
from trading.ledger.account import DeskAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An account at prices: ``equity`` = ``cash`` + ``spot_value`` + ``unrealised``, to the last digit.

    ``unrealised`` is the open result of perpetuals; ``gross`` and ``net`` are over all positions at the mark.
    ``maintenance`` is the margin below which perpetuals are liquidated.
    """

    equity: Decimal
    cash: Decimal
    spot_value: Decimal
    unrealised: Decimal
    gross: Decimal
    net: Decimal
    maintenance: Decimal


def mark_account(account: DeskAccount, prices: Mapping[str, Decimal], instruments: Mapping[str, Instrument]) -> Mark:
    """``account`` at ``prices`` (quote currency a unit, one for every held instrument)."""
    with localcontext(EXACT):
        return _mark(account, prices, instruments)


def _mark(account: DeskAccount, prices: Mapping[str, Decimal], instruments: Mapping[str, Instrument]) -> Mark:
    spot_value = unrealised = gross = net = maintenance = ZERO
    for symbol, position in account.positions.items():
        value = position.value(prices[symbol])
        size = abs(value)
        gross += size
        net += value
        instrument = instruments[symbol]
        if instrument.is_perp:
            unrealised += value - position.cost
            maintenance += instrument.maintenance(size)
        else:
            spot_value += value
    return Mark(
        equity=account.cash + spot_value + unrealised,
        cash=account.cash,
        spot_value=spot_value,
        unrealised=unrealised,
        gross=gross,
        net=net,
        maintenance=maintenance,
    )
