"""Accounts and positions of a run's desks after its newest round."""

from collections.abc import Iterator
from typing import Any

import fastapi

from arena.api.area import area
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.records import READS, known_desk, known_instrument, record_asked
from arena.api.values import AskedDesk, AskedInstrument, AskedRun, Instant, Money, Row, Symbol, instant_of
from arena.records import RunRecord
from arena.services import Services
from trading.domain.money import money_text
from trading.domain.position import Position


class PositionRow(Row):
    """An open position; quantity and cost are negative for a short. Null where there is no price."""

    desk: str
    instrument: Symbol
    quantity: Money
    cost: Money
    average_price: Money | None
    price: Money | None
    value: Money | None
    unrealised: Money | None


class AccountRow(Row):
    """A desk's account in the quote currency. ``funding`` and ``interest`` are what was paid; received is negative."""

    desk: str
    as_of: Instant | None
    quote: str
    cash: Money
    equity: Money | None
    gross: Money | None
    net: Money | None
    unrealised: Money | None
    deposited: Money
    realised: Money
    fees: Money
    funding: Money
    interest: Money
    turnover: Money
    fills: int
    positions: tuple[PositionRow, ...]


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the accounts of the runs of ``services``."""
    router = area("accounts", dependencies=READS)

    @router.get("/accounts", summary="Accounts of a run's desks")
    def accounts(run: AskedRun = None, after: AfterId = None, limit: Limit = 50) -> Page[AccountRow]:
        """Every desk's account at the prices of the newest round, in the order in which desks entered."""
        record = record_asked(services, run)
        page = page_by_id(record.desks, limit, after, lambda desk: desk)
        return Page(items=tuple(_account(record, desk) for desk in page.items), next=page.next)

    @router.get("/accounts/{desk}", summary="One desk's account")
    def account(desk: str, run: AskedRun = None) -> AccountRow:
        """A desk's account at the prices of the newest round."""
        return _account(record_asked(services, run), desk)

    @router.get("/positions", summary="Open positions")
    def positions(
        run: AskedRun = None,
        desk: AskedDesk = None,
        instrument: AskedInstrument = None,
        after: AfterId = None,
        limit: Limit = 50,
    ) -> Page[PositionRow]:
        """Open positions that fit every filter; a row's id, for ``after``, is ``DESK:INSTRUMENT``."""
        record = record_asked(services, run)
        known_desk(record, desk)
        known_instrument(record, instrument)
        desks = record.desks if desk is None else (desk,)
        rows = [row for name in desks for row in _positions(record, name) if instrument in (None, row.instrument)]
        return page_by_id(rows, limit, after, lambda row: f"{row.desk}:{row.instrument}")

    return router


def _account(record: RunRecord, desk: str) -> AccountRow:
    account, mark = record.account(desk)
    totals = ("cash", "deposited", "realised", "fees", "funding", "interest", "turnover")
    marks = ("equity", "gross", "net", "unrealised")
    marked: dict[str, Any] = {name: None if mark is None else money_text(getattr(mark, name)) for name in marks}
    return AccountRow(
        desk=desk,
        as_of=instant_of(record.as_of_ms),
        quote=account.quote,
        fills=account.fills,
        positions=tuple(_positions(record, desk)),
        **{name: money_text(getattr(account, name)) for name in totals},
        **marked,
    )


def _positions(record: RunRecord, desk: str) -> Iterator[PositionRow]:
    account, _ = record.account(desk)
    held: list[Position] = list(account.positions.values())
    for position in held:
        price, average = record.prices.get(position.instrument), position.average_price
        yield PositionRow(
            desk=desk,
            instrument=position.instrument,
            quantity=money_text(position.quantity),
            cost=money_text(position.cost),
            average_price=None if average is None else money_text(average),
            price=None if price is None else money_text(price),
            value=None if price is None else money_text(position.value(price)),
            unrealised=None if price is None else money_text(position.unrealised(price)),
        )
