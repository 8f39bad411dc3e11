"""A case set up on the kernel that seasons run on, so that a desk decides and trades in it as it would there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.brief import Costs as StatedCosts
from agents.brief import RoundBrief
from agents.feedback import feedback_line
from evals.alterations import parse_alterations
from evals.case import Case, MarketSpec
from evals.planted import planted_memory
from evals.question import Recall
from graphs import Seat
from tools.context import ToolContext
from trading.domain import Decision, DecisionStatus, Forecast, Side, TradeIntent, Verdict, ids
from trading.domain.errors import ConfigError, DataError
from trading.domain.instants import duration_ms, duration_text, iso
from trading.domain.money import decimal_from_float
from trading.engine import Engine, Entrant, Setup
from trading.marketdata import SimulationSpec, Tape, TapeView, expand_paths, load_tape, simulate
from trading.marketdata.masking import Mask, draw_mask, masked_tape, reordered_tape
from trading.risk import Limits, LimitUse
from trading.storage.journal import NullJournal
from trading.venues.simulated import Costs, list_instruments

HISTORY_BARS = 1000
_DEADLINE_S = 120.0
_DAY_MS = 86_400_000
_HOLD_REASON = "The case begins with this position."


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds for every case of a run: the house's limits, costs and venue facts, and where recorded files lie."""

    limits: Limits
    costs: Costs
    facts: Mapping[str, Any]
    data_root: Path | None = None
    mode: str = "balanced"


class Stage:
    """One case on the kernel: the market stands at the instant of the case, the account holds what the case says.

    The position is built earlier (a candle, or what the case says) by market orders through gate and venue, so it is
    what those let through. What the case alters about the market holds for all of it: under a mask, instants, names
    and prices are the mask's everywhere. Raises DataError where the market of the case does not reach from before its
    position to the end of its horizon.
    """

    def __init__(self, case: Case, desk: str, conditions: Conditions) -> None:
        self.case = case
        self._desk = desk
        self._conditions = conditions
        self.tape, mask = _altered(_tape(case, conditions.data_root), case)
        tape = self.tape
        self._at_ms = case.at_ms + (mask.shift_ms if mask else 0)
        start_ms = self._at_ms - (case.since_ms or tape.step_ms)
        self._engine = Engine(
            setup=Setup(
                season=f"eval-{case.sha256[:12]}",
                seed=case.market.seed,
                start_ms=start_ms,
                end_ms=self._at_ms + case.horizon_ms + tape.step_ms,
                every_ms=tape.step_ms,
                capital=Decimal(case.capital),
                mode=conditions.mode,
                source=tape.source,
                rules_sha256=case.sha256,
                entrants=(Entrant(desk=desk, kind="strategy", models={}),),
                instruments=list_instruments(tape, start_ms, conditions.facts),
            ),
            tape=tape,
            limits=conditions.limits,
            costs=conditions.costs,
            journal=NullJournal(),
        )
        self._engine.open_season()
        opened = self._engine.open_round(0, start_ms)
        self._engine.submit(_opening(case, desk, opened.view, self._engine.setup.instruments, mask))
        self._engine.close_round()
        self._engine.open_round(1, self._at_ms)

    @property
    def equity(self) -> Decimal:
        """The account's equity now."""
        return self._engine.account(self._desk).equity

    def seat(self, epoch: int, attempt: int = 0) -> Seat:
        """The desk's place at the instant of the case."""
        engine, conditions = self._engine, self._conditions
        opened, account = engine.round, engine.account(self._desk)
        if opened is None:
            raise ValueError("the case has been played out")
        costs, setup = conditions.costs, engine.setup
        tells = bool(self.case.refused or self.case.since)
        return Seat(
            tools=ToolContext(
                view=opened.view,
                account=account,
                instruments=setup.instruments,
                limits=LimitUse(limits=engine.limits, account=account),
                preview=lambda intents: engine.preview(self._desk, intents),
                round_index=1,
                memory=None
                if self.case.memory is None
                else planted_memory(self.case, self.tape, opened.view, self._desk),
            ),
            season=setup.season,
            round_index=1,
            rounds=setup.rounds,
            decision_id=ids.decision_id(setup.season, self._desk, 1),
            thread_id=f"{setup.season}:{self._desk}:{epoch}:{attempt}",
            brief=RoundBrief(
                costs=StatedCosts(
                    taker_fee_bps=float(costs.taker_fee_bps),
                    maker_fee_bps=float(costs.maker_fee_bps),
                    slippage_bps=float(costs.slippage_bps),
                    latency_ms=costs.latency_ms,
                ),
                mode=conditions.mode,
                timeframe=duration_text(self.tape.step_ms),
                every=self.case.horizon,
                instruments=tuple(setup.instruments),
                feedback=tuple(feedback_line(row) for row in engine.feedback.of(self._desk)) if tells else (),
                deadline_s=_DEADLINE_S,
            ),
        )

    def play_out(self, decision: Decision | None) -> Sequence[Verdict]:
        """Carry ``decision`` out, or nothing, and move on to the end of the horizon. Gives the gate's verdicts."""
        verdicts = [] if decision is None else self._engine.submit(decision)
        self._engine.close_round()
        self._engine.open_round(2, self._at_ms + self.case.horizon_ms)
        return verdicts

    def outcome(self, forecast: Forecast) -> float | None:
        """The price return that ``forecast`` was about; None where its horizon is longer than the case's."""
        if forecast.horizon_s * 1000 > self.case.horizon_ms or forecast.instrument not in self.tape.symbols:
            return None
        before = TapeView(self.tape, self._at_ms).quote(forecast.instrument)
        after = TapeView(self.tape, self._at_ms + forecast.horizon_s * 1000).quote(forecast.instrument)
        return after.price / before.price - 1.0

    def recalled(self, recall: Recall, tolerance: float) -> tuple[float, float]:
        """The price that is asked for, and how often somebody hits it within ``tolerance`` who knows only its time.

        That is the share of closes, from two weeks before it to two weeks after and a day away from it, that lie within
        ``tolerance`` (a fraction) of it. Raises DataError for an instant that is not on the tape before the case.
        """
        tape, row = self.tape, self.tape.index[recall.instrument]
        known = tape.bars_known_at(recall.at_ms)
        if not known or recall.at_ms >= self._at_ms or tape.last_row[row, known - 1] < 0:
            raise DataError(f"{recall.instrument} at {recall.at}: no closed candle of it before the case")
        truth = float(tape.close[row, tape.last_row[row, known - 1]])
        ends = tape.open_ms + tape.step_ms
        around = (np.abs(ends - recall.at_ms) <= 14 * _DAY_MS) & (np.abs(ends - recall.at_ms) >= _DAY_MS)
        others = tape.close[row, around & (ends <= self._at_ms)]
        others = others[np.isfinite(others)]
        return truth, float(np.mean(np.abs(others / truth - 1.0) <= tolerance)) if others.size else 0.0


