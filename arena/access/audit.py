"""The audit: who wrote what, one line of JSON in ``<home>/audit.jsonl`` a write. Never what was in it."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from arena.access.caller import Caller
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError
from trading.domain.instants import iso

SCOPE_KEY = "tradefloor.trail"
"""Where the border leaves the trail of a request in its scope (ASGI)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A write that somebody made or was refused. ``at`` is wall clock, ISO 8601 (UTC).

    ``path`` has no query. ``act`` names what was done where the path does not tell, as on pages.
    """

    at: str
    caller: str
    role: str
    method: str
    path: str
    status: int
    request_id: str
    act: str = ""


_LOG = logging.getLogger("tradefloor.access")
_WRITTEN: TypeAdapter[Written] = TypeAdapter(Written)


class Audit:
    """The audit of one home folder, appended to by any thread of any process there."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._path = home / "audit.jsonl"
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()

    def record(
        self, *, caller: str, role: str, method: str, path: str, status: int, request_id: str, act: str = ""
    ) -> None:
        """Append a line and wait until it is on the disk.

        Where that fails the log says so and work goes on: a full disk must not hold up a halt.
        """
        line = Written(
            at=iso(self._clock.now_ms()),
            caller=caller,
            role=role,
            method=method,
            path=path[:200],
            status=status,
            request_id=request_id,
            act=act,
        )
        try:
            self._append(json.dumps(asdict(line)).encode() + b"\n")
        except OSError as error:
            _LOG.critical("%s cannot be written (%s): free the disk; missing is %s", self._path, error.strerror, line)

    def _append(self, data: bytes) -> None:
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, "ab+", buffering=0, opener=_private) as file:
                os.write(file.fileno(), data if _ends_well(file) else b"\n" + data)
                os.fsync(file.fileno())

    def last(self, count: int) -> tuple[list[Written], int]:
        """The newest ``count`` lines, oldest first, and how many of these lines are damaged and left out.

        Raises RequestError where the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                lines = _tail(file, count)
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise RequestError(f"{self._path}: the audit cannot be read ({error.strerror})") from error
        found = [_written(line) for line in lines]
        return [one for one in found if one is not None], found.count(None)


class Trail:
    """What one request leaves in the audit. ``by_act`` leaves nothing of itself, only the acts that pages name."""

    def __init__(
        self, audit: Audit, caller: Caller, *, method: str, path: str, request_id: str, by_act: bool = False
    ) -> None:
        self._record = partial(
            audit.record,
            caller=caller.name,
            role=caller.role.name.lower(),
            method=method,
            path=path,
            request_id=request_id,
        )
        self._acts: list[str] = [] if by_act else [""]
        self._lock = threading.Lock()
        self._is_closed = False

    def act(self, name: str, *, is_allowed: bool) -> None:
        """An act that the request asked for. What was not allowed, or comes after the answer, is written at once."""
        with self._lock:
            late = self._is_closed
            if is_allowed and not late:
                self._acts.append(name)
                return
        self._record(act=name, status=202 if is_allowed else 403)

    def close(self, status: int) -> None:
        """The request is answered with ``status``, and so are the acts so far."""
        with self._lock:
            acts, self._acts, self._is_closed = self._acts, [], True
        for name in acts:
            self._record(act=name, status=status)


def trail_of(scope: Mapping[str, Any]) -> Trail | None:
    """The trail of a request; None where nothing is audited, as on a page that another server shows."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Trail) else None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _ends_well(file: BinaryIO) -> bool:
    """Whether a line that was cut off by a crash would not take the next one with it."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _tail(file: BinaryIO, count: int) -> list[bytes]:
    """The last ``count`` lines, read from the end in steps."""
    at, data = file.seek(0, os.SEEK_END), b""
    while at and data.count(b"\n") <= count:
        step = min(at, 65_536)
        at = file.seek(at - step)
        data = file.read(step) + data
    lines = [line for line in data.split(b"\n") if line]
    return lines[-count:] if at == 0 or len(lines) > count else lines[1:]


def _written(line: bytes) -> Written | None:
    try:
        return _WRITTEN.validate_json(line)
    except ValidationError:
        return None
