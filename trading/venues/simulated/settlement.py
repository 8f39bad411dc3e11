"""What falls due with time: funding of perpetuals and interest on borrowed cash."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from trading.domain.event import Event, EventKind
from trading.domain.money import EXACT, QUOTE_STEP, decimal_from_float, money_text, round_nearest
from trading.ledger.account import DeskAccount
from trading.marketdata.tape import Tape
from trading.venues.simulated.wake import DAY_MS

YEAR_DAYS = 365


def settle_funding(tape: Tape, row: int, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
    """The funding that falls due up to the close of bar ``row``, on what is held at its open.

    What falls due where the tape has no bars is priced at the last close: the next open was not known then.
    """
    open_ms = int(tape.open_ms[row])
    after = int(tape.open_ms[row - 1]) + tape.step_ms if row else open_ms
    for symbol in tape.funding:
        rates = tape.funding[symbol]
        first, last = np.searchsorted(rates.ts_ms, [after, open_ms + tape.step_ms], side="left")
        for at in range(int(first), int(last)):
            rate = decimal_from_float(float(rates.rate[at]))
            is_in_gap = int(rates.ts_ms[at]) < open_ms
            price = last_close(tape, row, symbol) if is_in_gap else price_at_open(tape, row, symbol)
            for account in accounts.values():
                position = account.position(symbol)
                if price is None or position.is_flat:
                    continue
                paid = round_nearest(EXACT.multiply(position.value(price), rate), QUOTE_STEP)
                yield Event(
                    ts_ms=int(rates.ts_ms[at]),
                    kind=EventKind.FUNDED,
                    payload={
                        "desk": account.desk,
                        "instrument": symbol,
                        "rate": money_text(rate),
                        "price": money_text(price),
                        "quantity": money_text(position.quantity),
                        "paid": money_text(paid),
                    },
                )


def charge_borrowing(tape: Tape, row: int, accounts: Mapping[str, DeskAccount], borrow_apr: Decimal) -> Iterator[Event]:
    """A day's interest, at each end of a UTC day, on cash below zero."""
    before = int(tape.open_ms[row - 1]) + tape.step_ms if row else int(tape.open_ms[row])
    now = int(tape.open_ms[row]) + tape.step_ms
    days = now // DAY_MS - before // DAY_MS
    for account in accounts.values() if days else ():
        if account.cash < 0:
            owed = -account.cash * borrow_apr * days / YEAR_DAYS
            paid = round_nearest(owed, QUOTE_STEP)
            payload = {"desk": account.desk, "paid": money_text(paid), "borrowed": money_text(-account.cash)}
            yield Event(ts_ms=now // DAY_MS * DAY_MS, kind=EventKind.BORROWED, payload=payload)


def price_at_open(tape: Tape, row: int, symbol: str) -> Decimal | None:
    """The open of bar ``row``, or the last close before it; None before the first bar."""
    price = float(tape.open[tape.index[symbol], row])
    return decimal_from_float(price) if price == price else last_close(tape, row, symbol)


def last_close(tape: Tape, row: int, symbol: str) -> Decimal | None:
    """The last close before bar ``row``; None where there is none."""
    line = tape.index[symbol]
    last = int(tape.last_row[line, row - 1]) if row else -1
    return decimal_from_float(float(tape.close[line, last])) if last >= 0 else None
