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
from arena.seasons.rulefile import load_rules
from arena.seasons.runner import Ending, SeasonRun
from arena.seasons.standings import standings_document
from arena.settings import Settings
from arena.tracing import tracing
from trading.domain.errors import BudgetExceeded, TradingHalted
from trading.storage.runs import RunFolder


def run(
    path: Path,
    *,
    sets: Sequence[str],
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
    cassette: str | None = None,
) -> None:
    """Run the season of ``path``, or go on with its interrupted run."""
    settings = Settings.load({"home": home, "data_root": data_root})
    rules = load_rules(path, sets)
    if cassette is not None:
        rules = rules.model_copy(update={"cassette": CassetteRules.parse(cassette)})
    prepared = wiring.prepare(rules, settings)
    folder = wiring.open_run(prepared, settings)
    say(f"run {folder.run_id}: {prepared.setup.rounds} rounds on {_market_words(prepared)}")
    with tracing(settings):
        ending = asyncio.run(_play(prepared, folder, settings))
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
    return f"a simulated market: {names}" if prepared.tape.source == "simulated" else f"recorded candles: {names}"


async def _play(prepared: wiring.Prepared, folder: RunFolder, settings: Settings) -> Ending:
    with RoundProgress(prepared.setup.rounds) as progress:
        async with wiring.season_run(prepared, folder, settings, watch=lambda *_: progress.advance) as playable:
            progress.start(playable.run.engine.rounds_closed)
            _stop_on_signals(playable.run)
            try:
                return await playable.play()
            except asyncio.CancelledError:
                return Ending.INTERRUPTED


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
