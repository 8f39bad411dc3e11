"""Where a run stands, as its desks see it: the market at an instant, and a desk's account, limits and gate.

Everything follows from the run's folder. Nothing is sent, nothing is written, and no model is asked.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import takewhile
from typing import Any, cast

from arena.autonomous.paper import paper_tape
from arena.measured import season_and_market
from arena.memories import earlier_episodes, memory_rules
from arena.preparing import recorded_sources, with_texts
from arena.seasons.remembering import Place, SeasonMemory
from arena.settings import CONFIG, Settings
from arena.wiring import champions_for, load_market, open_champions
from tools.context import ChampionForecasts, ToolContext
from trading.domain.account import AccountView
from trading.domain.errors import BadArguments, RequestError
from trading.domain.event import Event, EventKind
from trading.domain.instrument import Instrument
from trading.domain.intent import TradeIntent
from trading.domain.money import ZERO
from trading.domain.verdict import Verdict
from trading.engine import Engine, Entrant, Setup
from trading.engine.round import Fold
from trading.ledger.ledger import instrument_from_row
from trading.marketdata import Tape, TapeView
from trading.marketdata.growing import GrowingTape
from trading.marketdata.masking import draw_mask, masked_tape
from trading.risk import KillSwitch, LimitBoard, Limits, LimitUse, load_modes
from trading.risk.kill_switch import Halt
from trading.sentiment import Sources
from trading.storage.journal import Journal, NullJournal, read_events
from trading.storage.journal.reader import last_seq
from trading.storage.runs import RunFolder
from trading.venues.simulated import Costs, MarginRules

__all__ = ["DeskStand", "Folded", "MarketStand", "folded", "sources_of"]

_GREW = (EventKind.TAPE_GREW.value, EventKind.FUNDING_TOLD.value)


class MarketStand:
    """The market of a run up to its newest round: what anybody could know then, and nothing later.

    Any thread may ask. Raises RequestError for a run without a round, and where its candles are no longer those that
    it was played on.
    """

    def __init__(self, folder: RunFolder, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._tape = _tape_of(folder, settings)
        self._grown_seq = 0
        self._lock = threading.Lock()
        self._memo: tuple[int, dict[str, object]] = (-1, {})
        self._champions = _champions(settings, self._tape, season_and_market(folder)[0].start_ms)

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self._tape.step_ms

    def context(self, newest_ms: int, as_of_ms: int | None, instruments: dict[str, Instrument]) -> ToolContext:
        """What tools that look at the market alone can reach: the view at ``as_of_ms``, no later than ``newest_ms``."""
        seen_ms = newest_ms if as_of_ms is None else min(as_of_ms, newest_ms)
        with self._lock:
            self._grow()
            if self._memo[0] != newest_ms:
                self._memo = (newest_ms, {})
            memo = self._memo[1] if seen_ms == newest_ms else {}
        nobody = AccountView(
            desk="", as_of_ms=seen_ms, quote="", cash=ZERO, positions={}, marks={}, equity=ZERO, peak_equity=ZERO,
            gross=ZERO, net=ZERO,
        )  # fmt: skip
        return ToolContext(
            view=TapeView(self._tape, seen_ms),
            account=nobody,
            instruments=instruments,
            limits=LimitUse(limits=Limits.load(CONFIG / "limits.toml"), account=nobody),
            preview=_nothing_proposed,
            round_index=0,
            champions=self._champions,
            memo=memo,
        )

    def _grow(self) -> None:
        if isinstance(self._tape, GrowingTape):
            for stored in read_events(self._folder.journal, after=self._grown_seq, kinds=_GREW):
                self._tape.apply(stored.event())
                self._grown_seq = stored.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A run read back: an engine with its last round reopened, which sends nothing, and what its desks can look up.

    ``opening`` is the first event's payload, ``seq`` the number of the last event that was taken in.
    """

    engine: Engine
    memory: SeasonMemory | None
    champions: ChampionForecasts | None
    opening: Mapping[str, Any]
    seq: int


