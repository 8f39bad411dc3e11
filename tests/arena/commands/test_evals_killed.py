"""An eval that is killed again and again ends in the table of an undisturbed one, and pays for no attempt twice.

``TRADEFLOOR_KILLS`` says how often; ``make chaos-evals`` kills it twenty times.
"""

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.attempts import AttemptStatus, AttemptStore
from evals.suite import find_suite
from tests.wire import Maker, MakerSetup, serve_makers

KILLS = int(os.environ.get("TRADEFLOOR_KILLS", "4"))
CASES = max(5, KILLS // 2)
SUITE = find_suite("decisions")
AT_ONCE = 2
ON_THE_WIRE = 2 * AT_ONCE
"""The most calls under way: each attempt has analyst and forecaster side by side."""
ENDED_S = 400
SETTLED_S = 0.6
LATENCY_S = 0.05

Table = dict[tuple[str, int, str], tuple[float | None, str]]


def table(home: Path) -> Table:
    """Every score: by case, epoch and scorer."""
    with AttemptStore(home / "evals" / "attempts.sqlite") as store:
        digest = store.digest_of("mini", suite=SUITE.name)
        return {
            (row.case_id, row.epoch, scorer.key): (row.value, row.reason)
            for scorer in SUITE.scorers
            for row in store.scores(suite=SUITE.name, variant=digest, scorer=scorer)
        }


def done(home: Path) -> dict[str, tuple[int, bytes]]:
    """Every attempt that needs no further try: its number and all that is stored of it."""
    path = home / "evals" / "attempts.sqlite"
    if not path.is_file():
        return {}
    with AttemptStore(path) as store:
        attempts = store.attempts(status=AttemptStatus.DONE)
        trials = [store.trial(one.seq) for one in attempts]
        assert len({one.key for one in attempts}) == len(attempts)
        return {one.key: (one.seq, trial.to_bytes()) for one, trial in zip(attempts, trials, strict=True) if trial}


def kept(home: Path) -> int:
    """How many paid answers are on the record."""
    path = home / "evals" / "cassette.sqlite"
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])
        except sqlite3.OperationalError:  # killed before the tables were made
            return 0


def paid(maker: Maker) -> int:
    """How many answers the maker billed."""
    return sum(call.usage is not None for call in maker.ledger.calls)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_killed_at_random_it_ends_in_the_same_table_and_pays_for_nothing_twice(lab: Any, tmp_path: Path) -> None:
    words = ("eval", "run", "decisions", "--variant", "mini=openai/gpt-5.4-mini", "--cases", CASES)
    words += ("--at-once", AT_ONCE, "--json", "--home")
    with serve_makers(MakerSetup(name="openai", latency_s=LATENCY_S)) as makers:
        maker = makers["openai"]
        whole = lab.fork(*words, tmp_path / "whole", **makers.environment).ended(ENDED_S)
        assert whole.code == 0, whole.err
        calls = paid(maker)
        assert calls == kept(tmp_path / "whole") >= 4 * CASES
        maker.ledger.clear()

        home = tmp_path / "killed"
        lost = landed = 0
        for moment in sorted(np.random.default_rng(KILLS).uniform(0, calls, KILLS)):
            before = done(home)
            process = lab.fork(*words, home, **makers.environment)
            lab.wait_until(lambda reach=moment: paid(maker) >= reach, every_s=0.002)
            time.sleep(np.random.default_rng(int(moment)).uniform(0, LATENCY_S))
            process.send_signal(signal.SIGKILL)
            landed += process.ended().code == -signal.SIGKILL
            time.sleep(SETTLED_S)  # what was on the wire is billed, and lost
            wasted = paid(maker) - kept(home) - lost
            assert 0 <= wasted <= ON_THE_WIRE
            lost += wasted
            assert before.items() <= done(home).items()

        before = done(home)
        assert landed >= KILLS - 1, "it must not have ended before it was killed"
        said = lab.fork(*words, home, **makers.environment).ended(ENDED_S)
        assert said.code == 0, said.err
        assert before.items() <= done(home).items(), "what was done stays as it was"
        assert len(done(home)) == CASES
        assert table(home) == table(tmp_path / "whole")
        # Beyond what was on the wire at a kill, nothing was billed that is not on record, and nothing is there twice.
        assert paid(maker) - kept(home) == lost
        assert kept(home) == calls
        assert said.document["variants"][0]["scores"] == whole.document["variants"][0]["scores"]
    sys.stdout.write(f"{KILLS} kills, {calls} answers needed, {lost} lost on the wire\n")
