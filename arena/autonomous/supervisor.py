"""The supervisor of a run that nobody watches: watchdog, heartbeat, alerts and the service manager, as one part."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.autonomous.heartbeat import Heartbeat, write_heartbeat
from arena.autonomous.service_manager import tell_service_manager
from arena.autonomous.watchdog import Patience, Watchdog
from trading.domain.clock import Clock, SystemClock
from trading.risk import KillSwitch
from trading.risk.alerts import AlertDesk, AlertWatch


class Supervisor:
    """Watches one run. Its methods are the hooks that a season calls.

    ``home`` holds the kill switch, ``folder`` the run's files.
    """

    def __init__(
        self,
        *,
        home: Path,
        folder: Path,
        run_id: str,
        alerts: AlertDesk,
        rounds: int,
        instruments: int,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._switch = KillSwitch(home)
        self._folder = folder
        self._run_id = run_id
        self._alerts = alerts
        self._rounds = rounds
        self._instruments = instruments
        self._clock = clock or SystemClock()
        self._status = "waiting"
        self._round = 0
        self._looked_ms = self._clock.now_ms()
        self._stale: Mapping[str, str] = {}
        self.watchdog = Watchdog(self._halt, patience, after_look=self._report)

    def alert_watch(self) -> AlertWatch:
        """The fold that raises alerts from the run's events; to be added once the run was restored."""
        return AlertWatch(self._run_id, self._alerts)

    def alarm(self, text: str, critical: bool) -> None:
        """Tell people; once a text, until somebody has acknowledged it."""
        self._alerts.raise_alert(f"{self._run_id}: {text}", critical=critical, key=f"{self._run_id} {text[:120]}")

    def halt(self, reason: str) -> None:
        """Stop the run's trading and say so."""
        self._halt(reason)

    def on_work(self) -> None:
        """The run is at work while it looks at no market, as when it recovers."""
        self.on_look(self._clock.now_ms(), self._stale)

    def on_look(self, now_ms: int, stale: Mapping[str, str]) -> None:
        """The market looked up."""
        self._looked_ms, self._stale = now_ms, stale
        self.watchdog.looked(stale, self._instruments)

    def on_seated(self, _teams: Sequence[Any], seats: Sequence[Any]) -> None:
        """A round is open and the desks are asked."""
        if seats:
            self._round = seats[0].round_index
        self._status, self._looked_ms = "deciding", self._clock.now_ms()
        self.watchdog.deciding()

    def on_round(self, index: int) -> None:
        """A round is closed."""
        self._round, self._status, self._looked_ms = index, "waiting", self._clock.now_ms()
        self.watchdog.decided()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the context ends."""
        self.watchdog.start()
        tell_service_manager("READY=1")
        try:
            yield
        finally:
            tell_service_manager("STOPPING=1")
            self.watchdog.stop()
            self._status = "stopped"
            self._report()

    def _halt(self, reason: str) -> None:
        self._switch.halt(reason, scope=self._run_id)
        self._alerts.raise_alert(
            f"{self._run_id} is halted: {reason}", critical=True, key=f"{self._run_id} {reason[:60]}"
        )

    def _report(self) -> None:
        thrown = self._switch.state(self._run_id)
        status = "halted" if thrown is not None and self._status != "stopped" else self._status
        beat = Heartbeat(
            run_id=self._run_id,
            pid=os.getpid(),
            status=status,
            written_ms=self._clock.now_ms(),
            looked_ms=self._looked_ms,
            round_index=self._round,
            rounds=self._rounds,
            stale=dict(self._stale),
            halted=thrown.reason if thrown is not None else None,
        )
        write_heartbeat(self._folder, beat)
        if self.watchdog.is_live:
            tell_service_manager("WATCHDOG=1")
