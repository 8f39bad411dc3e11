"""The order book of the instrument that is looked at: what it says, its ladder and depth, or that there is none."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import zip_longest

from arena.markets import MarketReading
from arena.seasons.book_card import NEAR_LEVELS, BookCard, BookLevel
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.depth import depth_chart
from arena.ui.components.markup import Html, element
from arena.ui.figures import clock, duration, number, percent
from arena.ui.risk.parts import facts, numeric, panel

LADDER_LEVELS = 10


def book_of(snapshot: FloorSnapshot, instrument: str) -> BookCard | None:
    """The book of an instrument that was seen last."""
    return next((card for card in snapshot.books if card.instrument == instrument), None)


def order_book(snapshot: FloorSnapshot, reading: MarketReading) -> Html:
    """The panel of the book; nothing where there is none, which :func:`no_book` says in words."""
    card = book_of(snapshot, reading.instrument)
    if card is None:
        return Html("")
    base = reading.instrument.split("-", maxsplit=1)[0]
    body = element("div", _ladder(card, base), depth_chart(card), class_="tf-bk-body")
    return panel("Order book", f"{reading.source}, sizes in {base}", _facts(card, snapshot.as_of_ms), body)


def no_book(snapshot: FloorSnapshot, reading: MarketReading) -> str | None:
    """Why there is no book, in words; None where there is one."""
    if book_of(snapshot, reading.instrument) is not None:
        return None
    if snapshot.market in ("paper", "live"):
        return "None yet: the exchange has shown no book that can be trusted."
    return "None: the season trades on closed candles, so no depth is recorded or followed."


def _facts(card: BookCard, as_of_ms: int) -> Html:
    digits = 2 if card.spread_bps > 0.1 else 4
    newer = ", nothing newer could be trusted" if card.told_ms < as_of_ms else ""
    return facts(
        (
            ("Mid", _bare(card.mid), f"{_bare(card.bids[0].price)} bid, {_bare(card.asks[0].price)} asked"),
            (
                "Spread",
                _bare(card.spread),
                f"{number(card.spread_bps, digits)} bp of the mid",
            ),
            (f"Imbalance, best {NEAR_LEVELS}", percent(card.near, 0), _leaning(card.near)),
            (f"Imbalance, {len(card.bids)} levels", percent(card.imbalance, 0), _leaning(card.imbalance)),
            ("Age", duration(max(0, as_of_ms - card.seen_ms)), f"as it stood at {clock(card.seen_ms)} UTC{newer}"),
        )
    )


def _bare(value: float) -> str:
    """A price to its last digit, without zeros at its end."""
    return number(value, 10).rstrip("0").rstrip(".")


def _leaning(imbalance: float) -> str:
    if abs(imbalance) < 0.005:
        return "as much bid as offered"
    return "more is bid than offered" if imbalance > 0 else "more is offered than bid"


def _ladder(card: BookCard, base: str) -> Html:
    """The best levels side by side, the best on top; a bar behind each says how much stands up to it."""
    bids, asks = card.bids[:LADDER_LEVELS], card.asks[:LADDER_LEVELS]
    most = max(bids[-1].total, asks[-1].total)
    heads = (("Total", "tf-num tf-bk-total"), ("Size", "tf-num"), ("Bid", "tf-num"), ("Ask", "tf-bk-first"),
             ("Size", "tf-num"), ("Total", "tf-num tf-bk-total"))  # fmt: skip
    head = element("tr", *(element("th", text, class_=shown, scope="col") for text, shown in heads))
    levels = (*bids, *asks)
    digits = _decimals((one.price for one in levels), 10), _decimals((one.size for one in levels), 5)
    rows = [element("tr", *_bid(bid, most, digits), *_ask(ask, most, digits)) for bid, ask in zip_longest(bids, asks)]
    ladder = element("table", element("thead", head), element("tbody", *rows), class_="tf-table tf-bk-ladder")
    name = f"Order book, the best {LADDER_LEVELS} levels a side, sizes in {base}"
    return element("div", ladder, class_="tf tf-scroll", tabindex="0", role="region", aria_label=name)


def _decimals(values: Iterable[float], most: int) -> int:
    """Digits behind the point that some values need, ``most`` at most."""
    return min(most, max(0, *(-int(Decimal(repr(value)).normalize().as_tuple().exponent) for value in values)))


def _bid(level: BookLevel | None, most: float, digits: tuple[int, int]) -> tuple[Html, ...]:
    if level is None:
        return (element("td", colspan="3"),)
    return (
        element("td", number(level.total, digits[1]), class_="tf-num tf-bk-total"),
        numeric(number(level.size, digits[1])),
        element("td", _bar(level, most), element("b", number(level.price, digits[0])), class_="tf-num tf-bk-bid"),
    )


def _ask(level: BookLevel | None, most: float, digits: tuple[int, int]) -> tuple[Html, ...]:
    if level is None:
        return (element("td", colspan="3"),)
    return (
        element("td", _bar(level, most), element("b", number(level.price, digits[0])), class_="tf-bk-ask tf-bk-first"),
        numeric(number(level.size, digits[1])),
        element("td", number(level.total, digits[1]), class_="tf-num tf-bk-total"),
    )


def _bar(level: BookLevel, most: float) -> Html:
    return element("i", style=f"width:{level.total / most * 100:.1f}%", aria_hidden="true")
