"""A live season on a loopback exchange with an account: real ccxt classes, a clock that runs forty times as fast."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from arena import wiring
from arena.autonomous.account_check import check_account
from arena.autonomous.alone import AloneTerms, play_alone
from arena.autonomous.latch import LIMITS_FILE
from arena.autonomous.live import LiveManners, account_spec
from arena.autonomous.paced_market import Pacing
from arena.autonomous.paper import exchange_market, exchange_of
from arena.seasons.rules import SeasonRules
from arena.seasons.runner import SeasonRun
from arena.settings import Settings
from tests.arena.autonomous.followed import Follower, rules_of
from tests.exchanges.accounts import Held
from tests.exchanges.binance_account import KEY, SECRET, BinanceAccount
from tests.exchanges.matching import BookAccount
from tests.exchanges.server import Request, Venue
from tests.exchanges.venues import serve_exchange
from trading.domain import Event, EventKind
from trading.execution.dispatcher import Rhythm
from trading.execution.resolver import ResolvePolicy
from trading.marketdata.exchange import Backoff, FeedSpec, StalenessLimits
from trading.storage.journal import read_verified
from trading.storage.runs import RunFolder, Runs

SPEED = 40
MINUTE_MS = 60_000
PATIENT = StalenessLimits(book=900_000, trades=6_000_000, ticker=900_000, candles=900_000, polled=9_000_000)
QUICK = Rhythm(look_s=0.02, poll_s=0.1, heard_poll_s=0.2, compare_s=0.5, doubt_s=0.2, retry_s=0.05, stale_s=1e9)
LIMITS = 'max_order_value = "50000"\nmax_gross_exposure = "2"\n'
ENVIRONMENT = {"TRADEFLOOR_BINANCEUSDM_KEY": KEY, "TRADEFLOOR_BINANCEUSDM_SECRET": SECRET}


@dataclass(frozen=True)
class FastClock:
    """Forty times as fast as the wall since ``zero_s``, the same in every process."""

    began_ms: int
    zero_s: float

    def now_ms(self) -> int:
        return self.began_ms + round((time.time() - self.zero_s) * 1000 * SPEED)

    async def sleep_ms(self, wait_ms: int) -> None:
        await asyncio.sleep(max(wait_ms, 0) / 1000 / SPEED)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class WallAccount(BinanceAccount):
    """The private wire where the clock hurries: the dead-man switch counts by the wall, and stamps are not read."""

    def _check(self, request: Request) -> None:
        raw = request.body.decode() if request.body else request.query
        stamp = next(part for part in raw.split("&") if part.startswith("timestamp=")).partition("=")[2]
        with self._at(lambda: int(stamp)):
            super()._check(request)

    def countdown(self, request: Request) -> Any:
        with self._at(wall_ms):
            return super().countdown(request)

    def run_countdowns(self) -> None:
        with self._at(wall_ms):
            super().run_countdowns()

    @contextmanager
    def _at(self, now_ms: Callable[[], int]) -> Iterator[None]:
        hurried = self._venue.now_ms
        self._venue.now_ms = now_ms  # type: ignore[method-assign]
        try:
            yield
        finally:
            self._venue.now_ms = hurried  # type: ignore[method-assign]


def live_table(
    clock: FastClock, *, rounds: int, desk: str = "buyhold", stops: dict[str, Any] | None = None, **season: Any
) -> dict[str, Any]:
    """The file of a live season of one-minute rounds that begins soon."""
    start_ms = clock.now_ms() // MINUTE_MS * MINUTE_MS + 2 * MINUTE_MS
    start, end = (
        datetime.fromtimestamp(at / 1000, UTC).isoformat() for at in (start_ms, start_ms + rounds * MINUTE_MS)
    )
    facts = {"name": "real", "seed": 3, "start": start, "end": end, "every": "1m", "capital": 10_000}
    return {
        "season": {**facts, **season},
        "market": {"kind": "live", "venue": "binance", "instruments": ["BTC-USDT-PERP", "ETH-USDT-PERP"]},
        "desk": [{"name": desk, "model": f"house/{desk}"}],
        **({"stops": stops} if stops else {}),
    }


def terms_of(rules: SeasonRules, settings: Settings, clock: FastClock) -> AloneTerms:
    """The season's own market and account, on the clock that is hurried."""
    feed = FeedSpec(
        exchange=exchange_of(rules.market, settings),
        instruments=rules.market.instruments,
        limits=PATIENT,
        backoff=Backoff(first_s=0.02, cap_s=0.2),
        look_s=0.05,
        skew_s=1.0,
    )
    pacing = Pacing(settle_ms=20_000, ask_ms=60_000 * 5, grace_ms=36_000_000, history_bars=300)
    manners = LiveManners(
        spec=replace(account_spec(rules, settings), max_skew_ms=10**12),
        timer=clock,
        rhythm=QUICK,
        resolving=ResolvePolicy(asks=2, wait_s=0.05),
    )
    return AloneTerms(
        open_market=lambda supervisor: exchange_market(
            rules, settings, timer=clock, pacing=pacing, feed=feed, on_look=supervisor.on_look
        ),
        live=manners,
    )


