"""A paper season on loopback exchanges through the real ccxt classes: forty times faster, through the fault plan."""

import asyncio
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from arena import wiring
from arena.autonomous.alone import AloneTerms, play_alone
from arena.autonomous.heartbeat import read_heartbeat
from arena.autonomous.paced_market import Pacing
from arena.autonomous.paper import exchange_market, exchange_of
from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from tests.arena.autonomous.followed import Follower, rules_of
from tests.exchanges import serve_exchange
from tests.exchanges.faults import Fault
from trading.domain import Event, EventKind
from trading.domain.errors import ConfigError, RequestError
from trading.execution.book_audit import audit_book_fills
from trading.ledger.audit import audit_journal
from trading.marketdata.exchange import Backoff, FeedSpec, StalenessLimits
from trading.marketdata.growing_book import GrowingBook
from trading.storage.journal import read_verified

SPEED = 40
MINUTE_MS = 60_000
PATIENT = StalenessLimits(book=90_000, trades=600_000, ticker=90_000, candles=90_000, polled=900_000)


class Hurried:
    """The wall clock until it is told to hurry; from then on it runs forty times as fast."""

    def __init__(self) -> None:
        self._began, self._zero, self._speed = time.time_ns() // 1_000_000, time.monotonic(), 1

    def now_ms(self) -> int:
        return self._began + round((time.monotonic() - self._zero) * 1000 * self._speed)

    def hurry(self) -> None:
        self._began, self._zero, self._speed = self.now_ms(), time.monotonic(), SPEED

    async def sleep_ms(self, wait_ms: int) -> None:
        await asyncio.sleep(max(wait_ms, 0) / 1000 / self._speed)


def rules_from(now_ms, *, rounds, desks=("momentum", "buyhold", "random"), capital=10_000, **market):
    start_ms = now_ms // MINUTE_MS * MINUTE_MS + 2 * MINUTE_MS
    start, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (start_ms, start_ms + rounds * MINUTE_MS))
    table = {
        "season": {"name": "loop", "seed": 3, "start": start, "end": end, "every": "1m", "capital": capital},
        "market": {"kind": "paper", "venue": "binance", "instruments": ["BTC-USDT-PERP", "ETH-USDT-PERP"], **market},
        "desk": [{"name": name, "model": f"house/{name}"} for name in desks],
    }
    return SeasonRules.model_validate(table)


async def play(venue, home, *, rounds, trouble=None, **season):
    clock = Hurried()
    venue.now_ms = lambda: clock.now_ms() + venue.weather.clock_off_ms
    settings = Settings.load({"home": home, "exchange_url": venue.endpoints.rest})
    rules = rules_from(clock.now_ms(), rounds=rounds, **season)
    prepared = await asyncio.to_thread(wiring.prepare, rules, settings)
    folder = wiring.open_run(prepared, settings)
    feed = FeedSpec(
        exchange=exchange_of(rules.market, settings),
        instruments=rules.market.instruments,
        limits=PATIENT,
        backoff=Backoff(first_s=0.02, cap_s=0.2),
        look_s=0.05,
        skew_s=1.0,
    )
    pacing = Pacing(settle_ms=20_000, ask_ms=60_000 * 5, grace_ms=3_600_000, history_bars=300)

    def follow(supervisor):
        clock.hurry()
        return exchange_market(rules, settings, timer=clock, pacing=pacing, feed=feed, on_look=supervisor.on_look)

    troubling = asyncio.create_task(trouble(venue)) if trouble is not None else None
    warm = Follower(rules_of(rounds=1), home / "warm")  # what is imported and compiled at first use takes its time
    await warm.play()
    ending = await play_alone(prepared, folder, settings, terms=AloneTerms(open_market=follow))
    if troubling is not None:
        troubling.cancel()
    events = [stored.event() for stored in read_verified(folder.journal)]
    return ending, folder, events


async def everything_goes_wrong(venue):
    """The fault plan in short: each fault at its turn, over and over."""
    weather = venue.weather
    while True:
        for fault in (Fault.GAP, Fault.HTML, Fault.DUPLICATE, Fault.RATE_LIMIT, Fault.REORDER, Fault.BAD_ROW):
            weather.arm(fault)
            await asyncio.sleep(0.4)
        venue.drop()
        await asyncio.sleep(0.6)


