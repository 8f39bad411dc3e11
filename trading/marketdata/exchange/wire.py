"""The book messages of the venues whose books we keep ourselves, read from their websocket frames as they come."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from trading.domain.errors import DataError
from trading.marketdata.books import ASK, BID, BookMessage, BookRule

Levels = Iterable[tuple[Any, Any]]


def read_frame(rule: BookRule, frame: Any) -> list[tuple[str, BookMessage]]:
    """Each market of the frame by the venue's own id, with what the frame says of its book.

    Raises DataError for a frame that is not of the venue's format.
    """
    try:
        return _READERS[rule](frame)
    except DataError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"a {rule} book frame cannot be read: {type(error).__name__} {error}") from None


def frame_number(rule: BookRule, frame: Any) -> int | None:
    """The frame's place in its connection, where the venue counts frames."""
    number = frame.get("sequence_num") if rule is BookRule.COINBASE and isinstance(frame, dict) else None
    return number if isinstance(number, int) else None


def snapshot_message(book: Any) -> BookMessage:
    """The snapshot in ccxt's answer to a request for a book; its ``nonce`` is the last update id held."""
    try:
        return _message(
            snapshot=True,
            event_ms=book.get("timestamp"),
            bids=book["bids"],
            asks=book["asks"],
            final_id=book.get("nonce"),
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"a book snapshot cannot be read: {type(error).__name__} {error}") from None


def _message(*, snapshot: bool, event_ms: int | None, bids: Levels, asks: Levels, **ids: int | None) -> BookMessage:
    rows = [(BID, float(level[0]), float(level[1])) for level in bids]
    rows += [(ASK, float(level[0]), float(level[1])) for level in asks]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return BookMessage(
        snapshot=snapshot,
        event_ms=event_ms,
        side=table[:, 0].astype(np.int8),
        price=table[:, 1].copy(),
        size=table[:, 2].copy(),
        **ids,
    )


def _binance(frame: Any) -> list[tuple[str, BookMessage]]:
    data = frame.get("data", frame)
    message = _message(
        snapshot=False,
        event_ms=int(data["E"]),
        bids=data["b"],
        asks=data["a"],
        first_id=int(data["U"]),
        final_id=int(data["u"]),
        previous_id=int(data["pu"]) if "pu" in data else None,
    )
    return [(data["s"], message)]


def _coinbase(frame: Any) -> list[tuple[str, BookMessage]]:
    found = []
    event_ms = _iso_ms(frame["timestamp"])
    for event in frame["events"]:
        levels: dict[str, list[tuple[Any, Any]]] = {"bid": [], "offer": []}
        for update in event["updates"]:
            levels[update["side"]].append((update["price_level"], update["new_quantity"]))
        snapshot = event["type"] == "snapshot"
        message = _message(snapshot=snapshot, event_ms=event_ms, bids=levels["bid"], asks=levels["offer"])
        found.append((event["product_id"], message))
    return found


def _kraken(frame: Any) -> list[tuple[str, BookMessage]]:
    found = []
    for data in frame["data"]:
        message = _message(
            snapshot=frame["type"] == "snapshot",
            event_ms=_iso_ms(data["timestamp"]) if "timestamp" in data else None,
            bids=[(level["price"], level["qty"]) for level in data.get("bids", ())],
            asks=[(level["price"], level["qty"]) for level in data.get("asks", ())],
            checksum=int(data["checksum"]),
        )
        found.append((data["symbol"], message))
    return found


def _whole(frame: Any) -> list[tuple[str, BookMessage]]:
    data = frame.get("data", frame)
    if "levels" in data:  # Hyperliquid
        bids, asks = ([(level["px"], level["sz"]) for level in side] for side in data["levels"])
        return [(data["coin"], _message(snapshot=True, event_ms=int(data["time"]), bids=bids, asks=asks))]
    return [(data["s"], _message(snapshot=True, event_ms=int(data["E"]), bids=data["b"], asks=data["a"]))]  # Aster


def _iso_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


_READERS = {
    BookRule.BINANCE_SPOT: _binance,
    BookRule.BINANCE_FUTURES: _binance,
    BookRule.COINBASE: _coinbase,
    BookRule.KRAKEN: _kraken,
    BookRule.SNAPSHOTS: _whole,
}
