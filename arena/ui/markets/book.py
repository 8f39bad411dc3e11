"""The order book of the instrument that is looked at: what it says, its ladder and depth, or that there is none."""

from decimal import Decimal
from itertools import zip_longest

from arena.markets import MarketReading
from arena.seasons.book_card import NEAR_LEVELS, BookCard, BookLevel
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.depth import depth_chart
from arena.ui.components.markup import Html, element
from arena.ui.figures import clock, duration, number, percent, price
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
    newer = ", nothing newer could be trusted" if card.told_ms < as_of_ms else ""
    return facts(
        (
            ("Mid", price(card.mid), f"{price(card.bids[0].price)} bid, {price(card.asks[0].price)} asked"),
            ("Spread", _bare(card.spread), f"{number(card.spread_bps, 2)} bp of the mid"),
            (f"Imbalance, best {NEAR_LEVELS}", percent(card.near, 0), _leaning(card.near)),
            (f"Imbalance, {len(card.bids)} levels", percent(card.imbalance, 0), _leaning(card.imbalance)),
            ("Age", duration(max(0, as_of_ms - card.seen_ms)), f"as it stood at {clock(card.seen_ms)} UTC{newer}"),
        )
    )


def _bare(value: float) -> str:
    """A difference of prices without zeros at its end."""
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
    digits = max(_decimals(level.size) for level in (*bids, *asks))
    rows = [element("tr", *_bid(bid, most, digits), *_ask(ask, most, digits)) for bid, ask in zip_longest(bids, asks)]
    ladder = element("table", element("thead", head), element("tbody", *rows), class_="tf-table tf-bk-ladder")
    name = f"Order book, the best {LADDER_LEVELS} levels a side, sizes in {base}"
    return element("div", ladder, class_="tf tf-scroll", tabindex="0", role="region", aria_label=name)


def _decimals(size: float) -> int:
    """Digits behind the point that a size needs, five at most."""
    return min(5, max(0, -int(Decimal(repr(size)).normalize().as_tuple().exponent)))


def _bid(level: BookLevel | None, most: float, digits: int) -> tuple[Html, ...]:
    if level is None:
        return (element("td", colspan="3"),)
    return (
        element("td", number(level.total, digits), class_="tf-num tf-bk-total"),
        numeric(number(level.size, digits)),
        element("td", _bar(level, most), element("b", price(level.price)), class_="tf-num tf-bk-bid"),
    )


def _ask(level: BookLevel | None, most: float, digits: int) -> tuple[Html, ...]:
    if level is None:
        return (element("td", colspan="3"),)
    return (
        element("td", _bar(level, most), element("b", price(level.price)), class_="tf-bk-ask tf-bk-first"),
        numeric(number(level.size, digits)),
        element("td", number(level.total, digits), class_="tf-num tf-bk-total"),
    )


def _bar(level: BookLevel, most: float) -> Html:
    return element("i", style=f"width:{level.total / most * 100:.1f}%", aria_hidden="true")
