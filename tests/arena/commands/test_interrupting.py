"""A run that is killed, stopped or cut off ends, after the same command again, as if nothing had been."""

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trading.storage.journal import Journal


@pytest.fixture
def again(lab: Any, trial: Path, recordings: Path, tmp_path: Path) -> Any:
    """The command that plays the trial season in this test's home, here or in a process of its own."""
    words = ("run", trial, "--data-root", recordings, "--home", tmp_path, "--json")

    def again(*, apart: bool = False) -> Any:
        return lab.fork(*words) if apart else lab.call(*words)

    return again


def assert_same_run(said: Any, finished: Any, home: Path) -> None:
    assert said.code == 0, said.err
    assert said.document["journal"] == finished[1].document["journal"]
    assert len(list((home / "runs").iterdir())) == 1, "it went on with the run that was there"
    measured = {"latency_ms_p50", "latency_ms_p95"}
    for one, other in zip(said.document["desks"], finished[1].document["desks"], strict=True):
        assert {n: v for n, v in one.items() if n not in measured} == {
            n: v for n, v in other.items() if n not in measured
        }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_four_times_it_ends_with_the_journal_of_an_undisturbed_run(
    again: Any, lab: Any, finished: Any, tmp_path: Path
) -> None:
    moments = random.Random(5)
    stood = []
    for rounds in (0, 4, 9, 15):
        process = again(apart=True)
        lab.wait_until(lambda rounds=rounds: (tmp_path / "runs").exists() and lab.rounds_on_record(tmp_path) >= rounds)
        time.sleep(moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        assert process.ended().code == -signal.SIGKILL
        stood.append(lab.rounds_on_record(tmp_path))
        if stood[-1]:
            unfinished = lab.call("standings", "--home", tmp_path, "--json").document
            assert unfinished["status"] == "unfinished"
            assert unfinished["rounds_done"] == stood[-1]
            assert lab.call("journal", "verify", "--home", tmp_path).code == 0
    assert stood == sorted(stood)
    assert 0 < stood[1] < stood[-1] < lab.rounds
    assert_same_run(again(), finished, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_signals_stop_it_after_the_round_and_twice_at_once(again: Any, lab: Any, finished: Any, tmp_path: Path) -> None:
    for rounds, signals in ((3, [signal.SIGINT]), (8, [signal.SIGTERM]), (12, [signal.SIGINT, signal.SIGINT])):
        process = again(apart=True)
        lab.wait_until(lambda rounds=rounds: lab.rounds_on_record(tmp_path) >= rounds)
        for name in signals:
            process.send_signal(name)
            time.sleep(0.02)
        said = process.ended()
        assert said.code == 130, said.err
        assert said.out == ""
        assert "stopping after this round" in said.err
        run = next((tmp_path / "runs").iterdir()).name
        assert said.err.splitlines()[-2:] == [f"the same command goes on with {run}", "tradefloor: interrupted"]
        assert "Traceback" not in said.err
        assert rounds <= lab.rounds_on_record(tmp_path) < lab.rounds
    assert_same_run(again(), finished, tmp_path)


def test_a_signal_before_the_first_round_is_told_too(lab: Any, tmp_path: Path) -> None:
    season = tmp_path / "season.toml"
    os.mkfifo(season)
    process = lab.spawn("run", season, "--home", tmp_path)
    with season.open("w"):  # comes back when the other side reads
        process.terminate()
        said = lab.ended(process)
    assert (said.code, said.out, said.err) == (130, "", "tradefloor: interrupted\n")


def test_cut_off_between_the_last_event_and_the_seal_it_is_only_sealed(
    again: Any, finished: Any, home_copy: Path, tmp_path: Path
) -> None:
    shutil.copytree(home_copy / "runs", tmp_path / "runs")
    seal = next(tmp_path.glob("runs/*/journal.seal"))
    sealed = seal.read_bytes()
    seal.unlink()
    assert_same_run(again(), finished, tmp_path)
    assert seal.exists()
    assert sealed != b""


def test_cut_off_before_anything_was_written_it_starts_over(
    again: Any, finished: Any, lab: Any, tmp_path: Path
) -> None:
    run = next((finished[0] / "runs").iterdir()).name
    (tmp_path / "runs" / run).mkdir(parents=True)
    assert lab.call("runs", "--home", tmp_path, "--json").document["runs"][0]["status"] == "unfinished"
    shown = lab.call("standings", "--home", tmp_path)
    assert shown.code != 0
    assert shown.err.count("\n") == 1
    assert_same_run(again(), finished, tmp_path)
    listed = lab.call("runs", "--home", tmp_path, "--json").document["runs"][0]
    assert (listed["season"], listed["market"]) == ("trial", "replay")


def test_telemetry_and_checkpoints_may_be_lost(
    again: Any, finished: Any, home_copy: Path, lab: Any, tmp_path: Path
) -> None:
    """Only the journal counts: a run goes on without what lay beside it."""
    run = shutil.copytree(home_copy / "runs", tmp_path / "runs") / next((home_copy / "runs").iterdir()).name
    _cut_back(run / "journal.sqlite", rounds=10)
    for path in (*run.glob("telemetry*"), *run.glob("checkpoints*"), run / "journal.seal"):
        path.unlink(missing_ok=True)
    said = again()
    assert said.code == 0, said.err
    assert said.document["journal"] == finished[1].document["journal"]


@pytest.mark.parametrize("name", ["telemetry.sqlite", "checkpoints.sqlite"])
def test_a_damaged_file_beside_the_journal_is_named(again: Any, home_copy: Path, tmp_path: Path, name: str) -> None:
    run = shutil.copytree(home_copy / "runs", tmp_path / "runs") / next((home_copy / "runs").iterdir()).name
    (run / "journal.seal").unlink()
    (run / name).write_bytes(b"no database" * 1000)
    said = again()
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith(f"tradefloor: {run}")
    assert name.split(".", maxsplit=1)[0] in said.err.splitlines()[-1]
    (run / name).unlink()
    assert again().code == 0


def test_a_journal_that_was_touched_is_not_gone_on_from(again: Any, home_copy: Path, tmp_path: Path) -> None:
    run = shutil.copytree(home_copy / "runs", tmp_path / "runs") / next((home_copy / "runs").iterdir()).name
    (run / "journal.seal").unlink()
    with closing(sqlite3.connect(run / "journal.sqlite")) as db:
        db.execute("UPDATE events SET payload_json = replace(payload_json, '10000', '90000') WHERE kind = 'deposited'")
        db.commit()
    before = _events(run / "journal.sqlite")
    said = again()
    assert said.code == 1
    assert "event 2 (deposited) was changed" in said.err
    assert _events(run / "journal.sqlite") == before


def test_a_run_is_written_by_one_process_only(again: Any, home_copy: Path, tmp_path: Path) -> None:
    shutil.copytree(home_copy / "runs", tmp_path / "runs")
    (run,) = (tmp_path / "runs").iterdir()
    (run / "journal.seal").unlink()
    with closing(Journal(run / "journal.sqlite")):
        said = again()
        assert said.code == 1
        assert "another process is writing this run" in said.err.splitlines()[-1]
    assert again().code == 0


def _events(journal: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(journal)) as db:
        return db.execute("SELECT * FROM events ORDER BY seq").fetchall()


def _cut_back(journal: Path, *, rounds: int) -> None:
    """Leave only the first rounds, as if the rest had never been committed."""
    with closing(sqlite3.connect(journal)) as db:
        last = db.execute("SELECT seq FROM events WHERE kind = 'round_opened' ORDER BY seq").fetchall()[rounds][0]
        # What happened in the bars before a round is committed with it.
        start = db.execute(
            "SELECT max(seq) FROM events WHERE seq < ? AND kind IN ('decided', 'ordered', 'ruled')", (last,)
        )
        db.execute("DELETE FROM events WHERE seq > ?", (start.fetchone()[0],))
        db.commit()
