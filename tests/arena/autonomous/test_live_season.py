"""A live season on a loopback exchange through the real ccxt classes: its record and the exchange's books are one."""

import asyncio
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.arena.autonomous.live_floor import ENVIRONMENT, LIMITS, live_floor
from tests.exchanges.accounts import OrderFault
from trading.domain import (
    DecisionStatus,
    EventKind,
    ExecutionStyle,
    Order,
    OrderType,
    Side,
    TimeInForce,
    TradeIntent,
    ids,
)
from trading.domain.errors import ConfigError
from trading.engine.outgoing import ordered_event
from trading.ledger.audit import audit_journal
from trading.risk import KillSwitch
from trading.storage.journal import read_verified

pytestmark = [pytest.mark.slow, pytest.mark.asyncio, pytest.mark.timeout(400)]
BTC = "BTC-USDT-PERP"
LONG = 600
"""Rounds of a season that a test stops when it has seen enough."""
SECRETS = tuple(value.encode() for value in ENVIRONMENT.values())


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def check_books(floor):
    """The record holds, and says of fills, positions, cash and open orders what the exchange says."""
    report = audit_journal(floor.folder.journal)
    assert report.problem is None
    (account,) = report.ledger.accounts.values()
    held = {name: quantity for name, (quantity, _) in floor.account.positions().items()}
    assert {name: position.quantity for name, position in account.positions.items()} == held
    assert account.cash == floor.account.wallet["USDT"]
    ours = [event.payload["fill_id"] for event in floor.events(EventKind.FILLED)]
    assert sorted(ours) == sorted(
        ids.venue_fill_id("binanceusdm", str(trade.number)) for trade in floor.account.trades()
    )
    assert all(count == 1 for count in floor.private.accepted.values())
    known = {event.payload["client_order_id"] for event in floor.events(EventKind.ORDERED)}
    assert known >= set(floor.private.accepted)
    for path in floor.settings.home.rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_bytes() for secret in SECRETS), path


def resting_order(engine, *, number=1, price="50000"):
    """A purchase far below the market, as a desk might leave it standing."""
    now = engine.setup.start_ms
    return Order(
        order_id=f"o-resting-{number}",
        client_order_id=ids.client_order_id("resting", "buyhold", number, 0),
        intent_id="",
        desk="buyhold",
        instrument=BTC,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.01"),
        limit_price=Decimal(price),
        sent_ms=now,
        arrives_ms=now + 10**9,
        time_in_force=TimeInForce.GTC,
    )


def when_it_holds(floor):
    """Stops the season once its record holds both positions."""

    async def stop(run):
        await floor.until(lambda: len(run.engine.ledger.accounts["buyhold"].positions) == 2)
        run.stop()

    return stop


async def test_orders_leave_fills_come_back_and_the_books_agree(tmp_path):
    async with live_floor(tmp_path, rounds=10) as floor:
        assert await floor.play() == "finished"
        check_books(floor)
        assert len(floor.events(EventKind.FILLED)) >= 2
        assert floor.events(EventKind.BREAK_FOUND) == []
        assert "stopped with positions at the exchange" in (tmp_path / "alerts.jsonl").read_text("utf-8")
        (opened,) = floor.events(EventKind.BOOKS_OPENED)
        assert opened.payload["balances"] == {"USDT": "10000"}
        assert floor.private.countdowns == {}, "an orderly stop disarms the dead-man switch"
        ids_sent = {event.payload["client_order_id"] for event in floor.events(EventKind.ORDERED)}
        scope = f"real {floor.rules.rules_sha256}"
        assert ids_sent == {ids.client_order_id(scope, "buyhold", 0, leg) for leg in (0, 1)}


