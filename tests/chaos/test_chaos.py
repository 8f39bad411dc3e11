"""A short run of what ``make chaos`` does at length, and that its checks can fail."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.chaos.__main__ import main
from tests.chaos.run import check, run
from tests.trading.execution.reconciliation.world import world
from trading.domain import EventKind


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(301, 309))
def test_a_killed_process_comes_back_to_the_books_of_the_exchange(seed):
    outcome = asyncio.run(run(seed))
    assert outcome.problems == (), outcome.line()


@pytest.mark.asyncio
async def test_the_checks_see_what_is_wrong():
    async with world() as here:
        side = here.ours()
        await side.start()
        await side.send(here.order("buy", "1"))
        await side.send(here.order("buy", "1", "50000"))
        events = here.journal.events

        def problems(record):
            return check(record, here.account, here.private, "binanceusdm")

        assert problems(events) == []
        fill = next(event for event in events if event.kind is EventKind.FILLED)
        assert any("1 lost" in each for each in problems([event for event in events if event is not fill]))
        price = str(Decimal(fill.payload["price"]) + Decimal("0.1"))
        dear = [replace(one, payload={**one.payload, "fee": price}) if one is fill else one for one in events]
        assert any("balances" in each for each in problems(dear))
        unsent = [event for event in events if "50000" not in str(event.payload.get("limit_price"))]
        assert any("open orders" in each for each in problems(unsent))
        here.private.accepted[here.account.orders()[0].asked.client_id] = 2
        assert any("accepted 2 times" in each for each in problems(events))


@pytest.mark.parametrize("argument", ["0", "-3", "x", "1.5"])
def test_rubbish_on_the_command_line_is_refused(argument, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["chaos", "--", argument])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err
