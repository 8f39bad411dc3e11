"""What an exchange lists: our instruments with the grid and the least order that its own metadata states."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from trading.domain.errors import DataError, RequestError
from trading.domain.instrument import Instrument, InstrumentKind, parse_symbol
from trading.marketdata.exchange.calls import Backoff, Caller
from trading.marketdata.exchange.connection import ExchangeSpec, load_markets, market_symbol, open_exchange

_DECIMAL_PLACES = 2
"""ccxt's mode in which a precision counts digits behind the point; elsewhere it is the step itself."""


async def list_exchange(
    spec: ExchangeSpec,
    symbols: Sequence[str],
    *,
    timeframe: str,
    margin: Mapping[str, Decimal] | None = None,
    backoff: Backoff | None = None,
) -> dict[str, Instrument]:
    """The instruments by symbol, as the exchange lists them now.

    ``margin`` are ``max_leverage`` and ``maintenance_margin`` of perpetuals, which public metadata does not tell
    reliably. Raises RequestError for what is not listed and for a timeframe without candles, SourceUnavailable when
    the exchange stays silent, DataError for a market without a grid.
    """
    async with open_exchange(spec) as exchange:
        caller = Caller(exchange=exchange, backoff=backoff or Backoff())
        await load_markets(caller)
        if exchange.timeframes and timeframe not in exchange.timeframes:
            raise RequestError(f"{exchange.id} has no {timeframe} candles; it has {', '.join(exchange.timeframes)}")
        return {
            symbol: instrument_of(
                symbol,
                exchange.markets[market_symbol(exchange, symbol)],
                in_digits=exchange.precisionMode == _DECIMAL_PLACES,
                margin=margin or {},
            )
            for symbol in symbols
        }


def instrument_of(
    symbol: str, market: Mapping[str, Any], *, in_digits: bool, margin: Mapping[str, Decimal]
) -> Instrument:
    """The instrument that a market of ccxt describes; quantities of contracts become base units."""
    base, quote, kind = parse_symbol(symbol)
    perp = kind is InstrumentKind.PERP
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    size = _number(market.get("contractSize")) or Decimal(1)
    tick, lot = (_step(precision.get(name), in_digits=in_digits) for name in ("price", "amount"))
    if tick is None or lot is None:
        raise DataError(f"{symbol}: the exchange states no {'price' if tick is None else 'quantity'} step for it")
    least = _number((limits.get("cost") or {}).get("min"))
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        kind=kind,
        tick=tick,
        lot=lot if size == 1 else lot * size,
        min_notional=least if least is not None else Decimal(0),
        contract_size=size,
        max_leverage=margin.get("max_leverage", Decimal(1)) if perp else Decimal(1),
        maintenance_margin=margin.get("maintenance_margin", Decimal(0)) if perp else Decimal(0),
    )


def _step(value: Any, *, in_digits: bool) -> Decimal | None:
    found = _number(value)
    if found is None:
        return None
    step = Decimal(1).scaleb(-int(found)) if in_digits else found
    return step if step > 0 else None


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
