"""Work that takes longer than a page may wait: done in threads beside the app, with progress, and to be cancelled."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError, TradefloorError

log = logging.getLogger("tradefloor")

MOST_AT_ONCE = 4
KEPT = 200
"""Jobs that came to an end and can still be asked for."""


class Cancelled(TradefloorError):
    """A person wanted no more of it."""


class JobStatus(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work as it stands.

    ``total`` is None where nobody knows how much there is to do. Instants are milliseconds since 1970 by the wall
    clock; ``said`` is a line about how it goes, or why it ended.
    """

    key: str
    title: str
    status: JobStatus
    started_ms: int
    done: int = 0
    total: int | None = None
    ended_ms: int | None = None
    said: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it has not come to its end."""
        return self.status is JobStatus.RUNNING


class Ticket:
    """What a job's work holds in its hand: it reports on it, and learns from it that nobody wants it any more."""

    def __init__(self, board: "Jobs", key: str) -> None:
        self._board = board
        self._key = key
        self._stop = threading.Event()
        self._wakes: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def report(self, done: int, total: int | None, said: str = "") -> None:
        """Say how far it is. Raises Cancelled where it should not go on."""
        self.check()
        self._board.update(self._key, done=done, total=total, said=said)

    def check(self) -> None:
        """Raise Cancelled where it should not go on."""
        if self._stop.is_set():
            raise Cancelled("cancelled; what was done is kept")

    def on_cancel(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from another thread, as soon as the job is cancelled."""
        with self._lock:
            self._wakes.append(wake)
            late = self._stop.is_set()
        if late:
            wake()

    def cancel(self) -> None:
        """Tell the work to end."""
        with self._lock:
            self._stop.set()
            wakes = list(self._wakes)
        for wake in wakes:
            wake()


Work = Callable[[Ticket], str]
"""What a job does; it gives the line that is shown at its end."""


class Jobs:
    """The jobs of a served house, one at a time for each key. Safe to call from several threads.

    What prevents a job from its end is told in the job, never raised: nobody waits for it.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._tickets: dict[str, Ticket] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Another number whenever anything changed."""
        return self._version

    def start(self, key: str, title: str, work: Work) -> Job:
        """Begin a job. Raises RequestError while one of the same key runs, or too many others do."""
        with self._lock:
            running = [job for job in self._jobs.values() if job.is_running]
            if any(job.key == key for job in running):
                raise RequestError(f"{title} is being done already; wait for it or cancel it")
            if len(running) >= MOST_AT_ONCE:
                raise RequestError(f"{len(running)} jobs are being done; wait for one of them or cancel it")
            ticket = self._tickets[key] = Ticket(self, key)
            self._jobs.pop(key, None)
            job = self._jobs[key] = Job(key=key, title=title, status=JobStatus.RUNNING, started_ms=self._clock.now_ms())
            self._forget()
            self._version += 1
            thread = threading.Thread(target=self._do, args=(key, work, ticket), name=f"job-{key}", daemon=True)
            self._threads[key] = thread
        thread.start()
        return job

    def get(self, key: str) -> Job | None:
        """The last job of that key, None where there was none."""
        return self._jobs.get(key)

    def all(self) -> list[Job]:
        """Every job that is remembered, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def cancel(self, key: str) -> None:
        """Tell a job to end. Raises RequestError where none of that key runs."""
        job = self._jobs.get(key)
        if job is None or not job.is_running:
            raise RequestError("there is nothing to cancel: no job of this kind is being done")
        self._tickets[key].cancel()

    def wait(self, key: str, timeout_s: float | None = None) -> Job | None:
        """Wait for the job of that key to come to its end, and give it as it then stands."""
        thread = self._threads.get(key)
        if thread is not None:
            thread.join(timeout_s)
        return self.get(key)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Cancel whatever runs and wait for it a little."""
        for job in self.all():
            if job.is_running:
                self._tickets[job.key].cancel()
        for thread in list(self._threads.values()):
            thread.join(timeout_s)

    def update(self, key: str, *, done: int, total: int | None, said: str) -> None:
        """Write down how far a job is."""
        self._put(key, done=done, total=total, said=said)

    def _do(self, key: str, work: Work, ticket: Ticket) -> None:
        try:
            said, status = work(ticket), JobStatus.DONE
        except Cancelled as error:
            said, status = str(error), JobStatus.CANCELLED
        except TradefloorError as error:
            said, status = str(error), JobStatus.FAILED
        except Exception:  # the job runner's border: whoever looks must see that it ended, whatever the reason
            log.exception("job %s ended on an error of ours", key)
            said, status = "an error of ours; the log has the details", JobStatus.FAILED
        self._put(key, status=status, said=said, ended_ms=self._clock.now_ms())

    def _put(self, key: str, **changes: object) -> None:
        with self._lock:
            self._jobs[key] = replace(self._jobs[key], **changes)  # type: ignore[arg-type]  # names of its fields
            self._version += 1

    def _forget(self) -> None:
        over = [key for key, job in self._jobs.items() if not job.is_running]
        for key in over[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key], self._tickets[key]
            self._threads.pop(key, None)
