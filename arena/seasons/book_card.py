"""An order book as people see it: its best levels added up, with what is read off them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from trading.domain.money import decimal_from_float

NEAR_LEVELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLevel:
    """A price, the size that stands there in base units, and the ``total`` from the best price up to it."""

    price: float
    size: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCard:
    """The best levels of a book as it stood at ``seen_ms``, best first, told at ``told_ms``.

    ``spread`` is in quote units and ``spread_bps`` of the mid. An imbalance is (bids - asks) / (bids + asks) in size:
    ``near`` over the best five levels a side, ``imbalance`` over all that are shown; +1 is bids alone.
    """

    instrument: str
    seen_ms: int
    told_ms: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    mid: float
    spread: float
    spread_bps: float
    near: float
    imbalance: float


def book_card(payload: Mapping[str, Any], told_ms: int) -> BookCard:
    """The card of a ``BOOK_SEEN`` event. Raises KeyError, TypeError or ValueError for what is none."""
    bids, asks = _levels(payload["bids"]), _levels(payload["asks"])
    if not bids or not asks:
        raise ValueError("a book that was seen has two sides")
    best_bid, best_ask = decimal_from_float(bids[0].price), decimal_from_float(asks[0].price)
    mid, spread = (best_bid + best_ask) / 2, best_ask - best_bid
    return BookCard(
        instrument=payload["instrument"],
        seen_ms=int(payload["ts_ms"]),
        told_ms=told_ms,
        bids=bids,
        asks=asks,
        mid=float(mid),
        spread=float(spread),
        spread_bps=float(spread / mid * 10_000),
        near=_imbalance(bids[:NEAR_LEVELS], asks[:NEAR_LEVELS]),
        imbalance=_imbalance(bids, asks),
    )


def _levels(rows: Sequence[Sequence[float]]) -> tuple[BookLevel, ...]:
    totals = accumulate(decimal_from_float(float(size)) for _, size in rows)
    return tuple(
        BookLevel(price=float(price), size=float(size), total=float(total))
        for (price, size), total in zip(rows, totals, strict=True)
    )


def _imbalance(bids: Sequence[BookLevel], asks: Sequence[BookLevel]) -> float:
    bought, sold = bids[-1].total, asks[-1].total
    return (bought - sold) / (bought + sold)
