"""Orders by hand from a terminal: put up, carried out by the season that plays, listed, and refused in one line."""

from pathlib import Path
from typing import Any

import pytest

from tests.arena.tickets.test_by_hand import BTC, Table
from trading.risk import KillSwitch


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """An unfinished run with a desk by hand."""
    return Table(tmp_path)


def test_an_order_is_put_up_carried_out_and_listed(lab: Any, table: Table, tmp_path: Path) -> None:
    asked = ("order", "place", BTC, "--who", "ann", "--side", "buy", "--quantity", "0.01", "--id", "t-1")
    placed = lab.call(*asked, "--home", tmp_path, "--json").document
    assert (placed["ticket_id"], placed["desk"], placed["state"]) == ("t-1", "you", "waiting")
    assert placed["order"] == {"instrument": BTC, "side": "buy", "order_type": "market", "quantity": "0.01"}
    assert lab.call(*asked, "--home", tmp_path, "--json").document == placed
    table.play(2)
    (listed,) = lab.call("order", "list", "--home", tmp_path, "--json").document["tickets"]
    assert (listed["ticket_id"], listed["state"]) == ("t-1", "filled")
    assert "by ann: filled (0.01 at " in lab.call("order", "list", "--home", tmp_path).out


def test_a_waiting_ticket_is_withdrawn_and_an_order_cancelled(lab: Any, table: Table, tmp_path: Path) -> None:
    limit = ("--type", "limit", "--limit-price", "92000", "--side", "buy", "--quantity", "0.01")
    lab.call("order", "place", BTC, "--who", "ann", *limit, "--id", "t-rests", "--home", tmp_path)
    lab.call("order", "place", BTC, "--who", "ann", "--close", "--id", "t-close", "--home", tmp_path)
    assert "withdrawn" in lab.call("order", "withdraw", "t-close", "--home", tmp_path).out
    resting: list[str] = []
    table.play(2, lambda _, engine: resting.extend(order.order_id for order in engine.orders.of("you")))
    lab.call("order", "cancel", resting[-1], "--who", "ann", "--home", tmp_path)
    table.play(4)
    states = {one.ticket_id: one.state.value for one in table.board.of(table.folder.run_id, "you")}
    assert (states["t-rests"], states["t-close"]) == ("cancelled", "withdrawn")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("place", BTC, "--who", "ann"), 2, "side is missing"),
        (("place", BTC, "--who", "ann", "--side", "buy"), 2, "neither of quantity and value"),
        (("place", BTC, "--who", " ", "--side", "buy", "--quantity", "1"), 2, "nothing is traded by nobody"),
        (("place", "XRP", "--who", "ann", "--side", "buy", "--quantity", "1"), 2, "not traded there"),
        (("place", BTC, "--who", "ann", "--close", "--side", "buy"), 2, "closing a position"),
        (("place", BTC, "--who", "ann", "--close", "--id", "a b"), 2, "letters, digits and hyphens"),
        (("list", "--desk", "momentum"), 2, "not traded by hand"),
        (("list", "--run", "demo-none-1"), 2, "no run"),
        (("withdraw", "t-none"), 2, "no ticket"),
    ],
)
def test_what_cannot_be_is_one_line(
    lab: Any, table: Table, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    found = lab.call("order", *words, "--home", tmp_path)
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert len(found.err.splitlines()) == 1
    assert table.board.of(table.folder.run_id, "you") == []


def test_while_trading_is_halted_no_order_is_taken(lab: Any, table: Table, tmp_path: Path) -> None:
    KillSwitch(tmp_path).halt("a test")
    found = lab.call("order", "place", BTC, "--who", "ann", "--close", "--home", tmp_path)
    assert found.code == 4
    assert "trading is halted: a test" in found.err
    assert table.board.of(table.folder.run_id, "you") == []


def test_a_home_without_such_a_desk_says_how_to_have_one(lab: Any, tmp_path: Path) -> None:
    found = lab.call("order", "list", "--home", tmp_path)
    assert found.code == 2
    assert "person = true" in found.err
