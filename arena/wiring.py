"""The one composition root: settings and season rules in, a season that is ready to play out."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from arena import collecting
from arena.preparing import (
    HISTORY_BARS,
    RECORDED_HISTORY_BARS,
    Prepared,
    champions_for,
    data_root,
    load_market,
    prepare,
)
from arena.seasons.rules import SeasonRules
from arena.settings import CONFIG, Settings
from trading.domain.decision import Decision
from trading.domain.errors import ConfigError, JournalError, RequestError, TradingHalted
from trading.domain.instants import iso
from trading.engine import Engine
from trading.risk import KillSwitch, LimitBoard, Limits
from trading.risk.limit_bus import shared_limits
from trading.storage.journal import Journal, Telemetry, read_verified
from trading.storage.runs import RunFolder, Runs
from trading.venues.simulated import MarginRules

if TYPE_CHECKING:
    from agents.llm import Complete
    from arena.autonomous.live import LiveTrading
    from arena.autonomous.paper import OpenMarket
    from arena.seasons.runner import Ending, OnSeated, SeasonRun
    from tools.context import ChampionForecasts
    from trading.forecasting.registry import Key

__all__ = [
    "DEADLINE_S",
    "HISTORY_BARS",
    "RECORDED_HISTORY_BARS",
    "OnRound",
    "Playable",
    "Prepared",
    "Watch",
    "champions_for",
    "check_rehearsal",
    "data_root",
    "find_recording",
    "live_limits",
    "load_market",
    "open_run",
    "prepare",
    "season_run",
]

DEADLINE_S = 120.0
"""How long a decision may take by the wall clock where a season does not say."""

OnRound = Callable[[int], None]
Watch = Callable[[Engine, Journal, Telemetry], OnRound]


def open_run(prepared: Prepared, settings: Settings, *, even_halted: bool = False) -> RunFolder:
    """The folder of this season's unfinished run, or of a new one.

    Raises TradingHalted while everything is halted, unless ``even_halted``: a page can resume, a command cannot.
    """
    _claim_home(settings.home)
    if prepared.rules.cassette.mode == "replay":
        find_recording(prepared, settings)
    halt = KillSwitch(settings.home).state()
    if halt is not None and not even_halted:
        raise TradingHalted(f"trading is halted: {halt.reason}; `tradefloor resume --reason ...` lets it go on")
    manifest = {
        "rules": prepared.rules.model_dump(mode="json", by_alias=True),
        "rules_sha256": prepared.rules.rules_sha256,
        "data_sha256": prepared.data_sha256,
        "market": prepared.tape.source,
    }
    if prepared.sources:
        manifest["sources"] = list(prepared.sources.digests)
    return Runs(settings.home).open(prepared.setup.season, prepared.content_sha256, manifest)


def open_champions(home: Path, pinned: Mapping["Key", str]) -> "ChampionForecasts | None":
    """The models that were pinned, ready to speak; None for none."""
    if not pinned:
        return None
    from trading.forecasting.serving import Champions

    return Champions(home, pinned=pinned)


def find_recording(prepared: Prepared, settings: Settings) -> Path:
    """The cassette to replay: the one that is named, else that of the last run of the same content.

    Raises ConfigError when there is none.
    """
    named = prepared.rules.cassette.path
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"cassette {named}: no such file, so there is nothing to replay; name another one")
        return named
    runs = [run for run in Runs(settings.home).all() if run.manifest.get("content_sha256") == prepared.content_sha256]
    recorded = [run.cassette for run in runs if run.cassette.is_file()]
    if not recorded:
        raise ConfigError(
            f"--cassette replay: no run of this season under {settings.home} was recorded; name a file with replay:PATH"
        )
    return recorded[-1]


def live_limits(settings: Settings) -> AbstractContextManager[LimitBoard]:
    """The live limits of this home folder, shared over Redis where one is set."""
    board = LimitBoard(settings.home, Limits.load(CONFIG / "limits.toml"))
    url = settings.redis_url
    return shared_limits(board, None if url is None else url.get_secret_value())


def _claim_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"home {str(home)!r}: cannot be made ({error.strerror}), expected a folder to write in; "
            "name one with --home or TRADEFLOOR_HOME"
        ) from error


def _margin(rules: SeasonRules) -> MarginRules | None:
    return None if rules.margin is None else MarginRules.from_mapping(rules.margin.model_dump())


def check_rehearsal(prepared: Prepared) -> None:
    """Raise RequestError where ``--approve all`` makes no sense, or would send real orders that nobody has seen."""
    if not prepared.mode.person_approves:
        raise RequestError(f"--approve all: nobody is asked in mode {prepared.setup.mode!r}; leave it out")
    if prepared.tape.source not in ("simulated", "replay"):
        raise RequestError("--approve all: rehearsals are for simulated and recorded markets; here a person approves")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playable:
    """A run and the call that plays it to its end."""

    run: "SeasonRun"
    play: "Callable[[], Awaitable[Ending]]"


@asynccontextmanager
async def season_run(
    prepared: Prepared,
    folder: RunFolder,
    settings: Settings,
    *,
    watch: Watch | None = None,
    on_seated: "OnSeated | None" = None,
    on_decided: Callable[[Decision], None] | None = None,
    round_s: float = 0.0,
    warmup_rounds: int = 0,
    approve_all: bool = False,
    open_market: "OpenMarket | None" = None,
    live: "LiveTrading | None" = None,
    listen: Callable[["Complete"], "Complete"] | None = None,
) -> AsyncIterator["Playable"]:
    """A run that stands where its journal left it, and closes its files on leaving.

    ``watch`` is given engine, journal and telemetry before anything is restored, and answers with a function that is
    called after every round. ``on_seated`` is called with the desks and their seats when a round is open,
    ``on_decided`` with every decision. ``approve_all`` asks nobody and approves every proposal. ``open_market`` opens
    what a season on a followed market trades on, in the place of its exchange. ``live`` carries the orders of a live
    season. ``listen`` is given the road to the models and answers with the one that is taken.

    Raises RequestError for a live season without ``live``.
    """
    from arena.autonomous.paper import exchange_market, paper_books
    from arena.memories import open_memory
    from arena.seasons import guarding
    from arena.seasons.looking_back import LookingBack
    from arena.seasons.own_record import OwnRecords
    from arena.seasons.remembering import Place
    from arena.seasons.road import open_road
    from arena.seasons.runner import Pace, SeasonRun
    from arena.seasons.seating import brief_of
    from arena.seasons.spending import spending_of
    from arena.seasons.teams import reflectors_of, spare_teams_of, teams_of
    from arena.tickets import TicketBoard, TicketTaker
    from graphs import DeskGraph, open_checkpoints
    from trading.risk.alerts import AlertWatch

    rules = prepared.rules
    if (prepared.live is None) != (live is None):
        raise RequestError("a live season is played by `tradefloor run` alone, which watches over it")
    teams = teams_of(rules)
    spending = spending_of(rules, prepared.setup.entrants)
    replays = rules.cassette.mode == "replay"
    cassette = find_recording(prepared, settings) if replays else rules.cassette.path or folder.cassette
    try:
        async with AsyncExitStack() as files:
            journal = files.enter_context(closing(Journal(folder.journal, fsync=live is not None)))
            telemetry = files.enter_context(closing(Telemetry(folder.telemetry)))
            board = files.enter_context(live_limits(settings))
            engine = Engine(
                setup=prepared.setup,
                tape=prepared.tape,
                limits=prepared.limits,
                costs=prepared.costs,
                journal=journal,
                kill_switch=KillSwitch(settings.home),
                run_id=folder.run_id,
                mode=prepared.mode,
                board=board,
                margin=_margin(rules),
                books=paper_books(rules.market) or prepared.books,
                stops=None if rules.stops is None else rules.stops.rules(),
                watcher=guarding.market_watch(rules),
                dispatch=None if live is None else live.dispatcher,
            )
            for fold in () if live is None else live.folds:
                engine.watch(fold)
            if spending is not None:
                engine.watch(spending)
            own_records = OwnRecords() if any(team.shows_record for team in teams) else None
            if own_records is not None:
                engine.watch(own_records)
            place = Place(journal)
            reflectors = reflectors_of(rules)
            memory = open_memory(prepared, folder, place, settings, files, reflecting=frozenset(reflectors))
            if memory is not None:
                engine.watch(memory)
            tickets = None
            if rules.by_hand:
                tickets = TicketTaker(
                    engine=engine, board=TicketBoard(settings.home), run_id=folder.run_id, desks=rules.by_hand
                )
                engine.watch(tickets.outcomes)
            alerts, patterns = guarding.alert_desk(rules, settings), guarding.surveillance(rules, prepared.tape.source)
            if patterns is not None:
                engine.watch(patterns)
            on_round = watch(engine, journal, telemetry) if watch is not None else None
            engine.restore(place.following(read_verified(folder.journal)))
            if tickets is not None:
                tickets.tell()
            if alerts is not None:
                engine.watch(AlertWatch(folder.run_id, alerts, patterns))
            market = None
            if rules.market.is_streamed:
                follow = open_market or exchange_market(rules, settings)
                market = await files.enter_async_context(follow(engine, journal))
            if live is not None:
                await files.enter_async_context(live.opened(engine, journal))
            run = SeasonRun(
                run_id=folder.run_id,
                engine=engine,
                journal=journal,
                telemetry=telemetry,
                teams=teams,
                brief=brief_of(engine, prepared.costs, deadline_s=rules.season.deadline_s or DEADLINE_S),
                on_round=on_round,
                pace=Pace(round_s=round_s, warmup_rounds=warmup_rounds),
                memory=memory,
                spending=spending,
                spare_teams=spare_teams_of(rules),
                own_records=own_records,
                champions=open_champions(settings.home, prepared.champions),
                on_seated=on_seated,
                on_decided=on_decided,
                approver=(
                    guarding.approver(rules, folder.run_id, settings.home, cassette, approve_all=approve_all)
                    if prepared.mode.person_approves
                    else None
                ),
                market=market,
                live=live,
                tickets=tickets,
                books=prepared.books,
            )
            next_round = iso(prepared.setup.round_ms(engine.rounds_closed))
            with open_checkpoints(folder.checkpoints) as checkpoints:
                async with open_road(rules, cassette, spending, next_round=next_round) as road:
                    graph = DeskGraph(checkpoints, "exit", road if listen is None else listen(road))
                    looking_back = LookingBack(reflectors, road) if reflectors else None
                    collecting.settle()
                    yield Playable(run=run, play=partial(run.play, graph, checkpoints, looking_back=looking_back))
    except sqlite3.Error as error:  # the journal speaks for itself; what is left are telemetry and checkpoints
        raise JournalError(
            f"{folder.path}: {error}; free space, or remove the checkpoints and telemetry files if they are damaged: "
            "the run goes on without them"
        ) from error
