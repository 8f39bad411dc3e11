"""Halt from another process while twenty desks are in the middle of a round: nothing leaves a second later."""

import json
import subprocess
import sys
import threading
import time
from decimal import Decimal

from tests.trading.markets import FREE, PERP, WIDE, decision, engine_on, flat, market, tape_of
from trading.domain import EventKind, Ruling
from trading.risk import KillSwitch

DESKS = tuple(f"desk-{number}" for number in range(20))
HUNG = DESKS[7]
THROW = """
import sys
from pathlib import Path
from trading.risk.kill_switch import KillSwitch
sys.stdin.readline()
KillSwitch(Path(sys.argv[1])).halt("a test of twenty", flatten=True)
"""


def test_no_order_leaves_a_second_after_a_halt_from_another_process(tmp_path):
    engine = engine_on(
        tape_of({PERP: flat(100, 12)}),
        desks=DESKS,
        limits=WIDE,
        costs=FREE,
        kill_switch=KillSwitch(tmp_path),
        run_id="r-1",
    )
    engine.open_season()
    rulings: list[tuple[float, Ruling]] = []
    hangs, freed = threading.Event(), threading.Event()

    def decide(desk: str, index: int) -> None:
        if desk == HUNG and hangs.is_set():
            freed.wait(30)  # this strategy hangs; the others go on without it
        verdicts = engine.submit(decision(desk, index, [market("buy", "0.01")]))
        rulings.extend((time.time(), verdict.ruling) for verdict in verdicts)

    command = [sys.executable, "-c", THROW, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as thrower:
        for index in range(4):
            engine.open_round(index, engine.setup.round_ms(index))
            if index == 3:
                hangs.set()
            threads = [threading.Thread(target=decide, args=(desk, index)) for desk in DESKS]
            for number, thread in enumerate(threads):
                thread.start()
                if index == 3 and number == 10:
                    assert thrower.stdin is not None
                    thrower.stdin.write("now\n")
                    thrower.stdin.flush()
                    while KillSwitch(tmp_path).state() is None:
                        time.sleep(0.005)
            freed.set()
            for thread in threads:
                thread.join(30)
            engine.close_round()
    since = json.loads((tmp_path / "halts" / "everything.json").read_text("utf-8"))["since_ms"] / 1000
    allowed = [at for at, ruling in rulings if ruling is not Ruling.REFUSED]
    assert len(rulings) == 4 * len(DESKS)
    assert len(allowed) >= 60
    assert max(allowed) - since < 1.0
    assert sum(ruling is Ruling.REFUSED for _, ruling in rulings) >= 9

    engine.open_round(4, engine.setup.round_ms(4))
    engine.close_round()
    ordered = [event.payload for event in engine._journal.events if event.kind is EventKind.ORDERED]
    closing = {row["desk"] for row in ordered if row["origin"] == "flatten"}
    assert closing == {desk for desk, account in engine.ledger.accounts.items() if account.positions}
    engine.open_round(5, engine.setup.round_ms(5))
    engine.close_round()
    assert not [desk for desk, account in engine.ledger.accounts.items() if account.positions]


def test_a_flattening_halt_survives_a_restart_and_closes_what_is_held(tmp_path):
    tape = tape_of({PERP: flat(100, 12)})
    first = engine_on(tape, kill_switch=KillSwitch(tmp_path), run_id="r-1")
    first.open_season()
    first.open_round(0, first.setup.round_ms(0))
    first.submit(decision("alpha", 0, [market("buy", "2")]))
    first.close_round()
    KillSwitch(tmp_path).halt("a test")
    first.open_round(1, first.setup.round_ms(1))
    first.close_round()
    assert first.ledger.accounts["alpha"].position(PERP).quantity == 2
    KillSwitch(tmp_path).halt("another reason", flatten=True)

    second = engine_on(tape, kill_switch=KillSwitch(tmp_path), run_id="r-1")
    second.restore(first._journal.events)
    assert second.enforce_halt(second.setup.round_ms(2))
    assert not second.enforce_halt(second.setup.round_ms(2))
    second.open_round(2, second.setup.round_ms(2))
    second.close_round()
    second.open_round(3, second.setup.round_ms(3))
    assert second.ledger.accounts["alpha"].position(PERP).quantity == Decimal(0)
    standing = KillSwitch(tmp_path).state()
    assert (standing.reason, standing.flatten) == ("a test", True)
    closing = [event for event in second._journal.events if event.kind is EventKind.ORDERED]
    assert [event.payload["origin"] for event in closing] == ["flatten"]
