"""What the simulated venue lists: instruments with a price and quantity grid fit for their price."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from trading.domain.errors import ConfigError, DataError
from trading.domain.instants import iso
from trading.domain.instrument import Instrument, InstrumentKind, MarginTier, parse_symbol
from trading.domain.money import decimal_from_float
from trading.marketdata.tape import Tape

PRICE_DIGITS = 7


def list_instruments(tape: Tape, start_ms: int, facts: Mapping[str, Any]) -> dict[str, Instrument]:
    """Instruments of a tape by symbol.

    The grid follows from the first price known at ``start_ms`` (else the first open after it), never from later ones:
    prices have seven digits, and a lot is worth between a tenth and one unit of the quote currency. ``facts`` holds
    the ``spot`` and ``perp`` tables of ``config/venues.toml``, and ``instruments`` by symbol over them, which may also
    name a ``contract_size`` (then the lot) and ``margin_tiers``. All instruments must share one quote currency.
    """
    listed: dict[str, Instrument] = {}
    for symbol in tape.symbols:
        base, quote, kind = parse_symbol(symbol)
        magnitude = decimal_from_float(_first_price(tape, symbol, start_ms)).adjusted()
        known = _facts(facts, kind, symbol)
        listed[symbol] = Instrument(
            symbol=symbol,
            base=base,
            quote=quote,
            kind=kind,
            tick=Decimal(1).scaleb(magnitude + 1 - PRICE_DIGITS),
            lot=known.get("contract_size", Decimal(1).scaleb(-magnitude - 1)),
            margin_tiers=_tiers(facts, symbol),
            **known,
        )
    quotes = sorted({instrument.quote for instrument in listed.values()})
    if len(quotes) != 1:
        raise ConfigError(f"instruments are quoted in {', '.join(quotes)}: a season needs one quote currency")
    return listed


def _first_price(tape: Tape, symbol: str, start_ms: int) -> float:
    row = tape.index[symbol]
    known = tape.bars_known_at(start_ms)
    at = int(tape.last_row[row, known - 1]) if known else -1
    if at >= 0:
        return float(tape.close[row, at])
    for later in range(known, len(tape)):
        price = float(tape.open[row, later])
        if price == price:
            return price
    raise DataError(f"{symbol} has no bar at or after {iso(start_ms)}")


def _facts(facts: Mapping[str, Any], kind: InstrumentKind, symbol: str) -> dict[str, Any]:
    table = {**facts.get(kind.value, {}), **facts.get("instruments", {}).get(symbol, {})}
    table.pop("margin_tiers", None)
    try:
        return {name: Decimal(str(value)) for name, value in table.items()}
    except ArithmeticError as error:
        raise ConfigError(f"venues file, [simulated.{kind.value}]: every value must be a number") from error


def _tiers(facts: Mapping[str, Any], symbol: str) -> tuple[MarginTier, ...]:
    rows = facts.get("instruments", {}).get(symbol, {}).get("margin_tiers", ())
    try:
        tiers = tuple(MarginTier(**{name: Decimal(str(value)) for name, value in row.items()}) for row in rows)
    except (ArithmeticError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"venues file, [simulated.instruments.{symbol}] margin_tiers: each needs the numbers notional, rate, amount"
        ) from error
    if tiers and (tiers[0].notional != 0 or any(a.notional >= b.notional for a, b in pairwise(tiers))):
        raise ConfigError(
            f"venues file, [simulated.instruments.{symbol}] margin_tiers: notional must start at 0 and rise"
        )
    return tiers