@pytest.mark.parametrize(
    "fault", [OrderFault.ANSWER_LOST, OrderFault.REQUEST_LOST, OrderFault.FILL_FIRST, OrderFault.FILLS_HIDDEN]
)
async def test_what_is_not_heard_is_asked_for_and_never_sent_again(tmp_path, fault):
    async with live_floor(tmp_path, rounds=LONG) as floor:
        floor.private.faults.arm(fault)
        assert await floor.play(when_it_holds(floor)) == "interrupted"
        assert floor.private.faults.struck[fault] == 1
        check_books(floor)
        unknown = floor.events(EventKind.ORDER_UNKNOWN)
        assert len(unknown) == (fault in (OrderFault.ANSWER_LOST, OrderFault.REQUEST_LOST))
        assert len(floor.account.positions()) == 2


async def test_funding_and_deposits_at_the_exchange_are_the_desks_and_no_break(tmp_path):
    async with live_floor(tmp_path, rounds=LONG) as floor:

        async def meanwhile(run):
            await floor.until(lambda: len(run.engine.ledger.accounts["buyhold"].positions) == 2)
            floor.account.pay("funding", "-1.25", instrument=BTC)
            floor.account.pay("deposit", "250")
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        assert floor.events(EventKind.BREAK_FOUND) == []
        (funded,) = floor.events(EventKind.FUNDED)
        assert (funded.payload["instrument"], funded.payload["paid"]) == (BTC, "1.25")
        assert [event.payload["amount"] for event in floor.events(EventKind.DEPOSITED)][1:] == ["250"]


async def test_a_halt_cancels_what_rests_and_nothing_new_leaves(tmp_path):
    async with live_floor(tmp_path, rounds=LONG) as floor:

        async def meanwhile(run):
            await floor.until(lambda: floor.account.positions().keys() == {BTC, "ETH-USDT-PERP"})
            engine = run.engine
            engine._carry_out((ordered_event(resting_order(engine)),))
            await floor.until(floor.live)
            program = ("-m", "arena.cli", "halt", "--reason", "a test", "--home", str(tmp_path))
            halting = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=asyncio.subprocess.PIPE)
            await floor.until(lambda: not floor.live())
            await halting.communicate()
            engine._carry_out((ordered_event(resting_order(engine, number=2)),))
            await floor.until(lambda: engine.orders.get("o-resting-2") is None)
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        (rest,) = [held for held in floor.account.orders() if held.asked.limit is not None]
        assert rest.status.value == "cancelled"
        ended = floor.events(EventKind.ORDER_REJECTED, EventKind.ORDER_CANCELLED)
        (late,) = [event.payload for event in ended if event.payload["order_id"] == "o-resting-2"]
        assert "halted" in late["reason"]
        assert len([held for held in floor.account.orders() if held.asked.limit is not None]) == 1
        assert len(floor.account.positions()) == 2, "positions stay without --flatten"


async def test_flatten_closes_every_position_at_the_exchange(tmp_path):
    async with live_floor(tmp_path, rounds=LONG, stops={"stop": 3}) as floor:

        async def meanwhile(run):
            await floor.until(lambda: len(floor.account.positions()) == 2)
            await floor.until(lambda: len([held for held in floor.live() if held.conditional]) >= 2)
            KillSwitch(tmp_path).halt("get out", flatten=True)
            await floor.until(lambda: not floor.account.positions())
            await floor.until(lambda: not floor.live() and not run.engine.ledger.accounts["buyhold"].positions)
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        closing = [event.payload for event in floor.events(EventKind.ORDERED) if event.payload["origin"] == "flatten"]
        assert len(closing) == 2
        assert all(row["reduce_only"] for row in closing)


async def test_stops_stand_at_the_exchange_and_stay_there_at_the_end(tmp_path):
    async with live_floor(tmp_path, rounds=10, stops={"stop": 3}) as floor:
        assert await floor.play() == "finished"
        check_books(floor)
        standing = floor.live()
        assert {held.asked.instrument for held in standing} == set(floor.account.positions())
        assert all(held.conditional and held.asked.reduce_only for held in standing)
        for name, (quantity, _) in floor.account.positions().items():
            assert any(held.asked.quantity == quantity for held in standing if held.asked.instrument == name)


