"""Preparing a season: everything that can be wrong with it is checked, and its market loaded, before anything runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from arena.registration import code_sha256, prompt_folder, prompt_hashes
from arena.seasons.rules import Market, Season, SeasonRules
from arena.settings import CONFIG, Settings
from prompts import use_prompts
from trading.domain.errors import ConfigError
from trading.domain.instants import duration_text
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.engine import Entrant, Setup
from trading.marketdata import SimulationSpec, Tape, expand_paths, load_tape, simulate
from trading.marketdata.depth import BookTape
from trading.marketdata.masking import draw_mask, masked_tape
from trading.marketdata.recorded_books import load_books
from trading.risk import Limits, Mode, load_modes
from trading.sentiment import Sources, load_sources
from trading.venues.simulated import Costs, list_instruments
from trading.venues.simulated.costs import venue_facts

if TYPE_CHECKING:
    from arena.autonomous.latch import LiveTerms
    from trading.forecasting.registry import Key

HISTORY_BARS = 1000
"""Bars before the season's start that are simulated, and that desks can look back on."""

RECORDED_HISTORY_BARS = 3200
"""The same for recorded candles: as many as every feature needs, the slowest of which look back on 3,072."""


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
    live: "LiveTerms | None" = None
    books: Mapping[str, BookTape] = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources)

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
            *sorted(f"{symbol} book: {book.sha256}" for symbol, book in self.books.items()),
            *self.sources.digests,
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
        limits = _live_limits(rules, settings, terms)
    streamed = rules.market.is_streamed
    tape = paper_tape(rules.market) if streamed else load_market(rules.season, rules.market, settings)
    sources = recorded_sources(rules.season, rules.market, settings)
    tape = with_texts(tape, sources)
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
        champions=champions_for(settings.home, tape, start_ms),
        live=terms,
        books=recorded_books(rules.market, settings),
        sources=sources,
    )


def _live_limits(rules: SeasonRules, settings: Settings, terms: "LiveTerms") -> Limits:
    """The limits of a live season, no order above its cap. Its keys and the number of its desks are checked."""
    from arena.autonomous.live import account_spec

    if len(rules.desks) > 1:
        raise ConfigError(
            f"a live season has one desk, found {len(rules.desks)}: an account at an exchange has one position in an "
            "instrument, and nobody could say whose it is; give each desk a season and an account of its own"
        )
    account_spec(rules, settings)
    spot = [name for name in rules.market.instruments if parse_symbol(name)[2] is InstrumentKind.SPOT]
    if spot:
        raise ConfigError(
            f"market.instruments: {spot[0]} is spot, and a live season trades perpetuals: a spot exchange takes fees "
            "out of what was bought, and the accounts of desks are kept in one currency; use kind = 'paper'"
        )
    cap = min(terms.limits.max_order_value, terms.max_notional)
    return terms.limits.tightened({"max_order_value": cap})


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


def recorded_books(market: Market, settings: Settings) -> dict[str, BookTape]:
    """The recorded order books that a replay meets; none without ``market.books``."""
    return load_books(expand_paths(market.books, data_root(settings)), market.instruments) if market.books else {}


def recorded_sources(season: Season, market: Market, settings: Settings) -> Sources:
    """The recorded sentiment and news that a replay names. Raises DataError for files that are refused."""
    return load_sources(market.sentiment, market.news, data_root(settings), season.end_ms)


def with_texts(tape: Tape, sources: Sources) -> Tape:
    """``tape`` with the scores of what was written about its instruments; itself where there is none."""
    texts = sources.scores(tape.symbols)
    return replace(tape, texts=texts) if texts else tape


def champions_for(home: Path, tape: Tape, start_ms: int) -> dict["Key", str]:
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
