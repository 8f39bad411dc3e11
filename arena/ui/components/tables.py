"""Plain tables: trades as they filled, and positions as they stand."""

from arena.seasons.snapshot import DeskCard, FloorSnapshot, PositionRow, TradeRow
from arena.ui.components.decisions import decision_href
from arena.ui.components.desk_card import desk_link, ranked
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
        element("td", _when(trade), title=f"{day_clock(trade.ts_ms)} UTC"),
        element("td", swatch(trade.slot, kind), desk_link(trade.desk, tag)),
        element("td", what, class_="tf-cut"),
        element("td", price(trade.price), class_="tf-num"),
        element("td", dollars(trade.fee), class_="tf-num"),
    )


def _when(trade: TradeRow) -> Html:
    shown = element("span", clock(trade.ts_ms))
    if not trade.decision_id:
        return shown
    return element("a", shown, href=decision_href(trade.decision_id), class_="tf-to")


def exit_words(position: PositionRow) -> str:
    """The exit plan of a position: the orders that guard it, ``none on the book`` where nothing does."""
    if not position.exits:
        return "none on the book"
    return ", ".join(f"{kind} {price(value)}{' away' if kind == 'trail' else ''}" for kind, value in position.exits)


def _positions(desk: DeskCard) -> Html:
    gross = sum(abs(position.value) for position in desk.positions)
    used = percent(gross / desk.equity, 0, signed=False) if desk.equity > 0 else "n/a"
    head = element(
        "div",
        swatch(desk.slot, desk.kind),
        element("b", desk_link(desk.name), class_="tf-cut"),
        kind_chip(desk.kind, short=True),
        element("span", f"{dollars(gross, 0)} · {used} of equity", class_="tf-side"),
        class_="tf-entry-head",
    )
    columns = ("Instrument", "Quantity", "Value", "Average", "Open result")
    heads = element("tr", *(element("th", text, class_="tf-num" if i else None) for i, text in enumerate(columns)))
    rows = [row for position in desk.positions for row in _position(position)]
    table = _table("Positions of a desk", element("thead", heads), element("tbody", *rows))
    return element("section", head, table)


def _position(position: PositionRow) -> list[Html]:
    row = element(
        "tr",
        element("td", position.instrument.removesuffix("-PERP")),
        element("td", position.quantity.replace("-", "\N{MINUS SIGN}"), class_="tf-num"),
        element("td", dollars(position.value, 0), class_="tf-num"),
        element("td", price(position.average_price), class_="tf-num"),
        element("td", dollars(position.unrealised, signed=True), class_=signed_class(position.unrealised)),
    )
    plan = element("td", f"Exit plan: {exit_words(position)}", colspan="5", class_="tf-exits")
    return [row, element("tr", plan)]


def _table(name: str, *parts: Html) -> Html:
    return element(
        "div",
        element("table", *parts, class_="tf-table"),
        class_="tf tf-scroll",
        tabindex="0",
        role="region",
        aria_label=name,
    )
