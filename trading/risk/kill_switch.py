"""The kill switch: a file that any terminal can write and every engine reads before it lets an order out."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A halt that stands: why, and when it was thrown (wall clock)."""

    reason: str
    since_ms: int


class KillSwitch:
    """A latch on disk. It survives restarts, needs no running process, and one call throws it.

    A halt file that cannot be read counts as a halt: the switch fails closed.
    """

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._file = home / "HALT.json"
        self._clock = clock or SystemClock()

    def halt(self, reason: str) -> Halt:
        """Stop all trading of this home folder until :meth:`resume`. A second call keeps the first reason."""
        standing = self.state()
        if standing is not None:
            return standing
        thrown = Halt(reason=_one_line(reason), since_ms=self._clock.now_ms())
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"HALT.{os.getpid()}.partial")
        partial.write_text(json.dumps({"reason": thrown.reason, "since_ms": thrown.since_ms}), encoding="utf-8")
        partial.replace(self._file)
        return thrown

    def resume(self, reason: str) -> None:
        """Let trading go on. Raises RequestError when nothing is halted or no reason is given."""
        _one_line(reason)
        if self.state() is None:
            raise RequestError("nothing is halted: there is nothing to resume")
        self._file.unlink(missing_ok=True)

    def state(self) -> Halt | None:
        """The halt that stands, None when trading is free."""
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            return Halt(reason=f"the halt file cannot be read ({error.strerror})", since_ms=0)
        try:
            found = json.loads(text)
            return Halt(reason=str(found["reason"]), since_ms=int(found["since_ms"]))
        except (ValueError, KeyError, TypeError):
            return Halt(reason="the halt file is damaged", since_ms=0)


def _one_line(reason: str) -> str:
    text = " ".join(reason.split())
    if not text:
        raise RequestError("a reason is needed: say in a few words why")
    return text[:500]