async def test_a_stop_order_of_the_person_ends_it_with_nothing_unknown_and_it_goes_on(tmp_path):
    async with live_floor(tmp_path, rounds=LONG) as floor:

        async def just_stop(run):
            await floor.until(lambda: run.engine.rounds_closed > closed)
            run.stop()

        async def meanwhile(run):
            await floor.until(lambda: len(floor.account.positions()) == 2)
            run.engine._carry_out((ordered_event(resting_order(run.engine)),))
            await floor.until(floor.live)
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        assert floor.live() == []
        check_books(floor)
        closed = len(floor.events(EventKind.ROUND_OPENED))
        assert await floor.play(just_stop) == "interrupted"
        check_books(floor)
        assert len(floor.account.positions()) == 2


async def test_a_killed_process_comes_back_to_the_books_of_the_exchange(tmp_path):
    async with live_floor(tmp_path, rounds=LONG, stops={"stop": 3}) as floor:
        floor.private.faults.arm(OrderFault.ANSWER_LOST)
        first = await floor.spawn()
        await floor.until(floor.account.trades)
        first.kill()
        await first.communicate()
        left = len(floor.account.orders())
        closed = len(floor.events(EventKind.ROUND_OPENED))
        second = await floor.spawn()
        await floor.until(lambda: len(floor.events(EventKind.ROUND_OPENED)) > closed)
        second.terminate()
        out, err = await second.communicate()
        assert (second.returncode, out) == (0, b"interrupted"), err.decode()
        check_books(floor)
        assert len(floor.account.orders()) >= left
        kinds = [stored.event().kind for stored in read_verified(floor.folder.journal)]
        assert kinds.count(EventKind.BOOKS_OPENED) == 1


def works(run, *, minutes, quantity="0.05"):
    """Has the desk ask for a twap in its first round, and for nothing else."""
    submit = run.engine.submit

    def instead(decision, **more):
        first = not run.engine.ledger.accounts["buyhold"].positions and not len(run.engine.orders)
        wanted = TradeIntent(
            instrument=BTC,
            side=Side.BUY,
            quantity=Decimal(quantity),
            style=ExecutionStyle.TWAP,
            window_s=60 * minutes,
        )
        status = DecisionStatus.ACTED if first else DecisionStatus.HELD
        return submit(replace(decision, status=status, intents=(wanted,) if first else (), confidence=None), **more)

    run.engine.submit = instead


async def test_parts_leave_by_the_clock_and_what_is_left_at_the_stop_does_not(tmp_path):
    async with live_floor(tmp_path, rounds=LONG) as floor:

        async def meanwhile(run):
            works(run, minutes=30)
            await floor.until(lambda: len(floor.events(EventKind.ORDERED)) >= 2 or floor.events(EventKind.WORK_ENDED))
            await floor.until(lambda: run.engine.ledger.accounts["buyhold"].positions)
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        (begun,) = [event.payload for event in floor.events(EventKind.WORK_STARTED)]
        (ended,) = [event.payload for event in floor.events(EventKind.WORK_ENDED)]
        assert ended["reason"] == "the season stops" or "rule" in ended
        parts = [event.payload for event in floor.events(EventKind.ORDERED)]
        assert {part["parent_id"] for part in parts} == {begun["order_id"]}
        assert all(begun["sent_ms"] <= part["sent_ms"] < begun["until_ms"] for part in parts)
        assert sum(Decimal(part["quantity"]) for part in parts) + Decimal(ended["left"]) == Decimal("0.05")