def folded(
    folder: RunFolder,
    settings: Settings,
    *,
    board: LimitBoard | None = None,
    until: int | None = None,
    watching: Callable[[Setup], Iterable[Fold]] = lambda setup: (),
) -> Folded:
    """Fold the journal of a run, up to the event ``until`` where that is given.

    ``board`` are limits that hold now; without it those of the record hold. ``watching`` gives what else is to see
    every event. Raises RequestError for a run without a round, JournalError for a damaged one.
    """
    tape = _tape_of(folder, settings)
    opening = None
    if folder.journal.is_file():
        opening = next(read_events(folder.journal, kinds=(EventKind.SEASON_OPENED.value,)), None)
    if opening is None:
        raise RequestError(f"{folder.run_id} has no round on record yet: ask again in a moment, or name another run")
    facts = opening.event().payload
    rules = folder.manifest.get("rules", {})
    setup = _setup_of(facts)
    engine = Engine(
        setup=setup,
        tape=tape,
        limits=Limits.model_validate(facts["limits"]),
        costs=Costs.model_validate(facts["costs"]),
        journal=NullJournal(),
        mode=load_modes(CONFIG / "modes.toml").get(setup.mode),
        board=board,
        margin=MarginRules.from_mapping(rules["margin"]) if rules.get("margin") else None,
    )
    place = Place(cast(Journal, None))  # it is asked where it stands while it reads back, and never afterwards
    memory = _memory_of(folder, settings, setup, place)
    for fold in (*(() if memory is None else (memory,)), *watching(setup)):
        engine.watch(fold)
    last = _Last()
    events = takewhile(lambda stored: until is None or stored.seq <= until, read_events(folder.journal))
    engine.restore(place.following(last.passing(events)))
    if not engine.rounds_closed:
        raise RequestError(f"{folder.run_id} has no round on record yet: ask again in a moment, or name another run")
    engine.reopen()
    champions = _champions(settings, tape, setup.start_ms)
    return Folded(engine=engine, memory=memory, champions=champions, opening=facts, seq=last.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskStand:
    """The desks of a run after its newest round that was committed: what each could look at and propose then."""

    engine: Engine
    memory: SeasonMemory | None
    champions: ChampionForecasts | None
    seq: int
    halt: Halt | None
    memo: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: RunFolder, settings: Settings) -> "DeskStand":
        """Fold the run's journal. Raises RequestError for a run without a round, JournalError for a damaged one."""
        board = LimitBoard(settings.home, Limits.load(CONFIG / "limits.toml"))
        found = folded(folder, settings, board=board)
        engine = found.engine
        halt = KillSwitch(settings.home).state(folder.run_id)
        if halt is not None and not engine.halted:
            engine.breakers.apply(
                Event(ts_ms=engine.setup.start_ms, kind=EventKind.HALTED, payload={"reason": halt.reason})
            )
        return cls(engine=engine, memory=found.memory, champions=found.champions, seq=found.seq, halt=halt)

    def is_newest(self, folder: RunFolder, settings: Settings) -> bool:
        """Whether nothing was recorded since, and trading was neither halted nor resumed."""
        return newest_seq(folder) == self.seq and KillSwitch(settings.home).state(folder.run_id) == self.halt

    @property
    def desks(self) -> tuple[str, ...]:
        """Its desks, in the order they entered."""
        return tuple(entrant.desk for entrant in self.engine.setup.entrants)

    def context(self, desk: str) -> ToolContext:
        """What the tools of ``desk`` can reach. Raises RequestError for a stranger."""
        engine, opened = self.engine, self.engine.round
        assert opened is not None, "reopen() opened it"
        if desk not in self.desks:
            raise RequestError(f"there is no desk {desk[:80]!r}; the desks are {', '.join(self.desks)}")
        account = engine.account(desk)
        return ToolContext(
            view=opened.view,
            account=account,
            instruments=engine.setup.instruments,
            limits=LimitUse(limits=engine.limits, account=account),
            preview=partial(engine.preview, desk),
            round_index=opened.index,
            champions=self.champions,
            memory=self.memory.of(desk, opened.as_of_ms) if self.memory is not None else None,
            memo=self.memo,
        )


def newest_seq(folder: RunFolder) -> int:
    """The number of the last event of a run; 0 before its first."""
    return last_seq(folder.journal) if folder.journal.is_file() else 0


class _Last:
    """The number of the last event that passed."""

    def __init__(self) -> None:
        self.seq = 0

    def passing(self, events: Any) -> Any:
        for stored in events:
            self.seq = stored.seq
            yield stored


def _tape_of(folder: RunFolder, settings: Settings) -> Tape:
    season, market = season_and_market(folder)
    if market.is_streamed:
        return paper_tape(market)
    tape = with_texts(load_market(season, market, settings), sources_of(folder, settings))
    if market.mask is not None:
        tape = masked_tape(tape, draw_mask(tape.symbols, market.mask))
    played_on = folder.manifest.get("data_sha256")
    if played_on is not None and tape.sha256 != played_on:
        raise RequestError(
            f"{folder.run_id} was played on other candles than those that are there now: put them back, or name the "
            "folder they lie in with --data-root"
        )
    return tape


def sources_of(folder: RunFolder, settings: Settings) -> Sources:
    """The recorded sentiment and news of a run; empty where it names none.

    Raises RequestError where they are no longer those that it was played on, and DataError.
    """
    if not folder.manifest.get("sources"):
        return Sources()
    found = recorded_sources(*season_and_market(folder), settings)
    if list(found.digests) != folder.manifest["sources"]:
        raise RequestError(
            f"{folder.run_id} was played on other sentiment or news than lie there now: put them back, or name the "
            "folder they lie in with --data-root"
        )
    return found


def _setup_of(facts: Any) -> Setup:
    return Setup(
        season=facts["season"],
        seed=facts["seed"],
        start_ms=facts["start_ms"],
        end_ms=facts["end_ms"],
        every_ms=facts["every_ms"],
        capital=Decimal(facts["capital"]),
        mode=facts["mode"],
        source=facts["market"],
        rules_sha256=facts["rules_sha256"],
        entrants=tuple(
            Entrant(desk=row["desk"], kind=row["kind"], models=row["models"], prompts=row.get("prompts", {}))
            for row in facts["desks"]
        ),
        instruments={row["symbol"]: instrument_from_row(row) for row in facts["instruments"]},
    )


def _memory_of(folder: RunFolder, settings: Settings, setup: Setup, place: Place) -> SeasonMemory | None:
    """What desks remember follows from the journal alone; the store beside it is not opened."""
    rules = memory_rules(folder)
    if rules is None or rules.mode == "off":
        return None
    rows = folder.manifest["rules"].get("desk", ())
    return SeasonMemory(
        rules=rules,
        desks=frozenset(row["name"] for row in rows if row.get("memory", True) and not row.get("person")),
        seed=setup.seed,
        every_ms=setup.every_ms,
        place=place,
        earlier=earlier_episodes(rules, settings),
    )


def _champions(settings: Settings, tape: Tape, start_ms: int) -> ChampionForecasts | None:
    return open_champions(settings.home, champions_for(settings.home, tape, start_ms))


def _nothing_proposed(_: Sequence[TradeIntent]) -> Sequence[Verdict]:
    raise BadArguments("nothing can be proposed here")