@pytest.mark.slow
@pytest.mark.asyncio
async def test_a_season_through_the_fault_plan_ends_with_clean_books(tmp_path):
    async with serve_exchange("binanceusdm", seed=4, step_s=0.02) as venue:
        ending, folder, events = await play(venue, tmp_path, rounds=8, trouble=everything_goes_wrong)
        struck = venue.weather.served
        truth = {
            symbol: {row[0]: row[1:] for row in market.candles(MINUTE_MS, market.opened_ms, venue.now_ms())}
            for symbol, market in venue.markets.items()
        }
        listing = venue.markets["BTC-USDT-PERP"].listing
    assert ending.value == "finished"
    assert sum(count > 0 for count in struck.values()) >= 4
    report = audit_journal(folder.journal)
    assert report.problem is None
    rounds = [event.payload for event in events if event.kind is EventKind.ROUND_OPENED]
    assert [row["round"] for row in rounds] == list(range(9))
    assert sum(event.kind is EventKind.FILLED for event in events) > 0
    said = {
        at: row
        for event in events
        if event.kind is EventKind.TAPE_GREW
        for at, row in zip(event.payload["open_ms"], event.payload["bars"]["BTC-USDT-PERP"], strict=True)
    }
    opened = [at for at in said if at in truth["BTC-USDT-PERP"] and at > venue.markets["BTC-USDT-PERP"].opened_ms]
    assert len(opened) >= 7
    for at in opened:
        if said[at] is not None:
            assert said[at][3] == float(listing.price(truth["BTC-USDT-PERP"][at][3]))
    beat = read_heartbeat(folder.path)
    assert (beat.status, beat.halted) == ("stopped", None)
    assert "finished" in (tmp_path / "logs" / "tradefloor.log").read_text("utf-8")


@pytest.mark.asyncio
async def test_orders_walk_the_live_book_level_by_level(tmp_path):
    """A million a desk: what those buy who buy at once is more than the best level holds."""
    async with serve_exchange("binanceusdm", seed=4, step_s=0.02) as venue:
        ending, folder, events = await play(
            venue, tmp_path, rounds=6, capital=1_000_000, desks=("buyhold", "equalweight")
        )
    assert ending.value == "finished"
    orders = {event.payload["order_id"]: event.payload for event in events if event.kind is EventKind.ORDERED}
    taken = {}
    for event in events:
        if event.kind is EventKind.FILLED and event.payload["basis"] == "book":
            taken.setdefault(event.payload["order_id"], []).append(event)
    walks = [fills for fills in taken.values() if len(fills) > 1]
    assert walks, "some order was larger than the best level"
    for fills in walks:
        order, arrived = orders[fills[0].payload["order_id"]], fills[0].ts_ms
        grown = next(
            event.payload
            for event in events
            if event.kind is EventKind.DEPTH_GREW
            and event.payload["instrument"] == order["instrument"]
            and event.payload["since_ms"] <= arrived < event.payload["until_ms"]
        )
        book = GrowingBook(order["instrument"])
        book.apply(Event(ts_ms=0, kind=EventKind.DEPTH_GREW, payload=grown))
        sign = 1 if order["side"] == "buy" else -1
        shown = [Decimal(repr(price)) for price, _ in book.depth_at(arrived).levels(sign)]
        prices = [Decimal(fill.payload["price"]) for fill in fills if fill.ts_ms == arrived]
        assert prices == shown[: len(prices)], "the levels of the book, the best first"
        assert all(Decimal(fill.payload["fee"]) > 0 for fill in fills)
    audit = audit_book_fills(folder.journal)
    assert (audit.problem, audit.fills >= len(walks)) == (None, True)
    assert audit_journal(folder.journal).problem is None
    told = {event.payload["instrument"] for event in events if event.kind is EventKind.FUNDING_TOLD}
    assert told == {"BTC-USDT-PERP", "ETH-USDT-PERP"}, "what the exchange settled before"
    seen = [event.payload for event in events if event.kind is EventKind.BOOK_SEEN]
    assert {book["instrument"] for book in seen} == {"BTC-USDT-PERP", "ETH-USDT-PERP"}
    assert all(book["bids"][0][0] < book["asks"][0][0] and len(book["asks"]) == 20 for book in seen)


@pytest.mark.asyncio
async def test_what_the_exchange_lists_is_what_is_traded(tmp_path):
    async with serve_exchange("binanceusdm") as venue:
        settings = Settings.load({"home": tmp_path, "exchange_url": venue.endpoints.rest})
        now = venue.now_ms()
        prepared = await asyncio.to_thread(wiring.prepare, rules_from(now, rounds=3), settings)
        listed = prepared.setup.instruments["BTC-USDT-PERP"]
        assert (listed.tick, listed.lot, listed.min_notional) == (Decimal("0.1"), Decimal("0.001"), 5)
        assert (str(listed.max_leverage), prepared.setup.source, len(prepared.tape)) == ("20", "paper", 0)
        again = await asyncio.to_thread(wiring.prepare, rules_from(now, rounds=3), settings)
        assert again.content_sha256 == prepared.content_sha256
        for market, words in (
            ({"instruments": ["DOGE-USDT-PERP"]}, "lists no DOGE-USDT-PERP"),
            ({"venue": "nowhere"}, "nowhere"),
            ({"instruments": ["BTC-USDT-PERP", "BTC-USDT"]}, "mixes spot and perpetuals"),
        ):
            with pytest.raises((ConfigError, RequestError, ValueError), match=words):
                await asyncio.to_thread(wiring.prepare, rules_from(now, rounds=3, **market), settings)
        with pytest.raises(ConfigError, match="has passed"):
            await asyncio.to_thread(wiring.prepare, rules_from(now - 10**9, rounds=3), settings)
