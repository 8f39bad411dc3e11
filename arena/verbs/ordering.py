"""Orders by hand: tickets for a desk that a person trades."""

from typing import Annotated

import typer

from arena.verbs.options import Home, Json

app = typer.Typer()
order = typer.Typer(help="Orders by hand, for a desk with person = true.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(order, name="order")

Who = Annotated[str, typer.Option("--who", help="Who asks; it stands in the record.")]
OfRun = Annotated[str | None, typer.Option("--run", help="A run's id; the newest that plays without it.")]
OfDesk = Annotated[str | None, typer.Option("--desk", help="Which desk, where several are traded by hand.")]
Amount = str | None


@order.command("place")
def order_place(
    instrument: Annotated[str, typer.Argument(help="What to trade, such as BTC-USDT-PERP.")],
    who: Who,
    side: Annotated[Amount, typer.Option("--side", help="buy or sell.")] = None,
    kind: Annotated[str, typer.Option("--type", help="market, limit, stop or take_profit.")] = "market",
    quantity: Annotated[Amount, typer.Option("--quantity", help="Base units.")] = None,
    value: Annotated[Amount, typer.Option("--value", help="In the quote currency, in the place of a quantity.")] = None,
    limit_price: Annotated[Amount, typer.Option("--limit-price", help="Of a limit order.")] = None,
    trigger_price: Annotated[Amount, typer.Option("--trigger-price", help="Of a stop or a take-profit.")] = None,
    stop_loss: Annotated[Amount, typer.Option("--stop-loss", help="Closes at a loss what this opens.")] = None,
    take_profit: Annotated[Amount, typer.Option("--take-profit", help="Closes at a gain what this opens.")] = None,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="May shrink a position, never open one.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Close the whole position; takes nothing else.")] = False,
    ticket_id: Annotated[str, typer.Option("--id", help="An id of your own: sent twice, it is one ticket.")] = "",
    run: OfRun = None,
    desk: OfDesk = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put an order up; the next round of the season takes it to the gate."""
    from arena.commands.order import HandDesk, place

    place(
        HandDesk(home, run, desk),
        who=who,
        ticket_id=ticket_id,
        as_json=as_json,
        instrument=instrument,
        side=side,
        order_type=None if close and kind == "market" else kind,
        quantity=quantity,
        value=value,
        limit_price=limit_price,
        trigger_price=trigger_price,
        stop_loss=stop_loss,
        take_profit=take_profit,
        reduce_only=reduce_only,
        close=close,
    )


@order.command("cancel")
def order_cancel(
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help="An order's id.")],
    who: Who,
    run: OfRun = None,
    desk: OfDesk = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask the next round to take an open order back."""
    from arena.commands.order import HandDesk, cancel

    cancel(HandDesk(home, run, desk), order_id, who=who, as_json=as_json)


@order.command("withdraw")
def order_withdraw(
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's id, as `tradefloor order list` says.")],
    run: OfRun = None,
    desk: OfDesk = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take back a ticket that no round has taken yet."""
    from arena.commands.order import HandDesk, withdraw

    withdraw(HandDesk(home, run, desk), ticket, as_json=as_json)


@order.command("list")
def order_list(run: OfRun = None, desk: OfDesk = None, home: Home = None, as_json: Json = False) -> None:
    """The newest tickets, each with what became of it."""
    from arena.commands.order import HandDesk, show

    show(HandDesk(home, run, desk), as_json=as_json)
