"""The kill switch: latches on disk that any terminal can throw and every engine reads before it lets an order out."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError

EVERYTHING = "everything"
"""The latch that stops every run of a home folder."""

HALTED = "halted"
_UNKNOWN_MS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A halt that stands: what it stops, why, and since when (wall clock).

    ``scope`` is ``everything``, a run id, or a desk of a run as :func:`desk_scope` names it. ``state`` is ``halted``,
    or ``reduce_only`` where a desk may still shrink its positions. ``flatten`` asks that every position be closed.
    """

    scope: str
    reason: str
    since_ms: int
    state: str = HALTED
    flatten: bool = False


def desk_scope(run_id: str, desk: str) -> str:
    """The scope of one desk of a run."""
    return f"{run_id}@{desk}"


class KillSwitch:
    """Latches under ``<home>/halts``. They survive restarts, need no running process, and one call throws them.

    A person halts everything; a breaker halts its own run, or one desk of it. Only a person resumes. A latch that
    cannot be read counts as a halt: the switch fails closed.
    """

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._folder = home / "halts"
        self._clock = clock or SystemClock()

    def halt(self, reason: str, *, scope: str = EVERYTHING, state: str = HALTED, flatten: bool = False) -> Halt:
        """Stop trading until :meth:`resume`. A latch that stands already keeps its first reason and instant.

        ``flatten`` also asks every engine to close what it holds; it can be asked for later, and not taken back.
        """
        standing = self._read(scope)
        known = standing is not None and standing.since_ms != _UNKNOWN_MS
        if known and standing is not None and (standing.flatten or not flatten):
            return standing
        thrown = Halt(
            scope=scope, reason=_one_line(reason), since_ms=self._clock.now_ms(), state=state, flatten=flatten
        )
        if known and standing is not None:
            thrown = replace(standing, flatten=True)
        content = {"reason": thrown.reason, "since_ms": thrown.since_ms, "state": thrown.state}
        if thrown.flatten:
            content["flatten"] = True
        partial = self._folder / f"{scope}.{os.getpid()}.partial"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(content), encoding="utf-8")
            partial.replace(self._file(scope))
        except OSError as error:
            raise RequestError(
                f"{self._folder}: NOT HALTED, the latch cannot be written ({error.strerror}); name the home folder "
                "of the run with --home"
            ) from error
        return thrown

    def resume(self, reason: str, *, desk: str | None = None) -> list[Halt]:
        """Clear every latch, or those of one desk, and say which stood.

        Raises RequestError when none did or no reason is given.
        """
        _one_line(reason)
        standing = [halt for halt in self.standing() if desk is None or halt.scope.endswith(f"@{desk}")]
        if not standing:
            raise RequestError(
                f"{'nothing' if desk is None else f'no desk {desk}'} is halted: there is nothing to resume"
            )
        for halt in standing:
            self.release(halt.scope)
        return standing

    def release(self, scope: str) -> None:
        """Clear one latch, if it stands."""
        self._file(scope).unlink(missing_ok=True)

    def release_run(self, run_id: str) -> None:
        """Clear the latches of a run and of its desks, if any stand."""
        self.release(run_id)
        for halt in self.standing():
            if halt.scope.startswith(desk_scope(run_id, "")):
                self.release(halt.scope)

    def state(self, run_id: str | None = None) -> Halt | None:
        """The halt that stops ``run_id`` (or, without one, everything); None when trading is free."""
        return self._read(EVERYTHING) or (self._read(run_id) if run_id else None)

    def desk_state(self, run_id: str, desk: str) -> Halt | None:
        """The latch that stands on a desk of a run."""
        return self._read(desk_scope(run_id, desk))

    def standing(self) -> list[Halt]:
        """Every latch that stands."""
        scopes = sorted(file.stem for file in self._folder.glob("*.json")) if self._folder.is_dir() else []
        return [halt for scope in scopes if (halt := self._read(scope)) is not None]

    def _file(self, scope: str) -> Path:
        return self._folder / f"{scope}.json"

    def _read(self, scope: str) -> Halt | None:
        try:
            content = self._file(scope).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            return Halt(scope=scope, reason=f"the latch cannot be read ({error.strerror})", since_ms=_UNKNOWN_MS)
        try:
            found = json.loads(content)
            state = str(found.get("state", HALTED))
            return Halt(
                scope=scope,
                reason=str(found["reason"]),
                since_ms=int(found["since_ms"]),
                state=state,
                flatten=found.get("flatten") is True,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return Halt(scope=scope, reason="the latch file is damaged", since_ms=_UNKNOWN_MS)


def _one_line(reason: str) -> str:
    text = " ".join(reason.split())
    if not text:
        raise RequestError("a reason is needed: say in a few words why")
    return text[:500]
