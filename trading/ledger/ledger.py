"""Every account of a run, as a fold over its events: recovery, live running and audit apply the same function."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.domain.fill import Fill, Liquidity
from trading.domain.instrument import Instrument, InstrumentKind, MarginTier
from trading.domain.intent import Side
from trading.domain.money import EXACT, ZERO, money_text
from trading.ledger.account import DeskAccount, filled_position
from trading.ledger.book import Book, Posting, transfer

CAPITAL = "arena:capital"
MARKET = "venue:market"
FEES = "venue:fees"
RESULTS = "venue:results"
FUNDING = "venue:funding"
INTEREST = "venue:interest"
INSURANCE = "venue:insurance"


class Ledger:
    """Accounts of all desks and the double-entry book behind them.

    ``apply`` is the only way in. It ignores events that move nothing.
    """

    def __init__(self) -> None:
        self.book = Book()
        self._accounts: dict[str, DeskAccount] = {}
        self._instruments: dict[str, Instrument] = {}
        self._handlers: Mapping[EventKind, Callable[[Mapping[str, Any]], None]] = {
            EventKind.SEASON_OPENED: self._open,
            EventKind.DEPOSITED: self._deposit,
            EventKind.FILLED: self._fill,
            EventKind.FUNDED: self._fund,
            EventKind.BORROWED: self._borrow,
            EventKind.INSURED: self._insure,
            EventKind.CHARGED: self._charge,
            EventKind.MARKED: self._mark,
        }

    @property
    def accounts(self) -> Mapping[str, DeskAccount]:
        """Account of each desk, in the order they joined."""
        return MappingProxyType(self._accounts)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What the run trades, as declared when it opened."""
        return MappingProxyType(self._instruments)

    def apply(self, event: Event) -> None:
        """Take an event in. Raises JournalError when it contradicts what came before."""
        handler = self._handlers.get(event.kind)
        if handler is not None:
            with localcontext(EXACT):
                handler(event.payload)

    def _open(self, payload: Mapping[str, Any]) -> None:
        for row in payload["instruments"]:
            instrument = instrument_from_row(row)
            self._instruments[instrument.symbol] = instrument
        for desk in payload["desks"]:
            self._accounts[desk["desk"]] = DeskAccount(desk=desk["desk"], quote=payload["quote"])

    def _account(self, desk: str) -> DeskAccount:
        try:
            return self._accounts[desk]
        except KeyError:
            raise JournalError(f"an event names desk {desk!r}, which the season did not open with") from None

    def _deposit(self, payload: Mapping[str, Any]) -> None:
        account = self._account(payload["desk"])
        amount = Decimal(payload["amount"])
        self.book.post(transfer(CAPITAL, cash_of(account.desk), account.quote, amount))
        account.cash += amount
        account.deposited += amount
        account.peak_equity += amount

    def _fill(self, payload: Mapping[str, Any]) -> None:
        fill = fill_from_payload(payload)
        account = self._account(fill.desk)
        instrument = self._instruments[fill.instrument]
        held = replace(fill, quantity=fill.quantity - fill.side.sign * _fee_in_kind(payload, instrument))
        position, realised = filled_position(account.position(fill.instrument), held)
        signed = held.side.sign * held.quantity
        cash, quote = cash_of(fill.desk), account.quote
        postings: list[Posting] = [*transfer(cash, FEES, quote, fill.fee)]
        postings += transfer(MARKET, f"desk:{fill.desk}:position", fill.instrument, signed)
        paid = -realised if instrument.is_perp else signed * fill.price
        postings += transfer(cash, RESULTS if instrument.is_perp else MARKET, quote, paid)
        self.book.post(postings)
        account.cash -= paid + fill.fee
        account.hold(position)
        account.realised += realised
        account.fees += fill.fee
        account.turnover += fill.notional
        account.fills += 1

    def _fund(self, payload: Mapping[str, Any]) -> None:
        account = self._account(payload["desk"])
        paid = Decimal(payload["paid"])
        self.book.post(transfer(cash_of(account.desk), FUNDING, account.quote, paid))
        account.cash -= paid
        account.funding += paid

    def _borrow(self, payload: Mapping[str, Any]) -> None:
        account = self._account(payload["desk"])
        paid = Decimal(payload["paid"])
        self.book.post(transfer(cash_of(account.desk), INTEREST, account.quote, paid))
        account.cash -= paid
        account.interest += paid

    def _insure(self, payload: Mapping[str, Any]) -> None:
        account = self._account(payload["desk"])
        amount = Decimal(payload["amount"])
        self.book.post(transfer(INSURANCE, cash_of(account.desk), account.quote, amount))
        account.cash += amount

    def _charge(self, payload: Mapping[str, Any]) -> None:
        account = self._account(payload["desk"])
        paid = Decimal(payload["paid"])
        self.book.post(transfer(cash_of(account.desk), FEES, account.quote, paid))
        account.cash -= paid
        account.fees += paid

    def _mark(self, payload: Mapping[str, Any]) -> None:
        for desk, mark in payload["desks"].items():
            account = self._account(desk)
            account.peak_equity = max(account.peak_equity, Decimal(mark["equity"]))


