"""One run of chaos: an exchange here, a process that is killed there, and the books compared at the end."""

import asyncio
import multiprocessing
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tests.chaos.child import DONE, ORDERS, STILL, Life, live
from tests.exchanges.accounts import HangUp, OrderFault
from tests.exchanges.binance_account import BinanceAccount
from tests.exchanges.matching import BookAccount
from tests.exchanges.server import Request, Venue
from tests.exchanges.venues import serve_exchange
from trading.domain import Event, EventKind, ids
from trading.execution.orders import OpenOrders
from trading.execution.reconciliation import ExpectedBooks
from trading.storage.journal import verify_chain
from trading.storage.journal.reader import read_events

LIVES = 4
INSTANTS = ("sending", "acknowledging", "filling", "journal before", "journal within", "journal after")
_FAULTS = (
    OrderFault.REQUEST_LOST,
    OrderFault.ANSWER_LOST,
    OrderFault.SERVER_ERROR,
    OrderFault.SERVER_ERROR_AFTER,
    OrderFault.CANCEL_LOST,
    OrderFault.FILLS_HIDDEN,
    OrderFault.VANISHED,
    OrderFault.FILL_FIRST,
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found. ``problems`` is empty where everything held; ``instants`` are where the process was killed."""

    seed: int
    exchange_id: str
    instants: tuple[str, ...]
    orders: int
    fills: int
    problems: tuple[str, ...]

    def line(self) -> str:
        """One line for a person."""
        said = "; ".join(self.problems) or "held"
        killed = ", ".join(self.instants) or "not killed"
        return f"seed {self.seed} {self.exchange_id}: killed {killed}; {self.orders} orders, {self.fills} fills: {said}"


class KillingAccount(BinanceAccount):
    """The private wire, which kills its client when a request is due, before or after it was carried out."""

    victim: BaseProcess | None = None
    due: int | None = None
    instant: str = ""
    rng: np.random.Generator
    killed: tuple[str, ...] = ()
    _seen = 0
    _is_still = False

    def rest(self, request: Request) -> Any | None:
        """Carry out and answer, or kill."""
        if request.path == STILL:  # the last comparison is of a market that rests: what trades after it is not told
            self._is_still = True
            return {}
        self._move()
        due = request.path.endswith(("order", "Order", "openOrders", "myTrades", "userTrades")) and self._is_due(
            request
        )
        if due and self.instant == "sending":
            self._kill()
        answer = super().rest(request)
        if due:
            if self.instant == "filling":
                for _ in range(5):
                    self._move(1.0)
            self._kill()
        return answer

    def new_life(self, victim: BaseProcess, due: int | None, instant: str) -> None:
        """Whom to kill next, at which request, and when in it."""
        self.victim, self.due, self.instant = victim, due, instant
        self._seen, self._is_still = 0, False

    def _is_due(self, request: Request) -> bool:
        sends = request.method == "POST"
        if self.instant in ("sending", "acknowledging") and not sends:
            return False
        self._seen += 1
        return self.due is not None and self._seen > self.due

    def _kill(self) -> None:
        assert self.victim is not None
        self.killed += (self.instant,)
        self.due = None
        self.victim.kill()
        raise HangUp

    def _move(self, chance: float = 0.3) -> None:
        if self._is_still:
            return
        if self.rng.random() < chance:
            for market in self._venue.markets.values():
                market.step(self._venue.now_ms())
            assert isinstance(self.account, BookAccount)
            self.account.step()
        if self.rng.random() < 0.1 and self.due is not None:
            self.faults.arm(_FAULTS[int(self.rng.integers(len(_FAULTS)))])


async def run(seed: int) -> Outcome:
    """Kill the process of a run up to three times at instants that follow from the seed, then let it finish."""
    rng = np.random.default_rng([seed, 2])
    exchange_id = ("binance", "binanceusdm")[seed % 2]
    async with serve_exchange(exchange_id, seed=seed, step_s=3600) as server:
        account, private = _account(server, exchange_id, np.random.default_rng([seed, 3]))
        with tempfile.TemporaryDirectory(prefix="tradefloor-chaos-") as folder:
            life = Life(
                journal=Path(folder) / "journal.sqlite",
                exchange_id=exchange_id,
                endpoints=server.endpoints,
                instruments=tuple(server.markets),
                seed=seed,
            )
            code: int | None = None
            for number in range(LIVES):
                code = await _one_life(life, private, rng, last=number == LIVES - 1)
                if code == DONE:
                    break
            events = [
                Event(ts_ms=one.ts_ms, kind=EventKind(one.kind), payload=orjson.loads(one.payload_json))
                for one in read_events(life.journal)
            ]
            problems = [] if code == DONE else [f"the last life ended with {code}"]
            problem = verify_chain(life.journal).problem
            problems += [] if problem is None else [problem]
    problems += check(events, account, private, exchange_id)
    return Outcome(
        seed=seed,
        exchange_id=exchange_id,
        instants=private.killed,
        orders=len(account.orders()),
        fills=len(account.trades()),
        problems=tuple(problems),
    )


def _account(server: Venue, exchange_id: str, rng: np.random.Generator) -> tuple[BookAccount, KillingAccount]:
    futures = exchange_id == "binanceusdm"
    deposits = {"USDT": Decimal("1000000.12345678")}
    if not futures:
        deposits |= {"BTC": Decimal("20.00000003"), "ETH": Decimal("300.5")}
    account = BookAccount(server.markets, deposits, now_ms=server.now_ms)
    dialect: Any = server.dialect
    private = dialect.private = KillingAccount(account, dialect.listings, futures=futures, venue=server)
    private.rng = rng
    return account, private


async def _one_life(life: Life, private: KillingAccount, rng: np.random.Generator, *, last: bool) -> int | None:
    instant = INSTANTS[int(rng.integers(len(INSTANTS)))]
    due = int(rng.integers(0, ORDERS // 2 if instant in ("sending", "acknowledging") else ORDERS))
    in_journal = instant.startswith("journal")
    mine = life if last or not in_journal else replace(life, dies_at=due, how=instant.split()[1])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.child"])
    process = context.Process(target=live, args=(mine,), daemon=True)
    private.new_life(process, None if last or in_journal else due, instant)
    if last:
        private.faults.clear()
    process.start()
    await asyncio.to_thread(process.join, 60)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    if process.exitcode == -9 and in_journal:
        private.killed += (instant,)
    code = process.exitcode
    process.close()
    if code != DONE:  # the market goes on while nobody listens
        for _ in range(int(rng.integers(0, 4))):
            private._move(1.0)
    return code


def check(events: list[Event], account: BookAccount, private: BinanceAccount, exchange_id: str) -> list[str]:
    """What of the record is not as the exchange's own books say."""
    problems = [f"order {name} was accepted {count} times" for name, count in private.accepted.items() if count > 1]
    orders, books = OpenOrders(), ExpectedBooks()
    for event in events:
        orders.apply(event)
        books.apply(event)
    sent = Counter(event.payload["client_order_id"] for event in events if event.kind is EventKind.ORDERED)
    problems += [f"order {name} was recorded {count} times" for name, count in sent.items() if count > 1]
    ours = Counter(event.payload["fill_id"] for event in events if event.kind is EventKind.FILLED)
    theirs = Counter(ids.venue_fill_id(exchange_id, str(traded.number)) for traded in account.trades())
    if ours != theirs:
        problems.append(f"fills: {len(theirs - ours)} lost, {len(ours - theirs)} invented")
    told = {name: free + locked for name, (free, locked) in account.balances().items() if free + locked}
    if dict(books.balances) != told:
        problems.append(f"balances: the record says {dict(books.balances)}, the exchange {told}")
    held = {name: quantity for name, (quantity, _) in account.positions().items()}
    if dict(books.positions) != held:
        problems.append(f"positions: the record says {dict(books.positions)}, the exchange {held}")
    standing = {one.asked.client_id for one in account.orders() if one.status.live}
    known = {order.client_order_id for order in orders.all()}
    if standing != known:
        problems.append(
            f"open orders: {sorted(standing - known)} not recorded, {sorted(known - standing)} not standing"
        )
    return problems
