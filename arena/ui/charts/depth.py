"""The depth of an order book as inline SVG: what stands on each side up to a price, added up from the best one."""

from collections.abc import Sequence

from arena.seasons.book_card import BookCard, BookLevel
from arena.ui.components.markup import Html, element
from arena.ui.figures import number, price
from arena.ui.risk.drawings import framed

_WIDTH, _HEIGHT = 640, 240
_TOP = 8


def depth_chart(card: BookCard) -> Html:
    """Bids to the left of the mid, asks to the right, each a staircase; prices below, sizes in base units beside."""
    low, high = card.bids[-1].price, card.asks[-1].price
    reach = max(card.mid - low, high - card.mid) * 1.02
    most = max(card.bids[-1].total, card.asks[-1].total)

    def across(value: float) -> float:
        return (value - card.mid + reach) / (2 * reach) * _WIDTH

    def up(total: float) -> float:
        return _HEIGHT - total / most * (_HEIGHT - _TOP)

    def stairs(side: Sequence[BookLevel], end: float) -> str:
        line = f"M{across(side[0].price):.1f} {_HEIGHT}"
        line += "".join(f"H{across(level.price):.1f}V{up(level.total):.1f}" for level in side)
        return f"{line}H{end}"

    sides = [
        element("path", d=f"{edge}V{_HEIGHT}Z", class_=f"tf-bk-fill {name}")
        for edge, name in ((stairs(card.bids, 0), "tf-bk-bid"), (stairs(card.asks, _WIDTH), "tf-bk-ask"))
    ]
    edges = [
        element("path", d=edge, class_=f"tf-bk-edge {name}")
        for edge, name in ((stairs(card.bids, 0), "tf-bk-bid"), (stairs(card.asks, _WIDTH), "tf-bk-ask"))
    ]
    grid = [
        element("line", x1="0", x2=str(_WIDTH), y1=f"{up(share * most):.1f}", y2=f"{up(share * most):.1f}", class_=name)
        for share, name in ((0.0, "tf-rk-zero"), (0.5, "tf-rk-grid"), (1.0, "tf-rk-grid"))
    ]
    middle = element("line", x1=str(_WIDTH / 2), x2=str(_WIDTH / 2), y1="0", y2=str(_HEIGHT), class_="tf-bk-mid")
    label = (
        f"Depth of {card.instrument} around {price(card.mid)}: {number(card.bids[-1].total, 3)} bid down to "
        f"{price(low)}, {number(card.asks[-1].total, 3)} offered up to {price(high)}."
    )
    drawn = element(
        "svg", *grid, *sides, middle, *edges, class_="tf-rk-plot tf-rk-tall", viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveaspectratio="none", role="img", aria_label=label,
    )  # fmt: skip
    digits = 0 if most >= 100 else 1 if most >= 10 else 3
    labels = [(up(share * most) / _HEIGHT, number(share * most, digits)) for share in (1.0, 0.5, 0.0)]
    return framed(drawn, labels, price(card.mid - reach), price(card.mid + reach), middle=price(card.mid))