async def test_an_order_above_the_cap_never_leaves(tmp_path):
    async with live_floor(tmp_path, rounds=LONG, cap="4000") as floor:

        async def meanwhile(run):
            await floor.until(lambda: len(run.engine.ledger.accounts["buyhold"].positions) == 2)
            run.engine._carry_out((ordered_event(resting_order(run.engine, price="500000")),))
            await floor.until(lambda: run.engine.orders.get("o-resting-1") is None)
            run.stop()

        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        refused = {event.payload["order_id"]: event.payload for event in floor.events(EventKind.ORDER_REJECTED)}
        assert refused["o-resting-1"]["code"] == "above_cap"
        worth = {}
        for trade in floor.account.trades():
            worth[trade.order.number] = worth.get(trade.order.number, 0) + trade.price * trade.quantity
        assert max(worth.values()) < 4000 * Decimal("1.01"), "a market order is held against the last known price"
        rules = {event.payload["rule"] for event in floor.events(EventKind.RULED)}
        assert "max_order_value" in rules, "the gate knows the cap too, and resizes to it"


async def test_books_that_do_not_agree_bar_trading_and_somebody_is_told(tmp_path):
    async with live_floor(tmp_path, rounds=LONG) as floor:

        async def meanwhile(run):
            await floor.until(lambda: len(floor.account.positions()) == 2)
            floor.account.wallet["USDT"] += 7
            await floor.until(lambda: "balance USDT" in (tmp_path / "alerts.jsonl").read_text("utf-8"))
            run.engine._carry_out((ordered_event(resting_order(run.engine)),))
            await floor.until(lambda: run.engine.orders.get("o-resting-1") is None)
            floor.account.wallet["USDT"] -= 7
            await floor.until(lambda: floor.events(EventKind.BREAK_RESOLVED))
            run.stop()

        (tmp_path / "alerts.jsonl").write_text("", "utf-8")
        assert await floor.play(meanwhile) == "interrupted"
        check_books(floor)
        (rejected,) = [event.payload for event in floor.events(EventKind.ORDER_REJECTED)]
        assert "balance USDT" in rejected["reason"]
        (found,), (resolved,) = floor.events(EventKind.BREAK_FOUND), floor.events(EventKind.BREAK_RESOLVED)
        assert (found.payload["break"], resolved.payload["by"]) == ("balance:USDT", "agreement")


async def test_the_dead_mans_switch_takes_orders_away_when_the_process_is_gone(tmp_path):
    async with live_floor(tmp_path, rounds=LONG, stops={"stop": 3}, limits=LIMITS + "dead_man_s = 20\n") as floor:
        process = await floor.spawn()
        await floor.until(lambda: floor.live() and set(floor.private.countdowns) == {"BTCUSDT", "ETHUSDT"})
        process.kill()
        await process.communicate()
        await floor.until(lambda: not floor.live())


@pytest.mark.parametrize(
    ("deposit", "words"), [("9999.99", "holds 9999.99 USDT; lower the capital"), ("0", "holds 0 USDT")]
)
async def test_an_account_without_the_capital_is_refused(tmp_path, deposit, words):
    async with live_floor(tmp_path, deposit=deposit) as floor:
        with pytest.raises(ConfigError, match=words):
            await floor.play()
        assert not (tmp_path / "runs").exists()


async def test_an_account_that_is_not_flat_is_refused_unless_it_is_adopted(tmp_path):
    async with live_floor(tmp_path, deposit="20000", rounds=3) as floor:
        floor.account.held[BTC] = (Decimal("0.5"), Decimal(30_000))
        with pytest.raises(ConfigError, match=r"not flat: 0\.5 BTC-USDT-PERP"):
            await floor.play()
        assert not (tmp_path / "runs").exists()
        (tmp_path / "live-limits.toml").write_text(LIMITS + "adopt = true\n", "utf-8")
        assert await floor.play() == "finished"
        (opened,) = floor.events(EventKind.BOOKS_OPENED)
        assert opened.payload["positions"] == {BTC: "0.5"}
        assert floor.events(EventKind.BREAK_FOUND) == []
