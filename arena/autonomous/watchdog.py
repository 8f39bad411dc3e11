"""The watchdog: a thread that halts a run which has gone quiet, deaf or wrong, even while its own loop hangs."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger("tradefloor.watchdog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each part may be silent, in seconds, before the run is halted."""

    loop_s: float = 30.0
    desks_s: float = 180.0
    feed_s: float = 180.0
    look_s: float = 1.0


class Watchdog:
    """Halts through ``halt``, once a cause, what does not report in time.

    The run's loop calls :meth:`looked` whenever it looks up, :meth:`deciding` and :meth:`decided` around its desks, and
    :meth:`failed` for what must stop everything at once, such as books that do not agree. ``after_look`` is called from
    the watchdog's own thread after each look of its own.
    """

    def __init__(
        self,
        halt: Callable[[str], None],
        patience: Patience | None = None,
        *,
        after_look: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._halt = halt
        self._patience = patience or Patience()
        self._after_look = after_look
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked = monotonic()
        self._deciding: float | None = None
        self._deaf: float | None = None
        self._failure = ""
        self._told: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def looked(self, stale: Mapping[str, str], instruments: int) -> None:
        """The loop lives; ``stale`` of its ``instruments`` are not heard."""
        with self._lock:
            self._looked = self._monotonic()
            if len(stale) < instruments:
                self._deaf = None
                self._told.discard("feed")
            elif self._deaf is None:
                self._deaf = self._looked

    def deciding(self) -> None:
        """The desks were asked."""
        with self._lock:
            self._deciding = self._looked = self._monotonic()

    def decided(self) -> None:
        """The round is closed."""
        with self._lock:
            self._deciding = None
            self._looked = self._monotonic()
            self._told -= {"desks", "loop"}

    def failed(self, what: str) -> None:
        """Something that must never be traded on: halt now."""
        with self._lock:
            self._failure = what
        self.look()

    @property
    def is_live(self) -> bool:
        """Whether the loop has reported within its patience."""
        return self._silent() is None

    def look(self) -> None:
        """Halt for every cause that has come up since the last look."""
        for part, reason in self._causes():
            with self._lock:
                if part in self._told:
                    continue
                self._told.add(part)
            log.critical("watchdog: %s", reason)
            self._halt(f"watchdog: {reason}")

    def _silent(self) -> tuple[str, str] | None:
        now = self._monotonic()
        with self._lock:
            looked, deciding = self._looked, self._deciding
        if deciding is not None:
            if now - deciding > self._patience.desks_s:
                return "desks", f"the desks have not answered for {now - deciding:.0f} s"
        elif now - looked > self._patience.loop_s:
            return "loop", f"the loop has not moved for {now - looked:.0f} s"
        return None

    def _causes(self) -> list[tuple[str, str]]:
        now = self._monotonic()
        silent = self._silent()
        found = [silent] if silent is not None else []
        with self._lock:
            deaf, failure = self._deaf, self._failure
        if deaf is not None and now - deaf > self._patience.feed_s:
            found.append(("feed", f"nothing was heard of any instrument for {now - deaf:.0f} s"))
        if failure:
            found.append((f"failure {failure}", failure))
        return found

    def _watch(self) -> None:
        while not self._ended.wait(self._patience.look_s):
            try:
                self.look()
                self._after_look()
            except Exception:  # the thread's border: a watchdog that dies silently would be worse than none
                log.exception("the watchdog stumbled and goes on")
