"""Market data of a run, or of the candle store: instruments, candles, books, features, anomalies, regimes, forecasts.

What is computed is computed by the tools that desks call, on the same view of the market.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, TypeVar

import fastapi
import numpy as np
from pydantic import AwareDatetime, Field

from arena.api.area import area
from arena.api.heavy import heavy
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.records import READS, context_asked, known_instrument, market_asked, record_asked
from arena.api.values import (
    AskedInstant,
    AskedRun,
    Instant,
    Money,
    NamedInstrument,
    Row,
    Symbol,
    ms_of,
)
from arena.one_instrument import Wanted, read_frame
from arena.records.run_record import RunRecord
from arena.seasons.book_card import book_card
from arena.services import Services
from tools.context import ToolContext
from tools.forecast import ForecastArgs, Forecasts, get_forecast
from tools.market import FeatureGroups, FeaturesArgs, InstrumentsArgs, get_features
from tools.regime import Anomalies, AnomaliesArgs, RegimeRow, Regimes, get_anomalies, get_regime
from tools.tool import Result
from trading.domain.errors import ToolFailure
from trading.domain.instants import duration_ms, duration_text, iso
from trading.domain.money import decimal_from_float, money_text
from trading.features.feature import Group
from trading.marketdata import Bars, resample

Computed = TypeVar("Computed", bound=Result)

Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "1w"]
Horizon = Literal["1h", "4h", "8h", "12h", "1d", "3d", "1w"]
OpenedAfter = Annotated[
    AwareDatetime | None,
    fastapi.Query(description="The opening of the last candle read; the newest candles without it."),
]

_MOST_BARS = 100_000
_TEXTS = ("base", "quote")
_STEPS = ("tick", "lot", "min_notional", "max_leverage", "maintenance_margin", "contract_size")


class InstrumentRow(Row):
    """What a run trades. Steps and the smallest order are in units of price, base and quote."""

    symbol: Symbol
    kind: str = Field(examples=["perp"])
    base: str
    quote: str
    tick: Money
    lot: Money
    min_notional: Money
    max_leverage: Money
    maintenance_margin: Money
    contract_size: Money
    price: Money | None


class CandleRow(Row):
    """A closed candle."""

    opened_at: Instant
    open: Money
    high: Money
    low: Money
    close: Money
    volume: Money


class CandlePage(Page[CandleRow]):
    """Candles, oldest first. Missing ones are missing: compare the opening times."""

    instrument: Symbol
    timeframe: str
    as_of: Instant
    source: str = Field(examples=["simulated"])


class BookLevelRow(Row):
    """A level of an order book; ``total`` is the size from the best price up to it."""

    price: Money
    size: Money
    total: Money


class BookAnswer(Row):
    """An order book, best levels first, as it stood at ``seen_at``; ``as_of`` is when that was written down.

    Imbalances are (bids - asks) / (bids + asks) in size, of the best five levels and of all that were seen.
    """

    instrument: Symbol
    as_of: Instant
    seen_at: Instant
    source: str = Field(examples=["paper"])
    mid: Money
    spread: Money
    spread_bps: float = Field(examples=[0.83])
    imbalance_5: float = Field(examples=[0.12])
    imbalance: float = Field(examples=[-0.04])
    bids: tuple[BookLevelRow, ...]
    asks: tuple[BookLevelRow, ...]


class RegimeAnswer(Row):
    """The regime of an instrument; null where there is too little history."""

    as_of: Instant
    source: str
    timeframe: str
    regime: RegimeRow


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the markets of ``services``."""
    router = area("markets", dependencies=READS)

    def seen(run: str | None, instrument: str, as_of: AwareDatetime | None) -> ToolContext:
        known_instrument(record_asked(services, run), instrument)
        return context_asked(services, run, ms_of(as_of))

    @router.get("/instruments", summary="What a run trades")
    def instruments(run: AskedRun = None, after: AfterId = None, limit: Limit = 50) -> Page[InstrumentRow]:
        """Instruments with their steps and last prices."""
        record = record_asked(services, run)
        rows = [
            InstrumentRow(
                symbol=symbol,
                kind=found.kind.value,
                price=None if symbol not in record.prices else money_text(record.prices[symbol]),
                **{name: getattr(found, name) for name in _TEXTS},
                **{name: money_text(getattr(found, name)) for name in _STEPS},
            )
            for symbol, found in record.instruments.items()
        ]
        return page_by_id(rows, limit, after, lambda row: row.symbol)

    @router.get("/candles/{instrument}", summary="Candles that had closed")
    def candles(
        instrument: NamedInstrument,
        run: AskedRun = None,
        source: Annotated[
            Literal["run", "store"],
            fastapi.Query(description="The market of the run, or what was fetched and imported."),
        ] = "run",
        timeframe: Annotated[Timeframe | None, fastapi.Query(description="The run's own bars without it.")] = None,
        as_of: AskedInstant = None,
        after: OpenedAfter = None,
        limit: Limit = 100,
    ) -> CandlePage:
        """The newest candles that had closed at ``as_of``, or those that opened after ``after``."""
        if source == "store":
            bars, seen_ms, told = _stored(services, instrument, timeframe or "1h", ms_of(as_of)), ms_of(as_of), "store"
        else:
            context = seen(run, instrument, as_of)
            bars = _of_length(context.view.bars(instrument, _MOST_BARS), timeframe)
            seen_ms, told = context.view.as_of_ms, context.view.source
        page = _page(bars, ms_of(after), limit)
        at_ms = seen_ms if seen_ms is not None else int(bars.open_ms[-1]) + bars.step_ms
        return CandlePage(
            items=page.items, next=page.next, instrument=instrument, timeframe=duration_text(bars.step_ms),
            as_of=iso(at_ms), source=told,
        )  # fmt: skip

    @router.get("/books/{instrument}", summary="The order book that was seen last")
    def books(
        instrument: NamedInstrument,
        run: AskedRun = None,
        levels: Annotated[int, fastapi.Query(ge=1, le=20, description="How many of the best levels a side.")] = 20,
    ) -> BookAnswer:
        """The best levels of a season that has order books; 404 where candles are all that is known."""
        record = record_asked(services, run)
        known_instrument(record, instrument)
        return _book(record, instrument, levels)

    @router.get("/features/{instrument}", summary="The feature vector of an instrument")
    def features(
        instrument: NamedInstrument,
        run: AskedRun = None,
        group: Annotated[list[Group] | None, fastapi.Query(max_length=len(Group))] = None,
        as_of: AskedInstant = None,
    ) -> FeatureGroups:
        """Named numbers at the last candle that had closed; null where there is too little history."""
        context = seen(run, instrument, as_of)
        with heavy():
            return _computed(
                FeatureGroups, partial(get_features, FeaturesArgs(instrument=instrument, groups=group), context)
            )

    @router.get("/anomalies/{instrument}", summary="What is out of the ordinary in the newest candles")
    def anomalies(
        instrument: NamedInstrument,
        run: AskedRun = None,
        count: Annotated[int, fastapi.Query(ge=1, le=200, description="How many of the newest candles.")] = 6,
        as_of: AskedInstant = None,
    ) -> Anomalies:
        """Anomalies of price, volume and data, oldest first."""
        context = seen(run, instrument, as_of)
        with heavy():
            return _computed(
                Anomalies, partial(get_anomalies, AnomaliesArgs(instruments=[instrument], count=count), context)
            )

    @router.get("/regime/{instrument}", summary="What kind of market an instrument is in")
    def regime(instrument: NamedInstrument, run: AskedRun = None, as_of: AskedInstant = None) -> RegimeAnswer:
        """Bull, bear, ranging or volatile, with what each method says."""
        context = seen(run, instrument, as_of)
        with heavy():
            found = _computed(Regimes, partial(get_regime, InstrumentsArgs(instruments=[instrument]), context))
        return RegimeAnswer(as_of=found.as_of, source=found.source, timeframe=found.timeframe, regime=found.regimes[0])

    @router.get("/forecast/{instrument}", summary="The forecast of an instrument's return")
    def forecast(
        instrument: NamedInstrument, run: AskedRun = None, horizon: Horizon = "4h", as_of: AskedInstant = None
    ) -> Forecasts:
        """Probability of a rise and quantiles of the return over the horizon, from the last closed candle."""
        context = seen(run, instrument, as_of)
        step_ms = market_asked(services, run)[0].step_ms
        if duration_ms(horizon) % step_ms:
            raise NotFound(f"{horizon} is no whole number of the run's candles of {duration_text(step_ms)}")
        with heavy():
            return _computed(
                Forecasts, partial(get_forecast, ForecastArgs(instruments=[instrument], horizon=horizon), context)
            )

    return router


