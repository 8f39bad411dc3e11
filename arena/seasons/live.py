"""The live floor: what every page sees of a season that plays in the background, and the switch a person holds."""

import threading
from dataclasses import replace

from arena.seasons.snapshot import FloorSnapshot
from trading.domain.clock import Clock, SystemClock
from trading.engine import Setup
from trading.risk import KillSwitch
from trading.stats.luck import TRADERS

_UNDER_WAY = frozenset({"starting", "running", "halted"})


class LiveFloor:
    """The newest snapshot of a season with the kill switch over it: a halt shows at once, whoever threw it.

    The season's thread calls :meth:`publish` and :meth:`fail`; any thread may call the rest. Satisfies
    ``arena.floor.Floor``.
    """

    def __init__(self, kill_switch: KillSwitch, clock: Clock | None = None) -> None:
        self._kill_switch = kill_switch
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._told: FloorSnapshot | None = None
        self._snapshot: FloorSnapshot | None = None
        self._version = 0

    def snapshot(self) -> FloorSnapshot | None:
        """The newest snapshot, or None where the season has not published one."""
        return self._snapshot

    def halt(self, reason: str) -> None:
        """Throw the kill switch; pages show it at once, the engine obeys before its next order."""
        self._kill_switch.halt(reason)
        with self._lock:
            self._show()

    def resume(self, reason: str) -> None:
        """Clear every latch. Orders leave again from the next round on. Raises RequestError when nothing is halted."""
        self._kill_switch.resume(reason)
        with self._lock:
            self._show()

    def publish(self, snapshot: FloorSnapshot) -> None:
        """Show what the season says of itself, under a version of our own."""
        with self._lock:
            self._told = snapshot
            self._show()

    def fail(self, words: str) -> None:
        """Say that the season stopped for a reason of its own; the last numbers stay visible."""
        with self._lock:
            if self._told is not None:
                self._told = replace(self._told, status="failed", status_text=words)
                self._show()

    def _show(self) -> None:
        told = self._told
        if told is None:
            return
        halt = self._kill_switch.state(told.run_id)
        if halt is not None:
            told = replace(told, breaker="halted", halt_reason=halt.reason)
            if told.status in _UNDER_WAY:
                told = replace(told, status="halted", status_text=f"Halted: {halt.reason}")
        elif told.status == "halted":  # the season itself learns of the resume with its next round
            words = "Trading goes on with the next round"
            told = replace(told, status="running", breaker="armed", halt_reason=None, status_text=words)
        self._version += 1
        self._snapshot = replace(told, version=self._version, published_ms=self._clock.now_ms())


def opening_snapshot(setup: Setup, run_id: str = "") -> FloorSnapshot:
    """What there is to see before the first round: the rules, and nobody on the floor yet."""
    return FloorSnapshot(
        version=0,
        season=setup.season,
        run_id=run_id,
        market=setup.source,
        mode=setup.mode,
        status="starting",
        status_text="Starting",
        as_of_ms=setup.start_ms,
        start_ms=setup.start_ms,
        end_ms=setup.end_ms,
        round_index=0,
        rounds=setup.rounds,
        step_ms=setup.every_ms,
        capital=float(setup.capital),
        instruments=tuple(setup.instruments),
        prices=(),
        desks=(),
        benchmark=None,
        benchmark_name="",
        luck=None,
        luck_traders=TRADERS,
        decisions=(),
        trades=(),
        breaker="armed",
        halt_reason=None,
        published_ms=0,
    )
