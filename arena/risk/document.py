"""The risk report and the simulation as JSON documents, which text and pages are made from."""

from collections.abc import Mapping
from typing import Any

from arena.holdings import Account
from arena.measured import Measured
from arena.options import greeks_by_base, option_results
from arena.risk.season import SeasonBacktest, backtest_row
from trading.domain.instants import iso
from trading.domain.money import money_text
from trading.risk.account_risk import AccountRisk
from trading.risk.measures import Greeks
from trading.risk.report import BACKTEST_LEVEL, RiskReport
from trading.risk.simulation import SHOCKS, Outcomes, is_liquidated

_OPTIONS_NOTE = "options stand in VaR and its back-test by their delta; shocks value them anew"


def report_document(
    measured: Measured,
    found: RiskReport,
    *,
    horizon_ms: int,
    season: SeasonBacktest | None = None,
    proposal: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that a report says."""
    book = measured.book(measured.account)
    return {
        "of": measured.name,
        "as_of": iso(measured.seen.as_of_ms),
        "source": measured.seen.source,
        "horizon_s": horizon_ms // 1000,
        "observations": found.observations,
        "equity": money_text(measured.account.equity),
        "gross": sum(map(abs, book.weights.values())),
        "net": sum(book.weights.values()),
        "var": {method: by_level(tail.var) for method, tail in found.tails.items()},
        "cvar": {method: by_level(tail.cvar) for method, tail in found.tails.items()},
        "components": _components(found, book.weights),
        "desks": _desks(measured, found),
        "volatility": found.volatility,
        "benchmark": found.benchmark,
        "beta": found.beta,
        "drawdown_30d": by_level(found.drawdown.quantiles) if found.drawdown else {},
        "drawdown_30d_mean": found.drawdown.mean if found.drawdown else None,
        "drawdown_30d_worst_5pct": found.drawdown.tail_mean if found.drawdown else None,
        "concentration": {
            "herfindahl": found.concentration.herfindahl,
            "effective_positions": found.concentration.effective,
            "effective_bets": found.effective_bets,
            "largest_share": found.concentration.largest,
            "largest": found.concentration.instrument,
        },
        "correlation": None
        if found.correlation is None
        else {
            "instruments": list(found.instruments),
            "matrix": found.correlation.matrix.tolist(),
            "shrinkage": found.correlation.shrinkage,
        },
        "margin": {
            "used": found.margin.used,
            "liquidation_if_all_fall": found.margin.falling,
            "liquidation_if_all_rise": found.margin.rising,
        },
        "days_to_close": dict(found.days_to_close),
        "stress": _stress(measured, found),
        "windows": _windows(found),
        "options": _options(measured),
        "backtest": {method: backtest_row(one, BACKTEST_LEVEL) for method, one in found.backtests.items()},
        "trail": None
        if found.trail is None
        else {
            "begin": iso(int(found.trail.ts_ms[0])),
            "end": iso(int(found.trail.ts_ms[-1])),
            "returns": found.trail.returns.tolist(),
            "var": found.trail.var.tolist(),
        },
        "season_backtest": None if season is None else season.to_json(),
        "proposal": proposal,
        "notes": [*found.notes, *([_OPTIONS_NOTE] if measured.options else [])],
    }


def proposal_document(changes: Mapping[str, Any], before: AccountRisk, after: AccountRisk) -> dict[str, Any]:
    """What a proposed trade would change."""
    return {
        "changes": {symbol: money_text(quantity) for symbol, quantity in changes.items()},
        "before": _account(before),
        "after": _account(after),
    }


def outcomes_document(found: Outcomes) -> dict[str, Any]:
    """What came of drawn paths."""
    return {
        "paths": found.paths,
        "mean": found.mean,
        "terminal": by_level(found.terminal),
        "drawdown": by_level(found.drawdown),
        "var": by_level(found.var),
        "cvar": by_level(found.cvar),
        "loss_probability": found.loss,
        "ruin_probability": found.ruin,
        "fan": {str(level): row.tolist() for level, row in found.fan.items()},
    }


def by_level(values: Mapping[float, float | None]) -> dict[str, float | None]:
    """Values by a level, which JSON knows as a text."""
    return {str(level): value for level, value in values.items()}


def _account(found: AccountRisk) -> dict[str, Any]:
    return {
        "var": by_level(found.tail.var),
        "cvar": by_level(found.tail.cvar),
        "gross": found.gross,
        "net": found.net,
        "deviation": found.deviation,
        "components": None if found.components is None else dict(found.components),
        "effective_positions": found.concentration.effective,
        "margin_used": found.margin.used,
        "liquidation_if_all_fall": found.margin.falling,
        "liquidation_if_all_rise": found.margin.rising,
        "days_to_close": found.days_to_close,
    }


def _components(found: RiskReport, weights: Mapping[str, float]) -> list[dict[str, Any]]:
    parts = found.attribution
    if parts is None:
        return []
    rows = [
        {
            "instrument": symbol,
            "weight": weights[symbol],
            "marginal_var": float(parts.marginal[at]),
            "component_var": float(parts.component[at]),
            "share": float(parts.share[at]),
        }
        for at, symbol in enumerate(found.instruments)
    ]
    return sorted(rows, key=lambda row: -row["component_var"])


def _desks(measured: Measured, found: RiskReport) -> list[dict[str, Any]]:
    """Each desk's part of the arena's parametric VaR at 99 % (the parts add up to it), and what would liquidate it.

    ``marginal_var`` is what a unit more of the desk's whole book, as a fraction of the arena's equity, adds.
    """
    marginal: dict[str, float] = {}
    if found.attribution is not None:
        marginal = dict(zip(found.instruments, found.attribution.marginal.tolist(), strict=True))
    rows = []
    for desk, account in measured.desks.items():
        weights = measured.book(account).weights
        component = sum(weight * marginal.get(symbol, 0.0) for symbol, weight in weights.items())
        gross = sum(map(abs, weights.values()))
        rows.append(
            {
                "desk": desk,
                "equity": money_text(account.equity),
                "gross": gross,
                "component_var": component if marginal or not weights else None,
                "marginal_var": component / gross if gross and marginal else None,
                "liquidated_by": _liquidated_by(measured, account),
            }
        )
    return rows


def _liquidated_by(measured: Measured, account: Account) -> list[str]:
    """The hypothetical shocks that a desk's own account does not survive."""
    share = float(account.equity) / float(measured.account.equity)
    weights = measured.book(account).weights
    fatal = []
    for shock in SHOCKS:
        values = {symbol: weight * (1.0 + shock.price) for symbol, weight in weights.items()}
        paid = sum(weights[symbol] * shock.funding for symbol in weights if symbol in measured.maintenance)
        equity = share + sum(weights.values()) * shock.price - paid
        if is_liquidated(equity, values, measured.maintenance):
            fatal.append(shock.name)
    return fatal


def _stress(measured: Measured, found: RiskReport) -> list[dict[str, Any]]:
    """Shocks with options valued anew, in the place of the delta by which they stand in the book."""
    equity = float(measured.account.equity)
    anew = option_results(measured.options, SHOCKS)
    delta = {measured.underlyings[held.option.base]: 0.0 for held in measured.options}
    for held in measured.options:
        delta[measured.underlyings[held.option.base]] += held.greeks.delta * held.spot / equity
    rows = []
    for shock, one in zip(SHOCKS, found.stress, strict=False):
        results = {symbol: gain - delta.get(symbol, 0.0) * shock.price for symbol, gain in one.results.items()}
        if measured.options:
            results["options"] = anew[shock.name] / equity
        rows.append(
            {
                "shock": one.name,
                "loss": 0.0 - sum(results.values()),
                "positions": results,
                "liquidated": one.liquidated,
                "var_after": one.var_after,
                "exit_cost": one.exit_cost,
            }
        )
    return rows


def _windows(found: RiskReport) -> list[dict[str, Any]]:
    return [
        {
            "window": one.window.name,
            "begin": iso(one.window.begin_ms),
            "end": iso(one.window.end_ms),
            "loss": one.loss,
            "deepest": one.deepest,
            "positions": dict(one.results),
            "liquidated": one.liquidated,
            "missing": list(one.missing),
        }
        for one in found.windows
    ]


def _options(measured: Measured) -> dict[str, Any] | None:
    if not measured.options:
        return None
    return {
        "positions": [
            {"option": held.name, "quantity": held.quantity, **_greeks(held.greeks, held.spot)}
            for held in measured.options
        ],
        "by_coin": {
            base: _greeks(total, next(held.spot for held in measured.options if held.option.base == base))
            for base, total in greeks_by_base(measured.options).items()
        },
    }


def _greeks(found: Greeks, spot: float) -> dict[str, float]:
    """In the units that people say: coins, quote currency a move of 1 %, a point of volatility, a day."""
    return {
        "value": found.value,
        "delta": found.delta,
        "gamma_1pct": found.gamma * spot * 0.01,
        "vega_1pt": found.vega * 0.01,
        "theta_1d": found.theta / 365.0,
    }
