"""The risk report and the simulation of an account, computed: what `risk` prints and what pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from arena.candles import Lookback
from arena.measured import Measured
from arena.risk.document import outcomes_document, proposal_document, report_document
from arena.risk.season import season_backtest
from arena.settings import CONFIG, Settings
from trading.domain.errors import RequestError, ToolFailure
from trading.domain.instants import duration_ms, iso
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.money import money_text
from trading.marketdata import FloatArray
from trading.risk.account_risk import account_risk, mean_daily_volume
from trading.risk.measures import HorizonReturns, aligned_returns, horizon_returns
from trading.risk.report import RiskReport, risk_report
from trading.risk.simulation import Scenario, fit_model, outcomes, wealth_paths
from trading.venues.simulated.costs import venue_facts

MOST_DRAWS = 40_000_000
PAST_MS = 10 * 365 * 86_400_000
"""How far back the worst stretches are looked for, where candles reach."""


def computed_report(
    measured: Measured, settings: Settings, *, horizon: str, proposal: Mapping[str, Decimal], judged: bool = True
) -> dict[str, Any]:
    """The document of a risk report. ``judged`` back-tests the VaR of a run on its own season, which takes longest.

    Raises RequestError for what cannot be measured.
    """
    horizon_ms = duration_ms(horizon)
    return report_document(
        measured,
        _asked(measured, horizon_ms),
        horizon_ms=horizon_ms,
        season=season_backtest(measured, settings) if judged else None,
        proposal=_proposal(measured, proposal, horizon_ms),
    )


def of_desk(measured: Measured, desk: str) -> Measured:
    """One desk of a run, measured by itself. Raises RequestError for a stranger, and for one without equity."""
    if desk not in measured.desks:
        raise RequestError(
            f"{measured.name} has no desk {desk[:80]!r}; there are {', '.join(measured.desks) or 'none'}"
        )
    account = measured.desks[desk]
    if account.equity <= 0:
        raise RequestError(f"{desk} has no equity left, so nothing can be a fraction of it")
    return replace(measured, name=f"{measured.name}, {desk}", account=account, desks={desk: account})


def computed_simulation(
    measured: Measured, *, model: str, scenario: Scenario, horizon: str, step: str, paths: int, seed: int
) -> dict[str, Any]:
    """The document of a simulation. Raises RequestError for what cannot be simulated."""
    book, step_ms = measured.book(measured.account), duration_ms(step)
    steps, rest = divmod(duration_ms(horizon), step_ms)
    symbols = list(book.weights)
    if rest or steps < 1:
        raise RequestError(f"--horizon {horizon} in steps of {step}: expected a whole number of steps")
    if not symbols:
        raise RequestError(f"{measured.name}: nothing is held, so there is nothing to simulate")
    if not 100 <= paths <= MOST_DRAWS // (steps * len(symbols)):
        most = MOST_DRAWS // (steps * len(symbols))
        raise RequestError(f"--paths {paths}: expected 100 to {most} for {steps} steps of {len(symbols)} instruments")
    past = _log_returns(measured.seen, symbols, step_ms)
    rng = np.random.default_rng(seed)
    try:
        draws = fit_model(model, past).draw(paths=paths, steps=steps, rng=rng)
    except ValueError as error:
        raise RequestError(
            f"{len(past)} past steps of {step}: {error}; look back further (--lookback) or take shorter steps (--step)"
        ) from error
    drawn = scenario.apply(draws, symbols, step_ms, rng=rng)
    found = outcomes(wealth_paths(np.array(list(book.weights.values())), drawn))
    return {
        "of": measured.name,
        "as_of": iso(measured.seen.as_of_ms),
        "source": measured.seen.source,
        "equity": money_text(measured.account.equity),
        "model": model,
        "scenario": scenario.name,
        "seed": seed,
        "step_s": step_ms // 1000,
        "horizon_s": steps * step_ms // 1000,
        "past_steps": len(past),
        **outcomes_document(found),
    }


def _asked(measured: Measured, horizon_ms: int) -> RiskReport:
    book = measured.book(measured.account)
    benchmark = next((symbol for symbol in book.weights if parse_symbol(symbol)[0] == "BTC"), None)
    try:
        return risk_report(
            book,
            measured.seen.bars,
            horizon_ms=horizon_ms,
            rng=np.random.default_rng(0),
            benchmark=benchmark,
            past=measured.look_back(PAST_MS).bars,
        )
    except ToolFailure as error:
        raise RequestError(str(error)) from error


def _proposal(measured: Measured, changes: Mapping[str, Decimal], horizon_ms: int) -> dict[str, Any] | None:
    """What a proposed trade would change; None without one."""
    if not changes:
        return None
    book, equity = measured.book(measured.account), float(measured.account.equity)
    after = dict(book.weights)
    for symbol, quantity in changes.items():
        after[symbol] = after.get(symbol, 0.0) + float(quantity) * float(measured.prices[symbol]) / equity
    bars = measured.seen.bars
    history = {symbol: horizon_returns(bars[symbol], horizon_ms) for symbol in after}
    traded = {symbol: mean_daily_volume(bars[symbol]) * float(measured.prices[symbol]) / equity for symbol in after}
    margin = float(venue_facts(CONFIG / "venues.toml")["perp"]["maintenance_margin"])
    perps = {symbol: margin for symbol in after if parse_symbol(symbol)[2] is InstrumentKind.PERP}
    before, then = (
        account_risk(weights, history, maintenance={**perps, **measured.maintenance}, daily_volume=traded)
        for weights in (book.weights, after)
    )
    return proposal_document(changes, before, then)


def _log_returns(seen: Lookback, symbols: Sequence[str], step_ms: int) -> FloatArray:
    """Log returns over whole steps that do not overlap, shape (n, instruments)."""
    try:
        over_step = {symbol: horizon_returns(seen.bars[symbol], step_ms) for symbol in symbols}
    except ToolFailure as error:
        raise RequestError(str(error).replace("horizon", "--step")) from error
    apart: dict[str, HorizonReturns] = {}
    for symbol, one in over_step.items():
        whole = (one.start_ms + seen.step_ms) % step_ms == 0
        apart[symbol] = HorizonReturns(
            instrument=symbol, steps=one.steps, start_ms=one.start_ms[whole], returns=one.returns[whole]
        )
    moves: FloatArray = np.log1p(aligned_returns(symbols, apart)[1])
    return moves
