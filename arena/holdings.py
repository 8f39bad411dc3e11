"""What is held: by a run at an instant, from its journal, or as a positions file states it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from arena.refusal import one_line
from arena.seasons.fields import Symbol
from trading.domain.errors import ConfigError, RequestError
from trading.domain.event import EventKind
from trading.domain.instants import iso
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.money import ZERO
from trading.ledger import Ledger
from trading.ledger.marking import mark_account
from trading.storage.journal import read_verified

if TYPE_CHECKING:
    from arena.options import HeldOption

_HUGE = Decimal(10) ** 15


def _plain(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > _HUGE:
        raise ValueError(f"found {value}, expected a finite number within 10^15")
    return value


Amount = Annotated[Decimal, AfterValidator(_plain)]


class HeldPosition(BaseModel):
    """One position. ``entry_price`` matters for perpetuals only: without it they have no result yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument: Symbol
    quantity: Amount
    entry_price: Annotated[Amount, Field(gt=0)] | None = None


class OptionPosition(BaseModel):
    """One option, such as ``BTC-26DEC25-100000-C``. ``volatility`` is a year's, 0.45 for 45 %.

    ``forward`` is the price of the future that expires with it; without one, that of the coin is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    option: Annotated[str, Field(max_length=60)]
    quantity: Amount
    volatility: Annotated[Amount, Field(gt=0, le=10)]
    forward: Annotated[Amount, Field(gt=0)] | None = None


class PositionsFile(BaseModel):
    """``{"cash": "1000", "positions": [{"instrument": "BTC-USDT", "quantity": "0.5"}]}``, and ``options`` if any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cash: Amount
    positions: Annotated[tuple[HeldPosition, ...], Field(max_length=200)]
    options: Annotated[tuple[OptionPosition, ...], Field(max_length=200)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Equity in the quote currency, and base units held of each instrument."""

    equity: Decimal
    quantities: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHoldings:
    """The accounts of a run at ``at_ms``, and the prices and margins (of perpetuals) they were valued with."""

    at_ms: int
    desks: Mapping[str, Account]
    prices: Mapping[str, Decimal]
    maintenance: Mapping[str, Decimal]

    @property
    def arena(self) -> Account:
        """All desks together."""
        quantities: dict[str, Decimal] = {}
        for account in self.desks.values():
            for symbol, quantity in account.quantities.items():
                quantities[symbol] = quantities.get(symbol, ZERO) + quantity
        return Account(
            equity=sum((account.equity for account in self.desks.values()), ZERO),
            quantities=MappingProxyType(quantities),
        )


def read_positions(path: Path) -> PositionsFile:
    """The positions of a JSON file. Raises ConfigError in one line, which names the file and the key."""
    try:
        found = PositionsFile.model_validate(json.loads(path.read_text("utf-8"), parse_float=str))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file, expected a positions file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {one_line(error, PositionsFile)}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    names = [position.instrument for position in found.positions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{path}: {twice[0]} stands there more than once; expected one row an instrument")
    quotes = sorted({parse_symbol(name)[1] for name in names})
    if len(quotes) > 1:
        raise ConfigError(f"{path}: positions are quoted in {', '.join(quotes)}; expected one currency")
    return found


def value_positions(
    file: PositionsFile, prices: Mapping[str, Decimal], options: Sequence["HeldOption"] = ()
) -> Account:
    """The account of a positions file at ``prices``: spot counts in full, a perpetual by its result since entry.

    Options count at their model's value.
    """
    equity = file.cash + sum((held.value for held in options), ZERO)
    for held in file.positions:
        price = prices[held.instrument]
        if parse_symbol(held.instrument)[2] is InstrumentKind.PERP:
            equity += held.quantity * (price - (held.entry_price or price))
        else:
            equity += held.quantity * price
    return Account(
        equity=equity, quantities=MappingProxyType({held.instrument: held.quantity for held in file.positions})
    )


def run_holdings(journal: Path, at_ms: int | None) -> RunHoldings:
    """The accounts of a run after its last event, or its last one at or before ``at_ms``.

    Raises RequestError for an instant before the first prices, JournalError for a record that was touched.
    """
    ledger, prices, last_ms = Ledger(), dict[str, Decimal](), None
    for stored in read_verified(journal):
        event = stored.event()
        if at_ms is not None and event.ts_ms > at_ms and event.kind is not EventKind.SEASON_OPENED:
            break
        if event.kind in (EventKind.ROUND_OPENED, EventKind.QUIET):
            prices = {symbol: Decimal(price) for symbol, price in event.payload["prices"].items()}
            last_ms = event.ts_ms
        ledger.apply(event)
    if last_ms is None:
        when = "yet" if at_ms is None else f"at {iso(at_ms)}"
        raise RequestError(f"{journal.parent.name}: the run has no prices {when}; name a later time with --at")
    return RunHoldings(
        at_ms=last_ms if at_ms is None else at_ms,
        desks={
            desk: Account(
                equity=mark_account(account, prices, ledger.instruments).equity,
                quantities={symbol: position.quantity for symbol, position in account.positions.items()},
            )
            for desk, account in ledger.accounts.items()
        },
        prices=prices,
        maintenance={
            symbol: instrument.maintenance_margin
            for symbol, instrument in ledger.instruments.items()
            if instrument.is_perp
        },
    )
