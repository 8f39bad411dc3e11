"""Playing a season alone: nobody watches, so it is logged to files, supervised, and people are told what they must."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from agents.llm.runtime import litellm_module
from arena import wiring
from arena.autonomous.live import LiveManners, LiveTrading, Watchers
from arena.autonomous.logfile import logging_to
from arena.autonomous.notices import open_alerts
from arena.autonomous.paper import OpenMarket, exchange_market
from arena.autonomous.supervisor import Supervisor
from arena.autonomous.watchdog import Patience
from arena.seasons.runner import Ending, SeasonRun
from arena.settings import Settings
from trading.engine import Engine
from trading.execution.book_audit import audit_book_fills
from trading.ledger.audit import audit_journal
from trading.storage.journal import Journal, Telemetry
from trading.storage.runs import RunFolder

log = logging.getLogger("tradefloor")

OpenWatchedMarket = Callable[[Supervisor], OpenMarket]


@dataclass(frozen=True, slots=True, kw_only=True)
class AloneTerms:
    """What a test puts in the place of the usual: market, the watchdog's patience, and how live trading behaves."""

    open_market: OpenWatchedMarket | None = None
    patience: Patience | None = None
    live: LiveManners | None = None


async def play_alone(
    prepared: wiring.Prepared,
    folder: RunFolder,
    settings: Settings,
    *,
    on_started: Callable[[SeasonRun], None] = lambda _run: None,
    on_round: wiring.OnRound = lambda _index: None,
    approve_all: bool = False,
    terms: AloneTerms | None = None,
) -> Ending:
    """Play the season to its end or until it is told to stop; its books are checked when it starts and ends.

    Raises what a season raises, and ConfigError for alert addresses that are none.
    """
    terms = terms or AloneTerms()
    deadline_s = prepared.rules.season.deadline_s or wiring.DEADLINE_S
    supervisor = Supervisor(
        home=settings.home,
        folder=folder.path,
        run_id=folder.run_id,
        alerts=open_alerts(settings.home, settings.alert_urls),
        rounds=prepared.setup.rounds,
        instruments=len(prepared.setup.instruments),
        patience=terms.patience or _patience(prepared, deadline_s),
    )
    live = None
    if prepared.live is not None:
        watchers = Watchers(
            alarm=supervisor.alarm,
            halt=supervisor.halt,
            looked=supervisor.on_work,
            is_alive=lambda: supervisor.watchdog.is_live,
        )
        live = LiveTrading(prepared, settings, watchers, run_id=folder.run_id, manners=terms.live)
        litellm_module()  # its import takes seconds, in which a loop with real orders would hear nothing
    market: OpenMarket | None = None
    if terms.open_market is not None:
        market = terms.open_market(supervisor)
    elif prepared.rules.market.is_streamed:
        market = exchange_market(prepared.rules, settings, on_look=supervisor.on_look)

    def watch(_engine: Engine, _journal: Journal, _telemetry: Telemetry) -> wiring.OnRound:
        def closed(index: int) -> None:
            supervisor.on_round(index)
            on_round(index)

        return closed

    with logging_to(settings.home):
        _check_books(folder, supervisor)
        async with wiring.season_run(
            prepared,
            folder,
            settings,
            watch=watch,
            on_seated=supervisor.on_seated,
            open_market=market,
            live=live,
            approve_all=approve_all,
        ) as playable:
            if prepared.rules.alerts is None:  # with [alerts] the season watches for itself
                playable.run.engine.watch(supervisor.alert_watch())
            on_started(playable.run)
            log.info("%s: round %d of %d", folder.run_id, playable.run.engine.rounds_closed, prepared.setup.rounds)
            with supervisor.watching():
                try:
                    ending = await playable.play()
                except asyncio.CancelledError:
                    ending = Ending.INTERRUPTED
        _check_books(folder, supervisor)
        log.info("%s: %s", folder.run_id, ending.value)
    return ending


def _patience(prepared: wiring.Prepared, deadline_s: float) -> Patience:
    bar_s = prepared.tape.step_ms / 1000
    return Patience(desks_s=2 * deadline_s + 60, feed_s=max(180.0, 3 * min(bar_s, 300.0)))


def _check_books(folder: RunFolder, supervisor: Supervisor) -> None:
    """Derive every account again from the record. What does not agree halts the run before it trades on it."""
    if folder.journal.is_file():
        problem = audit_journal(folder.journal).problem or audit_book_fills(folder.journal).problem
        if problem is not None:
            supervisor.watchdog.failed(f"the books do not agree with the record: {problem}")
