"""``tradefloor run``: a season to its end, with progress, and its standings."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from arena import wiring
from arena.commands.output import INTERRUPTED, print_json, say
from arena.commands.progress import RoundProgress
from arena.commands.standings import print_standings
from arena.seasons.cassette_rules import CassetteRules
from arena.seasons.memory_rules import parse_mode
from arena.seasons.rulefile import load_rules
from arena.seasons.runner import Ending, SeasonRun
from arena.seasons.standings import standings_document
from arena.settings import Settings
from arena.tracing import tracing
from trading.domain.errors import BudgetExceeded, RequestError, TradingHalted
from trading.storage.runs import RunFolder


def run(
    path: Path,
    *,
    sets: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
    cassette: str | None = None,
    memory: str | None = None,
    headless: bool = False,
    rehearse: bool = False,
    max_live_notional: str | None = None,
    approve: str | None = None,
) -> None:
    """Run the season of ``path``, or go on with its interrupted run."""
    settings = Settings.load({"home": home, "data_root": data_root, "max_live_notional": max_live_notional})
    rules = load_rules(path, sets)
    if approve not in (None, "all"):
        raise RequestError(f"--approve {approve!r}: expected all; one proposal is answered by `tradefloor approvals`")
    if cassette is not None:
        rules = rules.model_copy(update={"cassette": CassetteRules.parse(cassette)})
    if memory is not None:
        rules = rules.with_memory(parse_mode(memory))
    if rehearse:
        from arena.commands.rehearse import rehearse as show

        show(rules, settings, as_json=as_json)
        return
    prepared = wiring.prepare(rules, settings)
    if approve:
        wiring.check_rehearsal(prepared)
    if prepared.live is not None:
        from arena.autonomous.account_check import check_account

        check_account(prepared, settings)
    folder = wiring.open_run(prepared, settings)
    say(f"run {folder.run_id}: {prepared.setup.rounds} rounds on {_market_words(prepared)}")
    with tracing(settings):
        if headless or prepared.rules.market.is_streamed:
            ending = asyncio.run(_play_alone(prepared, folder, settings, approve_all=approve is not None))
        else:
            ending = asyncio.run(play(prepared, folder, settings, approve_all=approve is not None))
    if ending is Ending.INTERRUPTED:
        say(f"the same command goes on with {folder.run_id}")
        raise typer.Exit(INTERRUPTED)
    document = standings_document(folder)
    if as_json:
        print_json(document)
    else:
        print_standings(document)
    if document["halt_reason"]:
        raise TradingHalted(
            f"{folder.run_id} ended halted: {document['halt_reason']}; its standings count what was done before"
        )
    if document["budget_reason"]:
        raise BudgetExceeded(f"{folder.run_id}: {document['budget_reason']}; its standings count what was done before")


def _market_words(prepared: wiring.Prepared) -> str:
    names = ", ".join(prepared.tape.symbols)
    market = prepared.rules.market
    if prepared.live is not None:
        where = f"the testnet of {market.venue}" if market.testnet else f"{market.venue}, with real orders"
        return f"{where}, each worth {prepared.live.max_notional} at most: {names}"
    if market.is_streamed:
        return f"the live market of {market.venue}, with simulated fills: {names}"
    return f"a simulated market: {names}" if market.kind == "simulated" else f"recorded candles: {names}"


async def play(
    prepared: wiring.Prepared, folder: RunFolder, settings: Settings, *, approve_all: bool = False
) -> Ending:
    """Play a run to its end, with progress; the first signal ends it after the round in flight."""
    with RoundProgress(prepared.setup.rounds) as progress:
        season = wiring.season_run(
            prepared, folder, settings, watch=lambda *_: progress.advance, approve_all=approve_all
        )
        async with season as playable:
            progress.start(playable.run.engine.rounds_closed)
            _stop_on_signals(playable.run)
            try:
                return await playable.play()
            except asyncio.CancelledError:
                return Ending.INTERRUPTED


async def _play_alone(prepared: wiring.Prepared, folder: RunFolder, settings: Settings, *, approve_all: bool) -> Ending:
    from arena.autonomous.alone import play_alone

    with RoundProgress(prepared.setup.rounds) as progress:

        def started(run: SeasonRun) -> None:
            progress.start(run.engine.rounds_closed)
            _stop_on_signals(run)

        return await play_alone(
            prepared, folder, settings, on_started=started, on_round=progress.advance, approve_all=approve_all
        )


def _stop_on_signals(run: SeasonRun) -> None:
    """The first Ctrl-C or SIGTERM ends after the round in flight; a second one at once (the round is played again)."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if not run.stopping:
            say("stopping after this round; once more stops at once")
            run.stop()
        elif not task.cancelling():
            task.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        _handle(loop, name, stop)


def _handle(loop: asyncio.AbstractEventLoop, name: signal.Signals, stop: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(name, stop)
    except NotImplementedError:  # Windows has no such handlers in its loop
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop))
