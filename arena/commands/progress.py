"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

import typer

LINE_EVERY_S = 10.0


class RoundProgress:
    """Shows how many rounds, or other units of work, are done, on stderr."""

    def __init__(self, rounds: int, *, unit: str = "round") -> None:
        self._rounds = rounds
        self._unit = unit
        self._started = self._last_line = time.monotonic()
        self._first = 0
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn(f"{unit}s"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(f"{unit}s", total=rounds)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, done: int) -> None:
        """Say from which round it goes on."""
        self._first = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif done:
            typer.echo(f"goes on after {self._unit} {done} of {self._rounds}", err=True)

    def advance(self, index: int) -> None:
        """Round ``index`` is on record."""
        done = index + 1
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
            return
        now = time.monotonic()
        if now - self._last_line >= LINE_EVERY_S or done == self._rounds:
            self._last_line = now
            rate = (done - self._first) / max(1e-9, now - self._started)
            typer.echo(f"{self._unit} {done} of {self._rounds}, {rate:.1f} {self._unit}s a second", err=True)


class StepProgress:
    """Shows which of how many steps of one long work is being done, on stderr: a bar on a terminal, else lines."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last_line = float("-inf")
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, doing: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps are finished, the last of them ``doing``."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._what}: {doing}", completed=done, total=total)
            return
        now = time.monotonic()
        if now - self._last_line >= LINE_EVERY_S or done == total:
            self._last_line = now
            typer.echo(f"{self._what}: {done} of {total}, {doing}", err=True)
