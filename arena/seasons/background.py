"""A season that plays beside the web app, in a thread with an event loop of its own."""

import asyncio
import logging
import threading
from contextlib import suppress

from arena import wiring
from arena.meters import Meters
from arena.seasons.live import LiveFloor, opening_snapshot
from arena.seasons.reception import Reception
from arena.seasons.reporter import Reporter
from arena.seasons.rules import SeasonRules
from arena.seasons.runner import SeasonRun
from arena.settings import Settings
from trading.domain.errors import TradefloorError
from trading.engine import Engine
from trading.storage.journal import Journal, Telemetry

log = logging.getLogger("tradefloor")

_PEOPLE_S = 3.0
"""Wall seconds that a season which asks people is given to end its round: it may wait for one of them for long."""


class BackgroundSeason:
    """Plays one season for viewers: fast through the first ``warmup_rounds``, then one round every ``round_s``.

    What is wrong with the season is raised by the constructor; what goes wrong later is shown on the floor. Its desks
    can be spoken to at the ``reception``, and what they do is counted by the ``meters``.
    """

    def __init__(
        self,
        rules: SeasonRules,
        settings: Settings,
        floor: LiveFloor,
        *,
        round_s: float,
        warmup_rounds: int,
        reception: Reception | None = None,
        meters: Meters | None = None,
    ) -> None:
        self._prepared = wiring.prepare(rules, settings)
        self._settings = settings
        self._floor = floor
        self._round_s = round_s
        self._warmup_rounds = warmup_rounds
        self._reception = reception
        self._meters = meters
        self._run: SeasonRun | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._playing: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._main, name="season", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the season's thread runs, be it that it plays or that its desks can still be asked."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin, or go on where the last start of the same season left off."""
        self._floor.publish(opening_snapshot(self._prepared.setup))
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """End after the round in flight. Nothing is lost if that takes too long: the round is played again.

        A round that waits for a person is left where it is, and goes on from there at the next start.
        """
        if self._run is None or self._loop is None or not self._thread.is_alive():
            return
        asks = self._prepared.mode.person_approves
        with suppress(RuntimeError):  # it came to its end in this very moment
            self._loop.call_soon_threadsafe(self._run.stop)
            self._thread.join(min(_PEOPLE_S, timeout_s) if asks else timeout_s)
            if asks and self._playing is not None:
                self._loop.call_soon_threadsafe(self._playing.cancel)
                self._thread.join(timeout_s)

    def _main(self) -> None:
        try:
            asyncio.run(self._play())
        except asyncio.CancelledError:
            log.info("the season was left while it waited for a person; it goes on at the next start")
        except TradefloorError as error:
            log.error("the season stopped: %s", error)
            self._floor.fail(str(error))
        except Exception:  # the job runner's border: the page must say that the season died, whatever the reason
            log.exception("the season stopped on an error of ours")
            self._floor.fail("The season stopped on an internal error; the log has the details.")

    async def _play(self) -> None:
        self._loop, self._playing = asyncio.get_running_loop(), asyncio.current_task()
        folder = wiring.open_run(self._prepared, self._settings, even_halted=True)
        reporter: Reporter | None = None

        def watch(engine: Engine, _journal: Journal, telemetry: Telemetry) -> wiring.OnRound:
            nonlocal reporter
            reporter = Reporter(self._floor, engine, telemetry, home=self._settings.home)
            return reporter.on_round

        async with wiring.season_run(
            self._prepared,
            folder,
            self._settings,
            watch=watch,
            on_seated=self._reception.seat if self._reception is not None else None,
            on_decided=self._meters.count if self._meters is not None else None,
            round_s=self._round_s,
            warmup_rounds=self._warmup_rounds,
        ) as playable:
            assert reporter is not None, "season_run calls watch before it yields"
            self._run = reporter.run = playable.run
            reporter.publish("starting")
            ending = await playable.play()
            await reporter.finish(ending.value)
        if self._reception is not None:
            await playable.run.stopped()  # until then the desks of a season that is over can still be asked
