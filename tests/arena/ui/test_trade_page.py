"""The trade page: what stands on it without a desk and with one, with hostile text, and what its acts refuse."""

import json
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from arena.seasons.snapshot import FloorSnapshot
from arena.tickets import TicketState
from arena.tickets.counter import Counter, Stand
from arena.tickets.order import order_ticket
from arena.ui.chat.endpoints import PUBLIC
from arena.ui.components.marks import kind_chip, swatch
from arena.ui.site import build_site
from arena.ui.trade.form import _told
from arena.ui.trade.panels import desk_facts, open_orders, positions, tickets
from arena.ui.trade.preview import unusable
from tests.arena.housing import house
from trading.domain.account import AccountView
from trading.domain.errors import RequestError
from trading.domain.intent import OrderType, Side
from trading.domain.order import Order
from trading.domain.position import Position

BTC = "BTC-USDT-PERP"
HOSTILE = "<img src=x onerror=1>"
PANELS = (desk_facts, positions, open_orders, tickets)


@pytest.fixture
def counter(tmp_path: Any, snapshot: FloorSnapshot) -> Counter:
    """A counter whose desk holds a bitcoin, with an order that rests."""
    counter = Counter(tmp_path, lambda: snapshot)
    order = Order(
        order_id="o-1", client_order_id="c-1", intent_id="i-1", desk="you", instrument=BTC, side=Side.BUY,
        order_type=OrderType.LIMIT, quantity=Decimal("0.5"), sent_ms=0, arrives_ms=0, limit_price=Decimal(40_000),
    )  # fmt: skip
    account = AccountView(
        desk="you", as_of_ms=0, quote="USDT", cash=Decimal(10_000),
        positions={BTC: Position(instrument=BTC, quantity=Decimal(1), cost=Decimal(49_000))},
        marks={BTC: Decimal(50_000)}, equity=Decimal(11_000), peak_equity=Decimal(12_000), gross=Decimal(50_000),
        net=Decimal(50_000), open_orders=(order,),
    )  # fmt: skip
    stand = Stand(account=account, left={"o-1": Decimal("0.2")}, prices={BTC: Decimal(50_000)}, instruments={})
    counter._desks = ("you",)
    counter._instruments = (BTC,)
    counter._stands = MappingProxyType({"you": stand})
    return counter


@pytest.mark.parametrize("draw", PANELS)
def test_without_a_desk_by_hand_every_panel_says_how_to_have_one(draw: Any, tmp_path: Any) -> None:
    for none in (None, Counter(tmp_path, lambda: None)):
        assert "person = true" in draw(none)


def test_a_position_can_be_closed_and_an_order_cancelled(counter: Counter) -> None:
    shown = positions(counter)
    assert "+$1,000.00" in shown
    assert f'data-act="close" data-desk="you" data-of="{BTC}"' in shown
    resting = open_orders(counter)
    assert "0.2" in resting
    assert 'data-act="cancel" data-desk="you" data-of="o-1"' in resting
    assert "8.3\N{NO-BREAK SPACE}%" in desk_facts(counter)


def test_a_waiting_ticket_can_be_withdrawn_and_a_filled_one_not(counter: Counter, snapshot: FloorSnapshot) -> None:
    order = order_ticket(instrument=BTC, side="buy", quantity="0.1")
    first = counter.board.place(run_id=snapshot.run_id, desk="you", who="ann", order=order)
    assert f'data-of="{first.ticket_id}"' in tickets(counter)
    counter.board.tell(snapshot.run_id, [(first.ticket_id, TicketState.FILLED, "0.1 at 50000")])
    shown = tickets(counter)
    assert "0.1 at 50000" in shown
    assert "withdraw" not in shown


def test_what_people_and_venues_write_stays_text(counter: Counter, snapshot: FloorSnapshot) -> None:
    found = counter.board.place(run_id=snapshot.run_id, desk="you", who=HOSTILE, cancels=HOSTILE)
    counter.board.tell(snapshot.run_id, [(found.ticket_id, TicketState.REFUSED, HOSTILE)])
    for markup in (tickets(counter), unusable(HOSTILE)):
        assert "<img" not in markup
        assert "&lt;img" in markup


@pytest.mark.parametrize(
    "text",
    [
        None, 5, "", "{", "[]", '{"act": "halt", "desk": "you", "of": "x", "key": "k"}', '{"act": "close"}',
        json.dumps({"act": "close", "desk": "you", "of": "x" * 81, "key": "k"}),
        json.dumps({"act": "close", "desk": ["you"], "of": "x", "key": "k"}),
    ],
)  # fmt: skip
def test_an_act_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(RequestError, match="reload it"):
        _told(text)


def test_the_page_stands_with_and_without_a_season(counter: Counter, snapshot: FloorSnapshot, make_floor: Any) -> None:
    for floor in (make_floor(None), make_floor(snapshot)):
        for parts in ({}, {"counter": counter}):
            site = build_site(house(floor, **parts), now_ms=lambda: 0)
            found = json.loads(site.pages["trade"].changes({}))
            assert {"tf-hand-facts", "tf-hand-positions", "tf-hand-orders", "tf-hand-tickets"} <= set(found)
            public = {str(fn.api_name) for fn in site.blocks.fns.values() if fn.api_visibility != "private"}
            assert public == set(PUBLIC), "and they are the chat's"


def test_a_desk_by_hand_is_never_shown_as_rules(snapshot: FloorSnapshot) -> None:
    desk = replace(snapshot.desks[0], kind="person")
    assert "by hand" in (kind_chip(desk.kind) or "")
    assert "rule" not in (kind_chip(desk.kind) or "")
    assert "tf-by-hand" in swatch(desk.slot, desk.kind)
