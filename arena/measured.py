"""Whose risk is measured: an account, its prices and its candles, from a run or from a positions file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from arena.candles import Lookback, candle_paths, look_back, look_back_in_season
from arena.holdings import Account, read_positions, run_holdings, value_positions
from arena.options import HeldOption, underlying_symbols, valued_options
from arena.refusal import one_line
from arena.seasons.rules import Market, Season, SeasonRules
from arena.settings import CONFIG, Settings
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import duration_ms, parse_instant, to_ms
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.money import decimal_from_float, money_text
from trading.risk.report import Book
from trading.storage.runs import RunFolder, Runs
from trading.venues.simulated.costs import venue_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose risk, seen from when, on which candles: what both verbs are asked.

    ``proposal`` are changes of positions (base units) to be measured beside what is held.
    """

    run: str | None
    positions: Path | None
    data: Sequence[str]
    at: str | None
    lookback: str
    home: Path | None
    data_root: Path | None
    proposal: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An account with the candles it is measured on. ``desks`` are a run's, none for a file.

    ``look_back`` reads the same candles over another length of time, in milliseconds; ``options`` are a file's,
    ``underlyings`` the spot pair of each coin that they are on.
    """

    name: str
    account: Account
    desks: Mapping[str, Account]
    prices: Mapping[str, Decimal]
    maintenance: Mapping[str, float]
    seen: Lookback
    look_back: Callable[[int], Lookback]
    options: Sequence[HeldOption] = ()
    underlyings: Mapping[str, str] = field(default_factory=dict)
    run: RunFolder | None = None

    def book(self, account: Account) -> Book:
        """``account`` as weights of the whole's equity. Options stand in the whole by their delta."""
        quantities = {symbol: float(quantity) for symbol, quantity in account.quantities.items() if quantity}
        if account is self.account:
            for held in self.options:
                symbol = self.underlyings[held.option.base]
                quantities[symbol] = quantities.get(symbol, 0.0) + held.greeks.delta
        equity = float(self.account.equity)
        return Book(
            weights={symbol: held * float(self.prices[symbol]) / equity for symbol, held in quantities.items()},
            quantities=quantities,
            maintenance=self.maintenance,
        )


def measure(question: Question) -> Measured:
    """The account and candles of a question. Raises RequestError, in one line, for what cannot be measured."""
    if (question.run is None) == (question.positions is None):
        found = "neither" if question.run is None else "both"
        raise RequestError(f"found {found} of a run and --positions FILE, expected one of them")
    settings = Settings.load({"home": question.home, "data_root": question.data_root})
    at_ms = None if question.at is None else to_ms(parse_instant(question.at))
    lookback_ms = duration_ms(question.lookback)
    if question.positions is not None:
        measured = _measured_file(question, question.positions, settings, at_ms, lookback_ms)
    else:
        run = Runs(settings.home).get(question.run or "")
        measured = _measured_run(question, run, settings, at_ms, lookback_ms)
    if measured.account.equity <= 0:
        raise RequestError(
            f"{measured.name}: equity is {money_text(measured.account.equity)}, so nothing can be a fraction of it"
        )
    return measured


def _measured_file(question: Question, path: Path, settings: Settings, at_ms: int | None, lookback_ms: int) -> Measured:
    file = read_positions(path)
    symbols = list(dict.fromkeys((*(held.instrument for held in file.positions), *question.proposal)))
    underlyings = underlying_symbols(file)
    if not symbols and not underlyings:
        raise RequestError(f"{path}: no positions, expected at least one")
    wanted = list(dict.fromkeys((*symbols, *underlyings.values())))
    paths = candle_paths(question.data, settings)
    seen = look_back(paths, wanted, at_ms=at_ms, lookback_ms=lookback_ms)
    prices = {symbol: decimal_from_float(float(bars.close[-1])) for symbol, bars in seen.bars.items()}
    options = valued_options(file, prices, seen.as_of_ms)
    margin = float(venue_facts(CONFIG / "venues.toml")["perp"]["maintenance_margin"])
    perps = [symbol for symbol in symbols if parse_symbol(symbol)[2] is InstrumentKind.PERP]
    return Measured(
        name=str(path),
        account=value_positions(file, prices, options),
        desks={},
        prices=prices,
        maintenance=dict.fromkeys(perps, margin),
        seen=seen,
        look_back=lambda length_ms: look_back(paths, wanted, at_ms=seen.as_of_ms, lookback_ms=length_ms),
        options=options,
        underlyings=underlyings,
    )


def _measured_run(
    question: Question, run: RunFolder, settings: Settings, at_ms: int | None, lookback_ms: int
) -> Measured:
    held = run_holdings(run.journal, at_ms)
    symbols = list(dict.fromkeys((*held.arena.quantities, *question.proposal))) or list(held.prices)[:1]
    strangers = [symbol for symbol in question.proposal if symbol not in held.prices]
    if strangers:
        raise RequestError(f"{strangers[0]} has no price in {run.run_id}; it knows {', '.join(held.prices)}")

    def seen_over(length_ms: int) -> Lookback:
        if question.data:
            paths = candle_paths(question.data, settings)
            return look_back(paths, symbols, at_ms=held.at_ms, lookback_ms=length_ms)
        season, market = season_and_market(run)
        return look_back_in_season(season, market, symbols, settings, at_ms=held.at_ms, lookback_ms=length_ms)

    return Measured(
        name=run.run_id,
        account=held.arena,
        desks=held.desks,
        prices=held.prices,
        maintenance={symbol: float(fraction) for symbol, fraction in held.maintenance.items()},
        seen=seen_over(lookback_ms),
        look_back=seen_over,
        run=run,
    )


def season_and_market(run: RunFolder) -> tuple[Season, Market]:
    """When a run's season is, and its market, as the run keeps them."""
    try:
        kept = run.manifest["rules"]
        season = {**kept["season"], "capital": Decimal(kept["season"]["capital"])}
        return Season.model_validate(season), Market.model_validate(kept["market"])
    except ValidationError as error:
        raise ConfigError(f"{run.path / 'run.json'}: {one_line(error, SeasonRules)}") from error
    except (KeyError, TypeError, ArithmeticError):
        raise ConfigError(f"{run.path / 'run.json'}: holds no rules of a season; name candles with --data") from None
