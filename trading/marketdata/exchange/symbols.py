"""The one place where our instrument symbols meet the symbols of ccxt."""

from trading.domain.errors import RequestError
from trading.domain.instrument import InstrumentKind, parse_symbol


def to_ccxt(symbol: str) -> str:
    """``BTC-USDT`` gives ``BTC/USDT``; ``BTC-USDT-PERP`` gives ``BTC/USDT:USDT``, the linear perpetual."""
    base, quote, kind = parse_symbol(symbol)
    return f"{base}/{quote}:{quote}" if kind is InstrumentKind.PERP else f"{base}/{quote}"


def from_ccxt(symbol: str) -> str:
    """``BTC/USDT:USDT`` gives ``BTC-USDT-PERP``.

    Raises RequestError for what is neither a spot pair nor a linear perpetual: inverse contracts, dated futures and
    options have no symbol here.
    """
    pair, _, settled = symbol.partition(":")
    base, slash, quote = pair.partition("/")
    if not slash or (settled and settled != quote):
        raise RequestError(f"{symbol!r} is neither a spot pair nor a linear perpetual of ccxt, such as BTC/USDT:USDT")
    found = f"{base}-{quote}{'-PERP' if settled else ''}"
    parse_symbol(found)
    return found
