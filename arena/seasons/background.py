"""A season that plays beside the web app, in a thread with an event loop of its own."""

import asyncio
import logging
import threading
from contextlib import suppress

from agents.llm import close_connections
from arena import wiring
from arena.meters import Meters
from arena.seasons.live import LiveFloor, opening_snapshot
from arena.seasons.next_mode import Mode, NextModes
from arena.seasons.reception import Reception
from arena.seasons.reporter import Reporter
from arena.seasons.rules import SeasonRules
from arena.seasons.runner import Ending, SeasonRun
from arena.settings import Settings
from arena.tickets.counter import Counter
from arena.traces.transcripts import Transcripts
from trading.domain.errors import RequestError, TradefloorError
from trading.engine import Engine
from trading.storage.journal import Journal, Telemetry

log = logging.getLogger("tradefloor")

_PEOPLE_S = 3.0
"""Wall seconds that a season which asks people is given to end its round: it may wait for one of them for long."""


class BackgroundSeason:
    """Plays one season for viewers: fast through the first ``warmup_rounds``, then one round every ``round_s``.

    What is wrong with the season is raised by the constructor; what goes wrong later is shown on the floor. Its desks
    can be spoken to at the ``reception``, what they do is counted by the ``meters``, what their models say is taken
    down in the ``transcripts``, and people trade at the ``counter``.
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
        transcripts: Transcripts | None = None,
        counter: Counter | None = None,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._modes = NextModes(settings.home)
        self._prepared = self._prepare()
        self._floor = floor
        self._round_s = round_s
        self._warmup_rounds = warmup_rounds
        self._reception = reception
        self._meters = meters
        self._transcripts = transcripts
        self._counter = counter
        if counter is not None:
            counter.expect(self._prepared.setup)
        self._run: SeasonRun | None = None
        self._ending: Ending | None = None
        self._reset_reason: str | None = None
        self._stopped = False
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
        self._stopped = True
        if self._run is None or self._loop is None or not self._thread.is_alive():
            return
        asks = self._prepared.mode.person_approves
        with suppress(RuntimeError):  # it came to its end in this very moment
            self._loop.call_soon_threadsafe(self._run.stop)
            self._thread.join(min(_PEOPLE_S, timeout_s) if asks else timeout_s)
            if asks and self._playing is not None:
                self._loop.call_soon_threadsafe(self._playing.cancel)
                self._thread.join(timeout_s)

    @property
    def next_mode(self) -> Mode | None:
        """The mode chosen for the next run, where it is another than that of this one."""
        chosen = self._modes.of(self._rules)
        return None if chosen is None or chosen.mode == self._prepared.setup.mode else chosen.mode

    def choose_mode(self, mode: Mode, *, who: str, reason: str) -> None:
        """Let the next run be in ``mode``; the one that plays keeps its own.

        Raises RequestError for a season on a followed market, and where its rules do not allow the mode.
        """
        if self._prepared.rules.market.is_streamed:
            raise RequestError(
                "a season on a followed market has no next run, and the one that plays keeps its mode: start another "
                f"season with `tradefloor serve --season FILE --set season.mode={mode}`"
            )
        self._modes.choose(self._rules, mode, who=who, reason=reason)

    @property
    def can_reset(self) -> bool:
        """Whether the season can begin anew: its market is its own, and it is being played or came to its end."""
        plays = self._run is not None and self._thread.is_alive() and self._ending is not Ending.OUT_OF_BUDGET
        return plays and not self._prepared.rules.market.is_streamed

    def reset(self, reason: str) -> None:
        """End the run after the round in flight, for good, and play another one on the same rules.

        Raises RequestError for a season on a followed market, and for one that is not being played.
        """
        if self._prepared.rules.market.is_streamed:
            raise RequestError("a season on a followed market cannot begin anew: its past does not come again")
        if not self.can_reset or self._reset_reason is not None:
            raise RequestError("the season is not being played now, so it cannot begin anew: look at its status first")
        run, loop = self._run, self._loop
        assert run is not None, "can_reset looked"
        assert loop is not None, "it is being played on a loop"
        self._reset_reason = reason
        try:
            loop.call_soon_threadsafe(run.stop)
        except RuntimeError as error:  # it came to its end in this very moment
            self._reset_reason = None
            raise RequestError("the season has just ended: start the server again") from error

    @staticmethod
    def _showing(counter: Counter, on_round: wiring.OnRound) -> wiring.OnRound:
        """Shows the desks that are traded by hand before a snapshot can be published."""

        def after(index: int) -> None:
            counter.show()
            on_round(index)

        return after

    def _main(self) -> None:
        try:
            asyncio.run(self._play_on())
        except asyncio.CancelledError:
            log.info("the season was left while it waited for a person; it goes on at the next start")
        except TradefloorError as error:
            log.error("the season stopped: %s", error)
            self._floor.fail(str(error))
        except Exception:  # the job runner's border: the page must say that the season died, whatever the reason
            log.exception("the season stopped on an error of ours")
            self._floor.fail("The season stopped on an internal error; the log has the details.")

    async def _play_on(self) -> None:
        self._loop, self._playing = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await self._play()
            while self._reset_reason is not None and not self._stopped:
                self._run, self._ending, self._reset_reason = None, None, None
                self._prepared = self._prepare()
                if self._counter is not None:
                    self._counter.expect(self._prepared.setup)
                self._floor.publish(opening_snapshot(self._prepared.setup))
                await self._play()
        finally:
            await close_connections()  # conversations open some beside a season of rules too

    def _prepare(self) -> wiring.Prepared:
        """The season as it goes on: an unfinished run in its own mode, else a new one in the mode that was chosen."""
        for rules, run in self._modes.to_play(self._rules):
            prepared = wiring.prepare(rules, self._settings)
            if run is None or run.manifest.get("content_sha256") == prepared.content_sha256:
                return prepared
        raise AssertionError("the last rules to play are those of a new run")

    async def _play(self) -> None:
        folder = wiring.open_run(self._prepared, self._settings, even_halted=True)
        reporter: Reporter | None = None

        def watch(engine: Engine, _journal: Journal, telemetry: Telemetry) -> wiring.OnRound:
            nonlocal reporter
            reporter = Reporter(self._floor, engine, telemetry, home=self._settings.home)
            if self._counter is None:
                return reporter.on_round
            self._counter.attach(engine)
            return self._showing(self._counter, reporter.on_round)

        async with wiring.season_run(
            self._prepared,
            folder,
            self._settings,
            watch=watch,
            on_seated=self._reception.seat if self._reception is not None else None,
            on_decided=self._meters.count if self._meters is not None else None,
            listen=self._transcripts.listen if self._transcripts is not None else None,
            round_s=self._round_s,
            warmup_rounds=self._warmup_rounds,
        ) as playable:
            assert reporter is not None, "season_run calls watch before it yields"
            self._run = reporter.run = playable.run
            reporter.publish("starting")
            ending = await playable.play()
            if ending is Ending.INTERRUPTED and self._reset_reason is not None:
                playable.run.end_early(self._reset_reason)
            await reporter.finish(ending.value)
        self._ending = ending
        if self._reception is not None:
            await playable.run.stopped()  # until then the desks of a season that is over can still be asked
