"""Whether a message continues a book: one rule for each way in which venues number their messages."""

from enum import StrEnum

from trading.domain.errors import DataError
from trading.marketdata.books.message import BookMessage


class BookRule(StrEnum):
    """How a venue lets a reader find out that a book message went missing.

    Binance: "How to manage a local order book correctly", spot and USD-M pages of its API documentation. Coinbase:
    ``sequence_num`` counts every frame of a connection, so its gaps are found before a message comes here. Kraken:
    CRC32 of the ten best levels of each side, websocket API version 2. Hyperliquid and Aster send whole books.
    """

    BINANCE_SPOT = "binance-spot"
    BINANCE_FUTURES = "binance-futures"
    COINBASE = "coinbase"
    KRAKEN = "kraken"
    SNAPSHOTS = "snapshots"

    @property
    def asks_for_snapshot(self) -> bool:
        """Whether the snapshot is asked for over REST; elsewhere the stream brings it."""
        return self in {BookRule.BINANCE_SPOT, BookRule.BINANCE_FUTURES}


class Verdict(StrEnum):
    """What a message is to the book before it."""

    NEXT = "next"
    OLD = "old"  # already in the book: a duplicate, or late
    GAP = "gap"  # something between is missing


def judge(rule: BookRule, message: BookMessage, held_id: int, *, fresh: bool) -> Verdict:
    """What ``message`` is to a book that holds updates up to ``held_id``.

    ``fresh`` says that the book holds the snapshot alone: the first message after it may begin before its end.
    """
    if not rule.asks_for_snapshot:
        return Verdict.NEXT
    first, final, previous = message.first_id, message.final_id, message.previous_id
    if first is None or final is None or (rule is BookRule.BINANCE_FUTURES and previous is None):
        raise DataError("a book change comes without the update ids that its venue numbers it with")
    if rule is BookRule.BINANCE_SPOT:
        if final <= held_id:
            return Verdict.OLD
        joins = first <= held_id + 1 if fresh else first == held_id + 1
    else:
        if final < held_id or (final == held_id and not fresh):
            return Verdict.OLD
        joins = previous == held_id or (fresh and first <= held_id)
    return Verdict.NEXT if joins else Verdict.GAP
