"""The command line called in this process or in one of its own, and a short season whose run many tests look at."""

import io
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from arena.cli import app, guarded

ROOT = Path(__file__).parents[3]
ROUNDS = 24

TRIAL = """
[season]
name = "trial"
seed = 6
start = 2025-10-17T00:00:00Z
end = 2025-10-18T00:00:00Z
every = "1h"
capital = 10000

[market]
kind = "replay"
paths = ["ohlcv/binance-perp/*-PERP-1h.parquet"]
funding = ["funding/binance/*.parquet"]
instruments = ["BTC-USDT-PERP", "SOL-USDT-PERP"]

[[desk]]
name = "momentum"
model = "house/momentum"

[[desk]]
name = "random"
model = "house/random"
"""

SIMULATED = """
[season]
name = "invented"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T06:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "voltarget"
model = "house/voltarget"
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a call answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; NaN and infinity are refused as a strict reader refuses them."""

        def refuse(word: str) -> Any:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


# What a forked process does: it takes its words, its environment and its two streams, and becomes the command line.
BECOME = """
import os, sys
os.environ.clear()
os.environ.update(environment)
for number, path in enumerate(streams, start=1):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
sys.argv = ["tradefloor", *words]
from arena.cli import main
main()
"""


class Forked:
    """The command line in a process that was forked from one which had imported what takes long."""

    def __init__(self, words: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._streams = [folder / "stdout", folder / "stderr"]
        streams = [str(path) for path in self._streams]
        given = {"words": words, "environment": clean_environment(**environment), "streams": streams}
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["litellm", "graphs", "arena.wiring"])
        with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT), LITELLM_LOCAL_MODEL_COST_MAP="True"):
            self._process = context.Process(target=exec, args=(BECOME, given))
            self._process.start()

    def send_signal(self, name: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, name)

    def ended(self, timeout_s: float = 200) -> Said:
        """What it said once it came to its end."""
        self._process.join(timeout_s)
        assert self._process.exitcode is not None, "it did not end in time"
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in self._streams)
        return Said(self._process.exitcode, out, err)

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.join()


class Lab:
    """The command line, and what a test needs around it."""

    rounds = ROUNDS

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: list[subprocess.Popen[str]] = []
        self.forked: list[Forked] = []

    def call(self, *arguments: object, **environment: str) -> Said:
        """Call it in this process."""
        out, err = io.StringIO(), io.StringIO()
        words = [str(argument) for argument in arguments]
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.dict(os.environ, clean_environment(**environment), clear=True),
        ):
            code = guarded(lambda: app(words, standalone_mode=False), debug=False)
        return Said(code, out.getvalue(), err.getvalue())

    def spawn(
        self,
        *arguments: object,
        program: tuple[str, ...] = ("-m", "arena.cli"),
        folder: Path = ROOT,
        **environment: str,
    ) -> "subprocess.Popen[str]":
        """Start it in a process of its own; what still runs at the end of the tests is killed."""
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=folder,
            env=clean_environment(PYTHONPATH=str(ROOT), **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def fork(self, *arguments: object, **environment: str) -> Forked:
        """Start it in a process of its own that has its libraries already: for tests that need many of them."""
        folder = self._folder / str(len(self.forked))
        folder.mkdir()
        forked = Forked([str(argument) for argument in arguments], folder, environment)
        self.forked.append(forked)
        return forked

    def ended(self, process: "subprocess.Popen[str]", timeout_s: float = 200) -> Said:
        """What a process said once it came to its end."""
        out, err = process.communicate(timeout=timeout_s)
        return Said(process.returncode, out, err)

    def wait_until(self, true: Callable[[], Any], timeout_s: float = 200, every_s: float = 0.01) -> None:
        """Come back as soon as ``true()`` is; fail when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(every_s)

    def rounds_on_record(self, home: Path) -> int:
        """How many rounds the only run of a home has committed so far; 0 while there is no journal."""
        for journal in home.glob("runs/*/journal.sqlite"):
            try:
                with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as db:
                    return int(db.execute("SELECT count(*) FROM events WHERE kind = 'round_opened'").fetchone()[0])
            except sqlite3.DatabaseError:
                return 0
        return 0


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what a developer's machine may add: our own settings and keys of providers."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TRADEFLOOR_", "OPENAI_"))}
    return {name: value for name, value in ours.items() if not name.endswith("_API_KEY")} | more


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The command line in this process (``lab.call``) or in one of its own (``lab.spawn``, ``lab.fork``)."""
    lab = Lab(tmp_path_factory.mktemp("forked"))
    yield lab
    for process in lab.running:
        process.kill()
        process.communicate()
    for forked in lab.forked:
        forked.kill()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real market data; TRADEFLOOR_TEST_DATA names another one."""
    root = Path(os.environ.get("TRADEFLOOR_TEST_DATA", ROOT.parent / "shared" / "data"))
    assert root.is_dir(), f"{root} is missing: set TRADEFLOOR_TEST_DATA to the folder of market data"
    return root


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The season file of a day of two perpetuals and two rule-based desks."""
    path = tmp_path_factory.mktemp("season") / "trial.toml"
    path.write_text(TRIAL, "utf-8")
    return path


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The season file of a few hours of a simulated market."""
    path = tmp_path_factory.mktemp("season") / "invented.toml"
    path.write_text(SIMULATED, "utf-8")
    return path


@pytest.fixture(scope="session")
def finished(lab: Lab, trial: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A home folder in which the trial season was played to its end, and what ``run --json`` said. Do not change it."""
    home = tmp_path_factory.mktemp("finished")
    said = lab.call("run", trial, "--data-root", recordings, "--home", home, "--json")
    assert said.code == 0, said.err
    return home, said


@pytest.fixture
def home_copy(finished: tuple[Path, Said], tmp_path: Path) -> Path:
    """A copy of the finished home that a test may spoil."""
    return shutil.copytree(finished[0], tmp_path / "home")
