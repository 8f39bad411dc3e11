"""The kill switch: a latch on disk that anybody can throw, that nobody loses, and that fails closed."""

import subprocess
import sys
from pathlib import Path

import pytest

from trading.domain import ManualClock
from trading.domain.errors import RequestError
from trading.risk import EVERYTHING, Halt, KillSwitch

ROOT = Path(__file__).parents[3]


def test_a_halt_stands_for_everybody_until_a_person_resumes(tmp_path):
    switch = KillSwitch(tmp_path, ManualClock(5))
    assert switch.state() is None
    assert switch.state("run-1") is None
    thrown = switch.halt("bad \n news")
    assert thrown == Halt(scope=EVERYTHING, reason="bad news", since_ms=5)
    again = KillSwitch(tmp_path, ManualClock(9))
    assert again.state() == again.state("run-1") == thrown
    assert again.halt("another reason") == thrown, "the first reason stays"
    assert again.resume("checked") == [thrown]
    assert switch.state("run-1") is None


def test_a_run_can_be_halted_by_itself(tmp_path):
    switch = KillSwitch(tmp_path)
    switch.halt("drawdown", scope="run-1")
    assert switch.state("run-1").reason == "drawdown"
    assert switch.state("run-2") is None
    assert switch.state() is None
    switch.halt("all of it")
    assert [halt.scope for halt in switch.standing()] == [EVERYTHING, "run-1"]
    switch.release("run-1")
    assert switch.state("run-1").scope == EVERYTHING


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_neither_halt_nor_resume_goes_without_a_reason(tmp_path, reason):
    switch = KillSwitch(tmp_path)
    with pytest.raises(RequestError, match="reason"):
        switch.halt(reason)
    assert switch.state() is None
    switch.halt("why")
    with pytest.raises(RequestError, match="reason"):
        switch.resume(reason)
    assert switch.state() is not None


def test_resuming_what_runs_is_refused(tmp_path):
    with pytest.raises(RequestError, match="nothing is halted"):
        KillSwitch(tmp_path).resume("just so")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'{"reason": "x"}',
        b'{"reason": "x", "since_ms": "soon"}',
        b'{"reason": "x", "since_ms": 1e999}',
        b'{"reason": "x", "since_ms": NaN}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_damaged_latch_counts_as_a_halt(tmp_path, damage):
    switch = KillSwitch(tmp_path)
    switch.halt("first")
    (tmp_path / "halts" / f"{EVERYTHING}.json").write_bytes(damage)
    assert switch.state("run-1").reason == "the latch file is damaged"
    assert switch.standing() != []
    switch.resume("looked at it")
    assert switch.state("run-1") is None


def test_a_latch_that_cannot_be_read_counts_as_a_halt(tmp_path):
    (tmp_path / "halts" / f"{EVERYTHING}.json").mkdir(parents=True)
    assert "cannot be read" in KillSwitch(tmp_path).state().reason


def test_another_process_throws_it(tmp_path):
    code = """
import pathlib, sys
from trading.risk.kill_switch import KillSwitch
KillSwitch(pathlib.Path(sys.argv[1])).halt("from elsewhere")
"""
    switch = KillSwitch(tmp_path)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    assert switch.state("run-1").reason == "from elsewhere"
    assert [file.name for file in (tmp_path / "halts").iterdir()] == [f"{EVERYTHING}.json"]
