"""The one composition root: settings and season rules in, a season that is ready to play out."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from arena.registration import code_sha256, prompt_folder, prompt_hashes
from arena.seasons.budget_rules import BudgetRules
from arena.seasons.rules import Market, Season, SeasonRules
from arena.settings import CONFIG, Settings
from prompts import use_prompts
from trading.domain.decision import Decision
from trading.domain.errors import ConfigError, JournalError, RequestError, TradingHalted
from trading.domain.instants import duration_text, iso
from trading.engine import Engine, Entrant, Setup
from trading.marketdata import SimulationSpec, Tape, expand_paths, load_tape, simulate
from trading.marketdata.masking import draw_mask, masked_tape
from trading.risk import KillSwitch, LimitBoard, Limits, Mode, load_modes
from trading.risk.limit_bus import shared_limits
from trading.storage.journal import Journal, Telemetry, read_verified
from trading.storage.runs import RunFolder, Runs
from trading.venues.simulated import Costs, MarginRules, list_instruments
from trading.venues.simulated.costs import venue_facts

if TYPE_CHECKING:
    from arena.autonomous.paper import OpenMarket
    from arena.seasons.runner import Ending, OnSeated, SeasonRun
    from arena.seasons.spending import Spending
    from tools.context import ChampionForecasts
    from trading.forecasting.registry import Key

HISTORY_BARS = 1000
"""Bars before the season's start that are simulated, and that desks can look back on."""

RECORDED_HISTORY_BARS = 3200
"""The same for recorded candles: as many as every feature needs, the slowest of which look back on 3,072."""

DEADLINE_S = 120.0
"""How long a decision may take by the wall clock where a season does not say."""