def tape_of(case: Case, data_root: Path | None = None) -> Tape:
    """The market of a case, to the end of its horizon."""
    return _tape(case, data_root)


def _opening(case: Case, desk: str, view: Any, instruments: Mapping[str, Any], mask: Mask | None) -> Decision:
    named = [
        (symbol if mask is None else mask.names[symbol], share)
        for asked in (case.holding, case.refused)
        for symbol, share in asked.items()
    ]
    intents = tuple(
        TradeIntent(
            instrument=symbol,
            side=Side.BUY if share > 0 else Side.SELL,
            quantity=_quantity(abs(share) * case.capital / view.quote(symbol).price, instruments[symbol].lot),
            reason=_HOLD_REASON,
        )
        for symbol, share in named
        if share
    )
    return Decision(
        decision_id=ids.decision_id(f"eval-{case.sha256[:12]}", desk, 0),
        desk=desk,
        round_index=0,
        status=DecisionStatus.ACTED if intents else DecisionStatus.HELD,
        intents=intents,
    )


def _quantity(units: float, lot: Decimal) -> Decimal:
    lots = max(Decimal(1), (decimal_from_float(units) / lot).to_integral_value())
    return lots * lot


def _altered(tape: Tape, case: Case) -> tuple[Tape, Mask | None]:
    """The tape as the case alters it, and the mask it is under."""
    changes = parse_alterations(case.alters)
    if changes.reorder:
        tape = reordered_tape(tape)
    if changes.mask is None:
        return tape, None
    mask = draw_mask(tape.symbols, changes.mask)
    return masked_tape(tape, mask), mask


def _tape(case: Case, root: Path | None) -> Tape:
    """The tape of a case. Cases of one simulation share one long tape; recorded files are cut to the case."""
    market, at_ms, horizon_ms = case.market, case.at_ms, case.horizon_ms
    step_ms = duration_ms(market.step)
    if market.kind == "simulated":
        tape = _simulated(market, market.window_ms or _window(at_ms, horizon_ms, step_ms))
    else:
        tape = _recorded(market, at_ms, horizon_ms, root)
    needed = at_ms - (case.since_ms or tape.step_ms), at_ms + horizon_ms
    first, last = int(tape.open_ms[0]), int(tape.open_ms[-1]) + tape.step_ms
    if needed[0] < first or needed[1] > last:
        raise DataError(
            f"market {tape.source}: bars from {iso(first)} to {iso(last)}; the case needs {iso(needed[0])} to "
            f"{iso(needed[1])}"
        )
    return tape


def _window(at_ms: int, horizon_ms: int, step_ms: int) -> tuple[int, int]:
    """A span of whole months of 30 days that holds the case, so that its neighbours can share the tape."""
    block = 30 * 86_400_000
    return at_ms // block * block - HISTORY_BARS * step_ms, (at_ms + horizon_ms + step_ms) // block * block + block


@lru_cache(maxsize=16)
def _simulated(market: MarketSpec, window: tuple[int, int]) -> Tape:
    start_ms, end_ms = window
    return simulate(
        SimulationSpec(
            symbols=market.symbols,
            start_ms=start_ms,
            end_ms=end_ms,
            step_ms=duration_ms(market.step),
            seed=market.seed,
        )
    )


@lru_cache(maxsize=64)
def _recorded(market: MarketSpec, at_ms: int, horizon_ms: int, root: Path | None) -> Tape:
    if root is None:
        raise ConfigError("the case is about recorded candles: name their folder with --data-root or TRADEFLOOR_DATA")
    return load_tape(
        expand_paths(market.paths, root),
        expand_paths(market.funding, root),
        market.symbols,
        at_ms - duration_ms(market.step),
        at_ms + horizon_ms,
        history_bars=HISTORY_BARS,
    )