def settings_of(home: Path, url: str, **given: Any) -> Settings:
    """What the command line and the environment say of a live season."""
    keys = {"live_acknowledged": "real", "max_live_notional": "50000"}
    return Settings.load({"home": home, "exchange_url": url, **keys, **given})


@dataclass
class Floor:
    """The exchange with its account, and the season that trades there."""

    server: Venue
    account: BookAccount
    private: BinanceAccount
    clock: FastClock
    table: dict[str, Any]
    settings: Settings
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def rules(self) -> SeasonRules:
        """The season's rules."""
        return SeasonRules.model_validate(self.table)

    async def play(self, meanwhile: Callable[[SeasonRun], Awaitable[None]] | None = None) -> str:
        """Play the season as the command line does; ``meanwhile`` runs beside it from when it is opened on."""
        prepared = await asyncio.to_thread(wiring.prepare, self.rules, self.settings)
        await asyncio.to_thread(check_account, prepared, self.settings)
        folder = wiring.open_run(prepared, self.settings)
        beside: list[asyncio.Future[None]] = []

        def started(run: SeasonRun) -> None:
            if meanwhile is not None:
                beside.append(asyncio.ensure_future(meanwhile(run)))

        terms = terms_of(self.rules, self.settings, self.clock)
        ending = await play_alone(prepared, folder, self.settings, on_started=started, terms=terms)
        await asyncio.gather(*beside)
        return ending.value

    async def spawn(self) -> asyncio.subprocess.Process:
        """The same season in a process of its own."""
        told = {
            "home": str(self.settings.home),
            "url": self.server.endpoints.rest,
            "began_ms": self.clock.began_ms,
            "zero_s": self.clock.zero_s,
            "cap": str(self.settings.max_live_notional),
            "rules": self.table,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.arena.autonomous.live_child",
            json.dumps(told),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def live(self) -> list[Held]:
        """The orders that stand at the exchange."""
        return [held for held in self.account.orders() if held.status.live]

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return Runs(self.settings.home).latest()

    def events(self, *kinds: EventKind) -> list[Event]:
        """What the record holds, of the kinds that are wanted."""
        stored = [one.event() for one in read_verified(self.folder.journal)] if self.folder.journal.is_file() else []
        return [event for event in stored if not kinds or event.kind in kinds]

    async def until(self, holds: Callable[[], bool], *, timeout_s: float = 240.0) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, "it did not come about"
            await asyncio.sleep(0.01)


_WARM: list[bool] = []


async def warm_up(home: Path) -> None:
    """What is imported and compiled at first use takes its time, which runs forty times as fast in a season."""
    if not _WARM:
        import ccxt.pro  # noqa: F401

        await Follower(rules_of(rounds=1), home).play()
        _WARM.append(True)


@asynccontextmanager
async def live_floor(
    home: Path, *, rounds: int = 4, deposit: str = "10000", limits: str = LIMITS, cap: str = "50000", **season: Any
) -> AsyncIterator[Floor]:
    """Binance USD-M on loopback with ``deposit`` on the account, its market trading, and a live season of it."""
    await warm_up(home / "warm")
    clock = FastClock(began_ms=time.time_ns() // 1_000_000, zero_s=time.time())
    async with serve_exchange("binanceusdm", seed=4, step_s=0.02) as server:
        server.now_ms = lambda: clock.now_ms() + server.weather.clock_off_ms  # type: ignore[method-assign]
        account = BookAccount(server.markets, {"USDT": Decimal(deposit)}, now_ms=server.now_ms)
        dialect: Any = server.dialect
        private = dialect.private = WallAccount(account, dialect.listings, futures=True, venue=server)
        home.mkdir(parents=True, exist_ok=True)
        (home / LIMITS_FILE).write_text(limits, "utf-8")
        settings = settings_of(home, server.endpoints.rest, max_live_notional=cap)

        async def trade() -> None:
            while True:
                await asyncio.sleep(0.02)
                account.step()
                private.run_countdowns()

        trading = asyncio.create_task(trade())
        floor = Floor(server, account, private, clock, live_table(clock, rounds=rounds, **season), settings)
        try:
            yield floor
        finally:
            trading.cancel()
            for process in floor.processes:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()
            await asyncio.gather(trading, return_exceptions=True)
