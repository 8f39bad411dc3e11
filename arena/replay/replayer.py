"""Replays of a served house: one job for each decision, and the newest result of each kept under the home folder."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from arena.jobs import Cancelled, Job, Jobs, Ticket
from arena.replay.replay import Replay
from arena.settings import Settings
from arena.traces import Trace
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.storage.runs import RunFolder, Runs

CAP_USD = Decimal(1)
"""What the live calls of one replay may cost together, where nobody says otherwise."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class Replayer:
    """Asks decisions again. Safe to call from several threads."""

    def __init__(self, settings: Settings, jobs: Jobs, clock: Clock | None = None) -> None:
        self._settings = settings
        self._jobs = jobs
        self._clock = clock or SystemClock()

    def start(self, trace: Trace, *, by: str, cap_usd: Decimal = CAP_USD) -> Job:
        """Begin to ask a decision again. Raises RequestError for one that cannot be, or that is being asked already."""
        from arena.replay.past import check_replayable

        check_replayable(trace)
        title = f"Replaying {trace.decision_id}"
        return self._jobs.start(_key(trace.run_id, trace.decision_id), title, lambda ticket: self._work(
            trace, ticket, by=by, cap_usd=cap_usd
        ))  # fmt: skip

    def job(self, run_id: str, decision_id: str) -> Job | None:
        """How asking it goes, None where nobody asked for it in this process."""
        return self._jobs.get(_key(run_id, decision_id))

    def cancel(self, run_id: str, decision_id: str) -> None:
        """End asking it. Raises RequestError where it is not being asked."""
        self._jobs.cancel(_key(run_id, decision_id))

    def kept(self, run_id: str, decision_id: str) -> Replay | None:
        """The newest replay of a decision, None where there is none that can be read."""
        path = self._path(run_id, decision_id)
        if path is None or not path.is_file():
            return None
        try:
            return Replay.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None  # of another version, or damaged: it is asked again with a press

    def replay(self, trace: Trace, *, by: str, cap_usd: Decimal, on_call: Callable[[int], None]) -> Replay:
        """Ask a decision again now, and keep what came of it.

        Raises RequestError for one that cannot be asked, ConfigError where a model cannot be, and JournalError.
        """
        return asyncio.run(self._replay(trace, by=by, cap_usd=cap_usd, on_call=on_call))

    async def _replay(self, trace: Trace, *, by: str, cap_usd: Decimal, on_call: Callable[[int], None]) -> Replay:
        from arena.replay.asking import ask_again
        from arena.replay.past import check_replayable, past_seat

        check_replayable(trace)
        folder = Runs(self._settings.home).get(trace.run_id)
        past = past_seat(folder, trace, self._settings)
        found = await ask_again(
            past,
            trace,
            _recordings(folder, self._settings.home),
            cap_usd=cap_usd,
            by=by,
            now_ms=self._clock.now_ms(),
            on_call=on_call,
        )
        self._keep(found)
        return found

    def _work(self, trace: Trace, ticket: Ticket, *, by: str, cap_usd: Decimal) -> str:
        def on_call(done: int) -> None:
            ticket.report(done, max(done + 1, len(trace.calls)), "asking the desk")

        async def cancellable() -> Replay:
            loop, asking = (
                asyncio.get_running_loop(),
                asyncio.ensure_future(self._replay(trace, by=by, cap_usd=cap_usd, on_call=on_call)),
            )

            def wake() -> None:
                with suppress(RuntimeError):  # it came to its end in this very moment
                    loop.call_soon_threadsafe(asking.cancel)

            ticket.on_cancel(wake)
            try:
                return await asking
            except asyncio.CancelledError:
                raise Cancelled("cancelled; nothing of it was kept") from None

        ticket.report(0, len(trace.calls), "reading the record back")
        return asyncio.run(cancellable()).verdict

    def _keep(self, found: Replay) -> None:
        path = self._path(found.run_id, found.decision_id)
        if path is None:
            raise RequestError(f"{found.decision_id[:80]!r} cannot name a file")
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(found.model_dump_json(), "utf-8")
            partial.replace(path)
        except OSError as error:
            raise ConfigError(f"{path}: the replay cannot be kept ({error.strerror})") from error

    def _path(self, run_id: str, decision_id: str) -> Path | None:
        if not (_NAME.fullmatch(run_id) and _NAME.fullmatch(decision_id)):
            return None
        return self._settings.home / "replays" / run_id / f"{decision_id}.json"


def _recordings(folder: RunFolder, home: Path) -> tuple[Path, ...]:
    """The run's own cassette, and those of other runs of the same content: a season that was replayed has none."""
    content = folder.manifest.get("content_sha256")
    others = [run.cassette for run in Runs(home).all() if content and run.manifest.get("content_sha256") == content]
    return tuple(path for path in dict.fromkeys([folder.cassette, *reversed(others)]) if path.is_file())


def _key(run_id: str, decision_id: str) -> str:
    return f"replay-{run_id}-{decision_id}"