OnRound = Callable[[int], None]
Watch = Callable[[Engine, Journal, Telemetry], OnRound]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A season of which everything that can be wrong has been checked; nothing was written yet."""

    rules: SeasonRules
    setup: Setup
    tape: Tape
    data_sha256: str
    limits: Limits
    costs: Costs
    mode: Mode
    champions: Mapping["Key", str]

    @property
    def content_sha256(self) -> str:
        """Identifies what is run: rules, data, limits, costs, prompts, and the trained models that may speak."""
        parts = (
            self.rules.rules_sha256,
            self.data_sha256,
            self.limits.model_dump_json(),
            self.costs.model_dump_json(exclude_defaults=True),
            self.mode.model_dump_json(),
            *(f"{one.desk}: {role}={sha256}" for one in self.setup.entrants for role, sha256 in one.prompts.items()),
            *sorted(f"{key}: {model_id}" for key, model_id in self.champions.items()),
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


def prepare(rules: SeasonRules, settings: Settings) -> Prepared:
    """Check rules, limits, costs, models and data, in this order, and load the market.

    Raises ConfigError or DataError, in one line, for the first thing that is wrong.
    """
    from agents.llm import check_model, is_rule_based, required_keys
    from arena.autonomous.latch import open_latch
    from arena.autonomous.paper import paper_instruments, paper_tape

    use_prompts(prompt_folder(settings))
    limits = Limits.load(CONFIG / "limits.toml").tightened(rules.limits)
    facts = venue_facts(CONFIG / "venues.toml")
    costs = Costs.from_mapping(facts["costs"], rules.costs.given())
    if rules.season.thinking_ms:
        costs = costs.model_copy(update={"latency_ms": costs.latency_ms + rules.season.thinking_ms})
    mode = load_modes(CONFIG / "modes.toml").get(rules.season.mode)
    if mode is None:
        raise ConfigError(f"season.mode = {rules.season.mode!r}: config/modes.toml does not say what that is")
    for model in rules.every_model():
        if rules.cassette.mode == "replay":
            required_keys(model)  # it must be a model, but nobody will be asked
        else:
            check_model(model)
    strangers = sorted(set(limits.allowed_instruments) - set(rules.market.instruments))
    if strangers:
        raise ConfigError(f"[limits] allowed_instruments names {strangers[0]}, which the season does not trade")
    terms = open_latch(rules, settings, limits)
    if terms is not None:
        raise ConfigError("market.kind = 'live': no venue of this version takes real orders; use kind = 'paper'")
    streamed = rules.market.is_streamed
    tape = paper_tape(rules.market) if streamed else load_market(rules.season, rules.market, settings)
    shift_ms = 0
    if rules.market.mask is not None:
        if streamed:
            raise ConfigError(
                "market.mask hides recorded and simulated markets; a market that is followed has its own names"
            )
        mask = draw_mask(tape.symbols, rules.market.mask)
        tape, shift_ms = masked_tape(tape, mask), mask.shift_ms
        allowed = [mask.names[symbol] for symbol in limits.allowed_instruments]
        limits = limits.model_copy(update={"allowed_instruments": type(limits.allowed_instruments)(allowed)})
    start_ms = rules.season.start_ms + shift_ms
    if rules.season.every_ms % tape.step_ms:
        raise ConfigError(
            f"season.every = {rules.season.every!r}: the data has bars of {duration_text(tape.step_ms)}; "
            "a round must be a whole number of bars"
        )
    entrants = tuple(
        Entrant(
            desk=desk.name,
            kind=("person" if desk.person else "rule-based" if all(map(is_rule_based, desk.every_model())) else "llm"),
            models=desk.names_by_role(),
            prompts=prompt_hashes(desk.prompts_by_role()),
        )
        for desk in rules.desks
    )
    setup = Setup(
        season=rules.season.name,
        seed=rules.season.seed,
        start_ms=start_ms,
        end_ms=rules.season.end_ms + shift_ms,
        every_ms=rules.season.every_ms,
        capital=rules.season.capital,
        mode=rules.season.mode,
        source=tape.source,
        rules_sha256=rules.rules_sha256,
        entrants=entrants,
        instruments=(
            paper_instruments(rules, settings, facts) if streamed else list_instruments(tape, start_ms, facts)
        ),
        code_sha256=code_sha256(),
    )
    return Prepared(
        rules=rules,
        setup=setup,
        tape=tape,
        data_sha256=tape.sha256,
        limits=limits,
        costs=costs,
        mode=mode,
        champions=_champions(settings.home, tape, start_ms),
    )


def load_market(season: Season, market: Market, settings: Settings) -> Tape:
    """The season's tape: recorded candles from the data folder, or a simulation from its seed."""
    if market.step_ms is not None:
        history_ms = HISTORY_BARS * market.step_ms
        return simulate(
            SimulationSpec(
                symbols=market.instruments,
                start_ms=season.start_ms - history_ms,
                end_ms=season.end_ms,
                step_ms=market.step_ms,
                seed=season.seed,
            )
        )
    root = data_root(settings)
    return load_tape(
        expand_paths(market.paths, root),
        expand_paths(market.funding, root),
        market.instruments,
        season.start_ms,
        season.end_ms,
        history_bars=RECORDED_HISTORY_BARS,
    )


def _champions(home: Path, tape: Tape, start_ms: int) -> dict["Key", str]:
    """The champions that may speak from the season's first round on. Looking costs nothing where none was trained."""
    if not (home / "models" / "registry.sqlite").is_file():
        return {}
    from trading.forecasting.serving import champions_of

    found = champions_of(home, before_ms=start_ms)
    return {
        key: model for key, model in found.items() if key.instrument in tape.symbols and key.step_ms == tape.step_ms
    }


def data_root(settings: Settings) -> Path:
    """Where candle files are looked for: ``--data-root``, ``TRADEFLOOR_DATA``, or the store under the home folder."""
    return settings.data_root or settings.home / "data"


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
    return Runs(settings.home).open(prepared.setup.season, prepared.content_sha256, manifest)


def _open_champions(home: Path, pinned: Mapping["Key", str]) -> "ChampionForecasts | None":
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


