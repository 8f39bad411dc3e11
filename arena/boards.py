"""The leaderboard over all runs of a home folder, computed beside: in a process of its own, again when runs changed.

Folding every journal takes seconds to minutes, so whoever asks gets the newest board there is, and its age.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from arena.restating import Restatement, restatements
from arena.settings import Settings
from evals.leaderboard import Board, Filters
from trading.domain.errors import RequestError, TradefloorError
from trading.storage.runs import Runs

LOOK_EVERY_S = 5.0
"""How often the folder of runs is looked at, at most."""

AGAIN_AFTER_S = 300.0
"""How old a board may be while a run that it holds goes on."""

_DEADLINE_S = 900.0
_BOARD: TypeAdapter[Board] = TypeAdapter(Board)

log = logging.getLogger("tradefloor")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """The newest board with its age in seconds, None before the first; ``trouble`` says why the last try failed."""

    board: Board | None = None
    restated: tuple[Restatement, ...] = ()
    age_s: float | None = None
    is_computing: bool = False
    trouble: str | None = None


class BoardOffice:
    """Keeps the board of one home folder. Any thread may ask; asking starts the computing where there is need."""

    def __init__(self, settings: Settings, compute: "Callable[[Settings], Board] | None" = None) -> None:
        self._settings = settings
        self._compute = compute or computed_apart
        self._lock = threading.Lock()
        self._state = BoardState()
        self._made_s = self._looked_s = float("-inf")
        self._key: object = None

    def latest(self) -> BoardState:
        """What there is now."""
        with self._lock:
            self._look()
            age = None if self._state.board is None else time.monotonic() - self._made_s
            return replace(self._state, age_s=age)

    def _look(self) -> None:
        now = time.monotonic()
        if self._state.is_computing or now - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now
        key, goes_on = _content(self._settings.home)
        if key != self._key or (goes_on and now - self._made_s > AGAIN_AFTER_S):
            self._state = replace(self._state, is_computing=True)
            threading.Thread(target=self._work, args=(key,), name="leaderboard", daemon=True).start()

    def _work(self, key: object) -> None:
        try:
            board, restated = self._compute(self._settings), tuple(restatements(self._settings.home))
            done = BoardState(board=board, restated=restated)
        except TradefloorError as error:
            log.warning("the leaderboard could not be computed: %s", error)
            done = replace(self._state, is_computing=False, trouble=str(error))
        with self._lock:
            self._state, self._key, self._made_s = done, key, time.monotonic()


_offices: dict[Path, BoardOffice] = {}
_opening = threading.Lock()


def board_office(settings: Settings) -> BoardOffice:
    """The one office of a home folder in this process."""
    with _opening:
        return _offices.setdefault(settings.home.resolve(), BoardOffice(settings))


def computed_apart(settings: Settings) -> Board:
    """The board, computed by a process of its own with the least claim on the machine. Raises RequestError."""
    command = [sys.executable, "-m", "arena.boards", str(settings.home)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(  # noqa: S603  # our own program and our own folder
            command, capture_output=True, timeout=_DEADLINE_S, env=environment, check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise RequestError(
                f"the leaderboard could not be computed: {said[-1][:300] if said else 'no reason given'}"
            )
        return _BOARD.validate_json(done.stdout)
    except subprocess.TimeoutExpired:
        raise RequestError(f"the leaderboard took longer than {_DEADLINE_S:.0f} s; ask for fewer runs") from None
    except ValidationError as error:
        raise RequestError(f"the leaderboard came back broken ({error.error_count()} errors)") from None


def _content(home: Path) -> tuple[object, bool]:
    """What the board depends on, as far as it is cheap to see, and whether a run goes on."""
    runs = [(run.run_id, run.is_finished) for run in Runs(home).all()]
    files = tuple(_stamp(home / name) for name in ("restatements.jsonl", "evals/attempts.sqlite"))
    return (tuple(sorted(runs)), files), any(not finished for _, finished in runs)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _answer(home: str) -> int:
    from arena.ranking import board_of

    os.nice(10)
    try:
        board = board_of(Settings.load({"home": home}), Filters())
    except TradefloorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(_BOARD.dump_json(board))
    return 0


if __name__ == "__main__":
    sys.exit(_answer(sys.argv[1]))
