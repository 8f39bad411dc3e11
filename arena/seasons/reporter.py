"""The reporter: watches a season as it plays and publishes what there is to see of it."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from arena.seasons.conduct import Conduct, DeskConduct
from arena.seasons.feed import Feed
from arena.seasons.forecast_board import ForecastBoard, forecast_board
from arena.seasons.live import LiveFloor, opening_snapshot
from arena.seasons.portrait import DeskPortrait, portrait
from arena.seasons.runner import SeasonRun
from arena.seasons.scoring import score_pairwise
from arena.seasons.snapshot import Curve, DeskCard, FloorSnapshot, LuckBand, PairOdds, PositionRow
from arena.seasons.standing import Standing
from arena.seasons.tally import Tally
from evals.records import DeskRecord, MarketRecord
from trading.domain.intent import OrderType
from trading.domain.money import money_text
from trading.engine import Engine
from trading.stats import FloatArray, holdings, luck_band
from trading.storage.journal import Telemetry

POINTS = 400
"""An equity curve is thinned to this many points before it is sent."""

PUBLISH_EVERY_S = 0.5
SCORE_EVERY_S = 10.0

log = logging.getLogger("tradefloor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The last scoring: it takes about a second, so it runs beside the season and pages show the newest there is."""

    standings: tuple[Standing, ...] = ()
    luck: LuckBand | None = None
    forecasts: ForecastBoard | None = None
    odds: PairOdds | None = None
    portraits: tuple[DeskPortrait, ...] = ()


