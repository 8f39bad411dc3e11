"""What a venue says of one book, in our terms, whatever its wire format."""

from dataclasses import dataclass

from trading.marketdata.books.book import FloatArray, SideArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BookMessage:
    """A whole book (``snapshot``) or changes to one.

    ``side``, ``price`` and ``size`` have one row a level: +1 bid or -1 ask, absolute quantity, 0 takes the level away.
    ``first_id`` and ``final_id`` number the venue's updates in the message, ``previous_id`` is the final one before it;
    None where the venue does not number them so. ``checksum`` is the venue's CRC32 of the book after the message.
    ``event_ms`` is the venue's clock.
    """

    snapshot: bool
    event_ms: int | None
    side: SideArray
    price: FloatArray
    size: FloatArray
    first_id: int | None = None
    final_id: int | None = None
    previous_id: int | None = None
    checksum: int | None = None