def _computed(kind: type[Computed], compute: Callable[[], Result]) -> Computed:
    """What a tool answers; 404 where that is not known."""
    try:
        found = compute()
    except ToolFailure as error:
        raise NotFound(str(error)) from error
    assert isinstance(found, kind), "a tool answers with its own result"
    return found


def _book(record: RunRecord, instrument: str, levels: int) -> BookAnswer:
    told = record.books.get(instrument)
    if told is None:
        raise NotFound(f"{record.folder.run_id} has seen no order book of {instrument}: candles are all that is known")
    card = book_card(told[1], told[0])
    sides = {
        name: tuple(
            BookLevelRow(**{of: _text(getattr(level, of)) for of in ("price", "size", "total")})
            for level in side[:levels]
        )
        for name, side in (("bids", card.bids), ("asks", card.asks))
    }
    return BookAnswer(
        instrument=instrument, as_of=iso(card.told_ms), seen_at=iso(card.seen_ms), source=record.opening["market"],
        mid=_text(card.mid), spread=_text(card.spread), spread_bps=card.spread_bps, imbalance_5=card.near,
        imbalance=card.imbalance, **sides,
    )  # fmt: skip


def _text(value: float) -> str:
    return money_text(decimal_from_float(value))


def _of_length(bars: Bars, timeframe: str | None) -> Bars:
    if timeframe is None or duration_ms(timeframe) == bars.step_ms:
        return bars
    step_ms = duration_ms(timeframe)
    if step_ms < bars.step_ms or step_ms % bars.step_ms:
        raise NotFound(
            f"candles of {timeframe} cannot be made of the run's, which are of {duration_text(bars.step_ms)}"
        )
    return resample(bars, step_ms).bars