class Reporter:
    """Watches a season and publishes what there is to see: positions every round, scores when they are ready."""

    def __init__(self, floor: LiveFloor, engine: Engine, telemetry: Telemetry, *, home: Path | None = None) -> None:
        """``home`` is the folder with the trained models that are shown beside the season."""
        self._floor = floor
        self._home = home
        self._engine = engine
        self._telemetry = telemetry
        self._tally = Tally()
        self._feed = Feed()
        self._conduct = Conduct()
        self._scores = Scores()
        self._scoring: asyncio.Task[None] | None = None
        self._due: asyncio.TimerHandle | None = None
        self._last_publish = self._last_score = float("-inf")
        self.run: SeasonRun | None = None
        engine.watch(self._tally)
        engine.watch(self._feed)
        engine.watch(self._conduct)

    def on_round(self, index: int) -> None:
        """Called after each committed round."""
        now = time.monotonic()
        if now - self._last_score >= SCORE_EVERY_S and (self._scoring is None or self._scoring.done()):
            self._last_score = now
            self._scoring = asyncio.get_running_loop().create_task(self._score())
            self._scoring.add_done_callback(lambda _: self._publish_soon())
        self._publish_soon()

    def publish(self, status: str) -> None:
        """Publish the season as it stands."""
        self._cancel_due()
        self._last_publish = time.monotonic()
        self._floor.publish(self._build(status))

    def _publish_soon(self) -> None:
        """Publish now, or once the last time is long enough ago: what came last is always shown, and whole."""
        self._cancel_due()
        if self._engine.round is not None:  # its end comes here again
            return
        if self._engine.is_closed:  # the end of the season is published by itself
            return
        wait_s = self._last_publish + PUBLISH_EVERY_S - time.monotonic()
        if wait_s <= 0:
            self.publish("running")
        else:
            self._due = asyncio.get_running_loop().call_later(wait_s, self._publish_soon)

    def _cancel_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    async def finish(self, status: str) -> None:
        """Publish the end, of a season that will not go on with its final scores."""
        if self._scoring is not None:
            await self._scoring
            await asyncio.sleep(0)  # its callback comes before the end is published
        if status in ("finished", "out of budget"):
            await self._score()
        self.publish(status)

    async def _score(self) -> None:
        records, market = self._tally.desk_records(self._telemetry.latencies("decision")), self._tally.market_record()
        seed = int(self._tally.rules_sha256[:12], 16)
        costs = self._tally.taker_fee_bps + self._tally.slippage_bps
        conduct = deepcopy(self._conduct.desks)
        try:
            self._scores = await asyncio.to_thread(_scores, records, market, conduct, seed, costs, self._home)
        except Exception:  # the border of a job beside the season: trading must not end because a score failed
            log.exception("the standings could not be scored")

    def _build(self, status: str) -> FloorSnapshot:
        engine, tally = self._engine, self._tally
        setup = engine.setup
        halted = tally.halted
        standings = {standing.desk: standing for standing in self._scores.standings}
        desks = [self._card(slot, name, standings.get(name)) for slot, name in enumerate(tally.desks)]
        return replace(
            opening_snapshot(setup, self.run.run_id if self.run else ""),
            status="halted" if halted and status == "running" else status,
            status_text=(f"Halted: {halted}" if halted else status.capitalize()) + self._memory_words(),
            as_of_ms=tally.ts_ms[-1] if tally.ts_ms else setup.start_ms,
            round_index=max(0, len(tally.ts_ms) - 1),
            prices=tuple(zip(tally.symbols, tally.closes[-1], strict=True)) if tally.closes else (),
            desks=tuple(sorted(desks, key=lambda card: (card.rank, -card.total_return, card.slot))),
            benchmark=self._benchmark(),
            benchmark_name=f"{tally.symbols[0].split('-')[0]} held" if tally.symbols else "",
            luck=self._scores.luck,
            forecasts=self._scores.forecasts,
            odds=self._scores.odds,
            portraits=self._scores.portraits,
            limits=tuple(self._conduct.limits.items()),
            decisions=self._feed.decisions(self._telemetry),
            trades=self._feed.trades(),
            newest_forecasts=self._feed.forecasts(),
            books=self._feed.books(),
            breaker="halted" if halted else "armed",
            halt_reason=halted,
            memory_lost=self.run.memory_lost if self.run else None,
        )

    def _memory_words(self) -> str:
        lost = self.run.memory_lost if self.run else None
        return f". Trade memory is unavailable: {lost}" if lost else ""

    def _card(self, slot: int, name: str, standing: Standing | None) -> DeskCard:
        tally, desk = self._tally, self._tally.desks[name]
        start = float(desk.deposited) or 1.0
        last_action, last_action_ms = self._feed.last_action.get(name, ("", None))
        return DeskCard(
            slot=slot,
            name=name,
            tag=_tag(name, list(tally.desks)),
            kind=desk.kind,
            models=tuple(desk.models.items()),
            status=tally.status(name),
            equity=float(desk.equity_exact),
            total_return=float(desk.equity_exact) / start - 1,
            return_ci95=standing.return_ci95 if standing else None,
            max_drawdown=_drawdown(desk.equity),
            sharpe=standing.sharpe if standing else None,
            sharpe_ci95=standing.sharpe_ci95 if standing else None,
            luck_percentile=standing.luck_percentile if standing else None,
            rank=standing.rank if standing else 1,
            rank_last=standing.rank_last if standing else len(tally.desks),
            tied_with=standing.tied_with if standing else (),
            fees=float(desk.fees),
            turnover=float(desk.traded) / start,
            decisions=sum(desk.statuses.values()),
            acted=desk.statuses.get("acted", 0),
            held=desk.statuses.get("held", 0),
            abstained=desk.statuses.get("abstained", 0),
            failovers=desk.failovers,
            refused_intents=desk.refused,
            llm_calls=desk.calls,
            usd=desk.usd,
            brier_skill=standing.brier_skill if standing else None,
            last_action=last_action,
            last_action_ms=last_action_ms,
            positions=self._positions(name),
            curve=_curve(tally.ts_ms, desk.equity),
        )

    def _positions(self, name: str) -> tuple[PositionRow, ...]:
        prices = dict(zip(self._tally.symbols, self._tally.closes[-1], strict=True)) if self._tally.closes else {}
        rows = []
        for symbol, position in self._engine.ledger.accounts[name].positions.items():
            average = position.average_price
            price = Decimal(repr(prices[symbol]))
            rows.append(
                PositionRow(
                    instrument=symbol,
                    quantity=money_text(position.quantity),
                    value=float(position.value(price)),
                    average_price=None if average is None else float(average),
                    unrealised=float(position.unrealised(price)),
                    exits=self._exits(name, symbol),
                )
            )
        return tuple(rows)

    def _exits(self, name: str, symbol: str) -> tuple[tuple[str, float], ...]:
        guards = [order for order in self._engine.orders.of(name) if order.is_protective and order.instrument == symbol]
        kinds = {OrderType.TAKE_PROFIT: "target", OrderType.TRAILING_STOP: "trail"}
        found = [
            (kinds.get(order.order_type, "stop"), order.trigger_price if order.trail is None else order.trail)
            for order in guards
        ]
        return tuple((kind, float(value)) for kind, value in found if value is not None)

    def _benchmark(self) -> Curve | None:
        closes = [row[0] for row in self._tally.closes]
        if not closes or closes[0] != closes[0]:
            return None
        capital = float(self._tally.capital)
        return _curve(self._tally.ts_ms, [capital * close / closes[0] for close in closes])


