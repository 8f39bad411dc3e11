"""A live season on a loopback exchange through the real ccxt classes: its record and the exchange's books are one."""

import pytest

from tests.arena.autonomous.live_floor import ENVIRONMENT, live_floor
from trading.domain import EventKind, ids
from trading.ledger.audit import audit_journal


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def check_books(floor):
    """The record holds, and says of fills, positions and cash what the exchange says."""
    report = audit_journal(floor.folder.journal)
    assert report.problem is None
    (account,) = report.ledger.accounts.values()
    held = {name: quantity for name, (quantity, _) in floor.account.positions().items()}
    assert {name: position.quantity for name, position in account.positions.items()} == held
    assert account.cash == floor.account.wallet["USDT"]
    ours = {event.payload["fill_id"] for event in floor.events(EventKind.FILLED)}
    assert ours == {ids.venue_fill_id("binanceusdm", str(trade.number)) for trade in floor.account.trades()}
    assert all(count == 1 for count in floor.private.accepted.values())


@pytest.mark.asyncio
async def test_orders_leave_fills_come_back_and_the_books_agree(tmp_path):
    async with live_floor(tmp_path, rounds=4) as floor:
        assert await floor.play() == "finished"
        check_books(floor)
        sent = [event.payload for event in floor.events(EventKind.ORDERED)]
        assert len(floor.events(EventKind.FILLED)) > 0
        assert {row["client_order_id"] for row in sent} >= set(floor.private.accepted)
        breaks = floor.events(EventKind.BREAK_FOUND)
        assert breaks == []