def _stored(services: Services, instrument: str, timeframe: str, at_ms: int | None) -> Bars:
    """The candles of the store."""
    at = None if at_ms is None else iso(at_ms)
    wanted = Wanted(instrument=instrument, timeframe=timeframe, at=at, data=())
    frame = read_frame(wanted, services.settings, bars=_MOST_BARS)
    columns = {name: frame.columns[name] for name in ("open", "high", "low", "close", "volume")}
    return Bars(instrument=frame.instrument, step_ms=frame.step_ms, open_ms=frame.open_ms, **columns)


def _page(bars: Bars, after_ms: int | None, limit: int) -> Page[CandleRow]:
    """The last ``limit`` candles, or the first of those that opened after ``after_ms``."""
    begin = (
        max(0, len(bars) - limit) if after_ms is None else int(np.searchsorted(bars.open_ms, after_ms, side="right"))
    )
    end = min(len(bars), begin + limit)
    texts = {
        name: [money_text(decimal_from_float(value)) for value in getattr(bars, name)[begin:end].tolist()]
        for name in ("open", "high", "low", "close", "volume")
    }
    rows = tuple(
        CandleRow(opened_at=iso(opened), **{name: column[place] for name, column in texts.items()})
        for place, opened in enumerate(bars.open_ms[begin:end].tolist())
    )
    return Page(items=rows, next=rows[-1].opened_at if rows and end < len(bars) else None)
