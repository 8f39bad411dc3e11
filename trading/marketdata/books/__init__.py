"""Order books: the levels, what is read off them, and the keeper that says whether they may be trusted."""

from trading.marketdata.books.book import ASK, BID, OrderBook, Top, Tops
from trading.marketdata.books.checksum import kraken_checksum
from trading.marketdata.books.continuity import BookRule, Verdict, judge
from trading.marketdata.books.keeper import BookCounts, BookKeeper, BookState, ChecksumScale
from trading.marketdata.books.message import BookMessage
from trading.marketdata.books.recording import BookRecording, read_recording

__all__ = [
    "ASK",
    "BID",
    "BookCounts",
    "BookKeeper",
    "BookMessage",
    "BookRecording",
    "BookRule",
    "BookState",
    "ChecksumScale",
    "OrderBook",
    "Top",
    "Tops",
    "Verdict",
    "judge",
    "kraken_checksum",
    "read_recording",
]