def _fee_in_kind(payload: Mapping[str, Any], instrument: Instrument) -> Decimal:
    """What a spot venue took of the asset itself as its fee: it never came to the position, and no cash was paid."""
    if instrument.is_perp or payload.get("charged_currency") != instrument.base:
        return ZERO
    return Decimal(payload["charged"])


def cash_of(desk: str) -> str:
    """Name of a desk's cash account in the book."""
    return f"desk:{desk}:cash"


def instrument_row(instrument: Instrument) -> dict[str, Any]:
    """An instrument as the opening event declares it. What only some have is left out of the others."""
    row: dict[str, Any] = {
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "kind": instrument.kind.value,
        "tick": money_text(instrument.tick),
        "lot": money_text(instrument.lot),
        "min_notional": money_text(instrument.min_notional),
        "max_leverage": money_text(instrument.max_leverage),
        "maintenance_margin": money_text(instrument.maintenance_margin),
    }
    if instrument.margin_tiers:
        row["margin_tiers"] = [
            {"notional": money_text(tier.notional), "rate": money_text(tier.rate), "amount": money_text(tier.amount)}
            for tier in instrument.margin_tiers
        ]
    if instrument.contract_size != 1:
        row["contract_size"] = money_text(instrument.contract_size)
    return row


def instrument_from_row(row: Mapping[str, Any]) -> Instrument:
    """An instrument as the opening event declares it."""
    return Instrument(
        symbol=row["symbol"],
        base=row["base"],
        quote=row["quote"],
        kind=InstrumentKind(row["kind"]),
        tick=Decimal(row["tick"]),
        lot=Decimal(row["lot"]),
        min_notional=Decimal(row["min_notional"]),
        max_leverage=Decimal(row["max_leverage"]),
        maintenance_margin=Decimal(row["maintenance_margin"]),
        margin_tiers=tuple(
            MarginTier(**{name: Decimal(value) for name, value in tier.items()}) for tier in row.get("margin_tiers", ())
        ),
        contract_size=Decimal(row.get("contract_size", 1)),
    )


def fill_from_payload(payload: Mapping[str, Any]) -> Fill:
    """A fill as its event holds it."""
    return Fill(
        fill_id=payload["fill_id"],
        order_id=payload["order_id"],
        desk=payload["desk"],
        instrument=payload["instrument"],
        side=Side(payload["side"]),
        price=Decimal(payload["price"]),
        quantity=Decimal(payload["quantity"]),
        fee=Decimal(payload["fee"]),
        liquidity=Liquidity(payload["liquidity"]),
        ts_ms=payload["ts_ms"],
    )
