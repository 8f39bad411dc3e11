"""Plain tables: trades as they filled, and positions as they stand."""

from arena.seasons.snapshot import DeskCard, FloorSnapshot, PositionRow, TradeRow
from arena.ui.components.desk_card import ranked
from arena.ui.components.marks import kind_chip, signed_class, swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import clock, day_clock, dollars, percent, price

SHOWN_TRADES = 60


def trade_list(snapshot: FloorSnapshot) -> Html:
    """The newest fills first."""
    if not snapshot.trades:
        return empty("No trades yet", "A fill appears here as soon as an order trades on the venue.")
    newest = sorted(snapshot.trades, key=lambda trade: -trade.ts_ms)[:SHOWN_TRADES]
    head = element("tr", *(element("th", text, class_=shown) for text, shown in _TRADE_COLUMNS))
    rows = [_trade(trade, snapshot) for trade in newest]
    return _table("Trades, newest first", element("thead", head), element("tbody", *rows))


def position_list(snapshot: FloorSnapshot) -> Html:
    """Open positions by desk, in rank order."""
    holding = [desk for desk in ranked(snapshot.desks) if desk.positions]
    if not holding:
        return empty("No open positions", "Every desk is flat: all of its equity is cash.")
    return element("div", *(_positions(desk) for desk in holding), class_="tf tf-holdings")


_TRADE_COLUMNS = (("UTC", None), ("Desk", None), ("Trade", None), ("Price", "tf-num"), ("Fee", "tf-num"))


def _trade(trade: TradeRow, snapshot: FloorSnapshot) -> Html:
    kind = next((desk.kind for desk in snapshot.desks if desk.slot == trade.slot), "llm")
    tag = next((desk.tag for desk in snapshot.desks if desk.slot == trade.slot), trade.desk[:3].upper())
    what = f"{trade.side} {trade.quantity} {trade.instrument.split('-', maxsplit=1)[0]}"
    return element(
        "tr",
        element("td", clock(trade.ts_ms), title=f"{day_clock(trade.ts_ms)} UTC"),
        element("td", swatch(trade.slot, kind), element("span", tag)),
        element("td", what, class_="tf-cut"),
        element("td", price(trade.price), class_="tf-num"),
        element("td", dollars(trade.fee), class_="tf-num"),
    )


def _positions(desk: DeskCard) -> Html:
    gross = sum(abs(position.value) for position in desk.positions)
    used = percent(gross / desk.equity, 0, signed=False) if desk.equity > 0 else "n/a"
    head = element(
        "div",
        swatch(desk.slot, desk.kind),
        element("b", desk.name, class_="tf-cut"),
        kind_chip(desk.kind, short=True),
        element("span", f"{dollars(gross, 0)} · {used} of equity", class_="tf-side"),
        class_="tf-entry-head",
    )
    columns = ("Instrument", "Quantity", "Value", "Average", "Open result")
    heads = element("tr", *(element("th", text, class_="tf-num" if i else None) for i, text in enumerate(columns)))
    rows = [_position(position) for position in desk.positions]
    table = _table("Positions of a desk", element("thead", heads), element("tbody", *rows))
    return element("section", head, table)


def _position(position: PositionRow) -> Html:
    return element(
        "tr",
        element("td", position.instrument.removesuffix("-PERP")),
        element("td", position.quantity.replace("-", "\N{MINUS SIGN}"), class_="tf-num"),
        element("td", dollars(position.value, 0), class_="tf-num"),
        element("td", price(position.average_price), class_="tf-num"),
        element("td", dollars(position.unrealised, signed=True), class_=signed_class(position.unrealised)),
    )


def _table(name: str, *parts: Html) -> Html:
    return element(
        "div",
        element("table", *parts, class_="tf-table"),
        class_="tf tf-scroll",
        tabindex="0",
        role="region",
        aria_label=name,
    )
