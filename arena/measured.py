"""Whose risk is measured: an account, its prices and its candles, from a run or from a positions file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from arena.candles import Lookback, candle_paths, look_back, look_back_in_season
from arena.holdings import Account, read_positions, run_holdings, value_positions
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
    """Whose risk, seen from when, on which candles: what both verbs are asked."""

    run: str | None
    positions: Path | None
    data: Sequence[str]
    at: str | None
    lookback: str
    home: Path | None
    data_root: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An account with the candles it is measured on. ``desks`` are a run's, none for a file."""

    name: str
    account: Account
    desks: Mapping[str, Account]
    prices: Mapping[str, Decimal]
    maintenance: Mapping[str, float]
    seen: Lookback

    def book(self, account: Account) -> Book:
        """``account`` as weights of the whole's equity."""
        quantities = {symbol: float(quantity) for symbol, quantity in account.quantities.items() if quantity}
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
        measured = _measured_file(question.positions, question.data, settings, at_ms, lookback_ms)
    else:
        run = Runs(settings.home).get(question.run or "")
        measured = _measured_run(run, question.data, settings, at_ms, lookback_ms)
    if measured.account.equity <= 0:
        raise RequestError(
            f"{measured.name}: equity is {money_text(measured.account.equity)}, so nothing can be a fraction of it"
        )
    return measured


def _measured_file(
    path: Path, data: Sequence[str], settings: Settings, at_ms: int | None, lookback_ms: int
) -> Measured:
    file = read_positions(path)
    symbols = [held.instrument for held in file.positions]
    if not symbols:
        raise RequestError(f"{path}: no positions, expected at least one")
    seen = look_back(candle_paths(data, settings), symbols, at_ms=at_ms, lookback_ms=lookback_ms)
    prices = {symbol: decimal_from_float(float(bars.close[-1])) for symbol, bars in seen.bars.items()}
    margin = float(venue_facts(CONFIG / "venues.toml")["perp"]["maintenance_margin"])
    perps = [symbol for symbol in symbols if parse_symbol(symbol)[2] is InstrumentKind.PERP]
    return Measured(
        name=str(path),
        account=value_positions(file, prices),
        desks={},
        prices=prices,
        maintenance=dict.fromkeys(perps, margin),
        seen=seen,
    )


def _measured_run(
    run: RunFolder, data: Sequence[str], settings: Settings, at_ms: int | None, lookback_ms: int
) -> Measured:
    held = run_holdings(run.journal, at_ms)
    symbols = list(held.arena.quantities) or list(held.prices)[:1]
    if data:
        seen = look_back(candle_paths(data, settings), symbols, at_ms=held.at_ms, lookback_ms=lookback_ms)
    else:
        season, market = _season(run)
        seen = look_back_in_season(season, market, symbols, settings, at_ms=held.at_ms, lookback_ms=lookback_ms)
    return Measured(
        name=run.run_id,
        account=held.arena,
        desks=held.desks,
        prices=held.prices,
        maintenance={symbol: float(fraction) for symbol, fraction in held.maintenance.items()},
        seen=seen,
    )


def _season(run: RunFolder) -> tuple[Season, Market]:
    """When a run's season is, and its market, as the run keeps them."""
    try:
        kept = run.manifest["rules"]
        season = {**kept["season"], "capital": Decimal(kept["season"]["capital"])}
        return Season.model_validate(season), Market.model_validate(kept["market"])
    except ValidationError as error:
        raise ConfigError(f"{run.path / 'run.json'}: {one_line(error, SeasonRules)}") from error
    except (KeyError, TypeError, ArithmeticError):
        raise ConfigError(f"{run.path / 'run.json'}: holds no rules of a season; name candles with --data") from None
