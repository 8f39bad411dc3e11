"""Kraken's checksum of a book (websocket API version 2, "Book checksum")."""

import zlib

from trading.marketdata.books.book import ASK, BID, OrderBook

LEVELS = 10


def kraken_checksum(book: OrderBook, *, price_decimals: int, size_decimals: int) -> int:
    """CRC32 over the ten best asks, then the ten best bids: price and size without point and leading zeros."""
    text = "".join(
        _digits(price, price_decimals) + _digits(size, size_decimals)
        for side in (ASK, BID)
        for price, size in book.levels(side, LEVELS).tolist()
    )
    return zlib.crc32(text.encode())


def _digits(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace(".", "").lstrip("0")