def _scores(
    records: Sequence[DeskRecord],
    market: MarketRecord,
    conduct: Mapping[str, DeskConduct],
    seed: int,
    costs_bps: float,
    home: Path | None,
) -> Scores:
    standings, growth = score_pairwise(records, market, rng=np.random.default_rng(seed))
    held = [holdings(record.quantities, market.closes, record.equity) for record in records]
    band = luck_band(
        market.closes,
        gross_exposure=float(np.mean([one.gross_exposure for one in held])),
        turnover=float(np.mean([one.turnover for one in held])),
        cost_bps=costs_bps,
        allows_short=market.allows_short,
        rng=np.random.default_rng(seed),
    )
    pick = _thinned(len(market.ts_ms))
    return Scores(
        standings=tuple(standings),
        luck=LuckBand(
            ts_ms=tuple(int(ts) for ts in market.ts_ms[pick]),
            q05=tuple(band.q05[pick].tolist()),
            q25=tuple(band.q25[pick].tolist()),
            q75=tuple(band.q75[pick].tolist()),
            q95=tuple(band.q95[pick].tolist()),
        ),
        forecasts=forecast_board({record.name: record.forecasts for record in records}, home),
        odds=pair_odds([record.name for record in records], growth),
        portraits=tuple(portrait(record, market, conduct[record.name], pick) for record in records),
    )


def pair_odds(names: Sequence[str], growth: FloatArray) -> PairOdds:
    """How often each desk outgrew each other one; ``growth`` (resamples, desks) is NaN where it is not known."""

    def ahead(row: int, column: int) -> float | None:
        mine, other = growth[:, row], growth[:, column]
        if row == column or not growth.size or not np.isfinite(mine + other).all():
            return None
        return float((mine > other).mean() + 0.5 * (mine == other).mean())

    desks = range(len(names))
    return PairOdds(
        names=tuple(names),
        ahead=tuple(tuple(ahead(row, column) for column in desks) for row in desks),
        resamples=len(growth),
    )


def _thinned(length: int) -> list[int]:
    """Indices of at most ``POINTS`` points, evenly spaced, with the first and the last."""
    if length <= POINTS:
        return list(range(length))
    return [int(at) for at in np.unique(np.linspace(0, length - 1, POINTS).round())]


def _curve(ts_ms: Sequence[int], equity: Sequence[float]) -> Curve:
    pick = _thinned(min(len(ts_ms), len(equity)))
    return Curve(ts_ms=tuple(ts_ms[at] for at in pick), equity=tuple(equity[at] for at in pick))


def _drawdown(equity: Sequence[float]) -> float:
    if not equity:
        return 0.0
    values = np.asarray(equity)
    peaks = np.maximum.accumulate(values)
    return float(((peaks - values) / peaks).max())


def _tag(name: str, names: Sequence[str]) -> str:
    """Three letters for the end of a line, different for each desk of a season."""
    taken: set[str] = set()
    for other in names:
        letters = other.replace("-", "").upper()
        options = [
            letters[:3],
            *(letters[:2] + letter for letter in letters[3:]),
            *(letters[:2] + str(n) for n in range(10)),
        ]
        tag = next((option for option in options if option not in taken), letters[:3])
        taken.add(tag)
        if other == name:
            return tag
    return name[:3].upper()