def _spending(prepared: Prepared) -> "Spending | None":
    """What follows the season's budgets, None where it has none."""
    rules = prepared.rules
    if not rules.budget and not any(desk.limited for desk in rules.desks):
        return None
    from arena.seasons.spending import Spending

    llm = [entrant.desk for entrant in prepared.setup.entrants if entrant.kind == "llm"]
    return Spending(rules.budget or BudgetRules(), rules.desks, llm)


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
) -> AsyncIterator["Playable"]:
    """A run that stands where its journal left it, and closes its files on leaving.

    ``watch`` is given engine, journal and telemetry before anything is restored, and answers with a function that is
    called after every round. ``on_seated`` is called with the desks and their seats when a round is open,
    ``on_decided`` with every decision. ``approve_all`` asks nobody and approves every proposal. ``open_market`` opens
    what a season on a followed market trades on, in the place of its exchange.
    """
    from agents.brief import Costs as StatedCosts
    from agents.brief import RoundBrief
    from arena.autonomous.paper import exchange_market
    from arena.memories import open_memory
    from arena.seasons import guarding
    from arena.seasons.looking_back import LookingBack
    from arena.seasons.own_record import OwnRecords
    from arena.seasons.remembering import Place
    from arena.seasons.road import open_road
    from arena.seasons.runner import Pace, SeasonRun
    from arena.seasons.teams import reflectors_of, spare_teams_of, teams_of
    from arena.tickets import TicketBoard, TicketTaker
    from graphs import DeskGraph, open_checkpoints
    from trading.risk.alerts import AlertWatch

    rules = prepared.rules
    teams = teams_of(rules)
    spending = _spending(prepared)
    brief = RoundBrief(
        costs=StatedCosts(
            taker_fee_bps=float(prepared.costs.taker_fee_bps),
            maker_fee_bps=float(prepared.costs.maker_fee_bps),
            slippage_bps=float(prepared.costs.slippage_bps),
            latency_ms=prepared.costs.latency_ms,
        ),
        mode=prepared.setup.mode,
        timeframe=duration_text(prepared.tape.step_ms),
        every=duration_text(prepared.setup.every_ms),
        instruments=tuple(prepared.setup.instruments),
        deadline_s=rules.season.deadline_s or DEADLINE_S,
    )
    replays = rules.cassette.mode == "replay"
    cassette = find_recording(prepared, settings) if replays else rules.cassette.path or folder.cassette
    try:
        async with AsyncExitStack() as files:
            journal = files.enter_context(closing(Journal(folder.journal)))
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
                stops=None if rules.stops is None else rules.stops.rules(),
                watcher=guarding.market_watch(rules),
            )
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
            run = SeasonRun(
                run_id=folder.run_id,
                engine=engine,
                journal=journal,
                telemetry=telemetry,
                teams=teams,
                brief=brief,
                on_round=on_round,
                pace=Pace(round_s=round_s, warmup_rounds=warmup_rounds),
                memory=memory,
                spending=spending,
                spare_teams=spare_teams_of(rules),
                own_records=own_records,
                champions=_open_champions(settings.home, prepared.champions),
                on_seated=on_seated,
                on_decided=on_decided,
                approver=(
                    guarding.approver(rules, folder.run_id, settings.home, cassette, approve_all=approve_all)
                    if prepared.mode.person_approves
                    else None
                ),
                market=market,
                tickets=tickets,
            )
            next_round = iso(prepared.setup.round_ms(engine.rounds_closed))
            with open_checkpoints(folder.checkpoints) as checkpoints:
                async with open_road(rules, cassette, spending, next_round=next_round) as road:
                    graph = DeskGraph(checkpoints, "exit", road)
                    looking_back = LookingBack(reflectors, road) if reflectors else None
                    yield Playable(run=run, play=partial(run.play, graph, checkpoints, looking_back=looking_back))
    except sqlite3.Error as error:  # the journal speaks for itself; what is left are telemetry and checkpoints
        raise JournalError(
            f"{folder.path}: {error}; free space, or remove the checkpoints and telemetry files if they are damaged: "
            "the run goes on without them"
        ) from error
