"""``tradefloor risk``: what a run, or the positions of a file, can lose."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import typer

from arena.candles import Lookback
from arena.commands.output import print_json
from arena.measured import Measured, Question, measure
from trading.domain.errors import RequestError, ToolFailure
from trading.domain.instants import duration_ms, iso
from trading.domain.instrument import parse_symbol
from trading.domain.money import money_text
from trading.marketdata import FloatArray
from trading.risk.measures import HorizonReturns, TailRisk, aligned_returns, horizon_returns
from trading.risk.report import RiskReport, risk_report
from trading.risk.simulation import SCENARIOS, Outcomes, Scenario, fit_model, outcomes, wealth_paths

CUSTOM = "custom"
_MOST_DRAWS = 40_000_000


def report(question: Question, *, horizon: str, as_json: bool) -> None:
    """Print every measure of the positions over the horizon."""
    measured = measure(question)
    found = _asked(measured, duration_ms(horizon))
    document = _report_document(measured, found, duration_ms(horizon))
    if as_json:
        print_json(document)
        return
    _print_report(document, found)


def simulate(
    question: Question, *, model: str, scenario: Scenario, horizon: str, step: str, paths: int, seed: int, as_json: bool
) -> None:
    """Print what comes of drawn paths of the positions' instruments."""
    measured = measure(question)
    book, step_ms = measured.book(measured.account), duration_ms(step)
    steps, rest = divmod(duration_ms(horizon), step_ms)
    symbols = list(book.weights)
    if rest or steps < 1:
        raise RequestError(f"--horizon {horizon} in steps of {step}: expected a whole number of steps")
    if not symbols:
        raise RequestError(f"{measured.name}: nothing is held, so there is nothing to simulate")
    if not 100 <= paths <= _MOST_DRAWS // (steps * len(symbols)):
        most = _MOST_DRAWS // (steps * len(symbols))
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
    document = {
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
        **_outcomes_document(found),
    }
    if as_json:
        print_json(document)
        return
    _print_outcomes(document)


def chosen_scenario(
    name: str, *, drift: float | None, volatility: float | None, correlation: float | None, shock: float | None
) -> Scenario:
    """The scenario of a name, or one of one's own; what belongs to ``custom`` is refused beside another name."""
    given = {"drift": drift, "volatility": volatility, "correlation": correlation, "shock": shock}
    own = {key: value for key, value in given.items() if value is not None}
    if name == CUSTOM:
        try:
            return Scenario(
                name=CUSTOM,
                drift=own.get("drift", 0.0),
                volatility=own.get("volatility", 1.0),
                correlation=own.get("correlation", 0.0),
                shock=own.get("shock", 0.0),
            )
        except ValueError as error:
            raise RequestError(str(error)) from error
    if name not in SCENARIOS:
        raise RequestError(f"--scenario {name!r}: expected one of {', '.join((*SCENARIOS, CUSTOM))}")
    if own:
        raise RequestError(f"--{next(iter(own))} belongs to --scenario {CUSTOM}; found --scenario {name}")
    return SCENARIOS[name]


def _asked(measured: Measured, horizon_ms: int) -> RiskReport:
    book = measured.book(measured.account)
    benchmark = next((symbol for symbol in book.weights if parse_symbol(symbol)[0] == "BTC"), None)
    try:
        return risk_report(
            book, measured.seen.bars, horizon_ms=horizon_ms, rng=np.random.default_rng(0), benchmark=benchmark
        )
    except ToolFailure as error:
        raise RequestError(str(error)) from error


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


def _report_document(measured: Measured, found: RiskReport, horizon_ms: int) -> dict[str, Any]:
    book = measured.book(measured.account)
    return {
        "of": measured.name,
        "as_of": iso(measured.seen.as_of_ms),
        "source": measured.seen.source,
        "horizon_s": horizon_ms // 1000,
        "observations": found.observations,
        "equity": money_text(measured.account.equity),
        "var": {method: _by_level(tail.var) for method, tail in found.tails.items()},
        "cvar": {method: _by_level(tail.cvar) for method, tail in found.tails.items()},
        "components": _components(found, book.weights),
        "desks": _desks(measured, found),
        "volatility": found.volatility,
        "benchmark": found.benchmark,
        "beta": found.beta,
        "drawdown_30d": _by_level(found.drawdown),
        "concentration": {
            "herfindahl": found.concentration.herfindahl,
            "effective_positions": found.concentration.effective,
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
        "stress": [
            {"shock": one.name, "loss": one.loss, "var_after": one.var_after, "exit_cost": one.exit_cost}
            for one in found.stress
        ],
        "backtest": {method: _backtest_row(found, method) for method in found.backtests},
        "notes": list(found.notes),
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
    """Each desk's part of the arena's parametric VaR at 99 %; the parts add up to it."""
    if found.attribution is None:
        return []
    marginal = dict(zip(found.instruments, found.attribution.marginal.tolist(), strict=True))
    rows = []
    for desk, account in measured.desks.items():
        weights = measured.book(account).weights
        component = sum(weight * marginal.get(symbol, 0.0) for symbol, weight in weights.items())
        rows.append({"desk": desk, "equity": money_text(account.equity), "component_var": component})
    return rows


def _backtest_row(found: RiskReport, method: str) -> dict[str, Any]:
    one = found.backtests[method]
    return {
        "level": 0.99,
        "observations": one.observations,
        "exceedances": one.exceedances,
        "expected": one.expected,
        "kupiec_p": one.coverage.p_value,
        "independence_p": None if one.independence is None else one.independence.p_value,
        "conditional_p": None if one.conditional is None else one.conditional.p_value,
        "light": one.light.value,
        "passes": one.passes(),
    }


def _outcomes_document(found: Outcomes) -> dict[str, Any]:
    return {
        "paths": found.paths,
        "mean": found.mean,
        "terminal": _by_level(found.terminal),
        "drawdown": _by_level(found.drawdown),
        "var": _by_level(found.var),
        "cvar": _by_level(found.cvar),
        "loss_probability": found.loss,
        "ruin_probability": found.ruin,
        "fan": {str(level): row.tolist() for level, row in found.fan.items()},
    }


def _by_level(values: Mapping[float, float | None]) -> dict[str, float | None]:
    return {str(level): value for level, value in values.items()}


def _print_report(document: Mapping[str, Any], found: RiskReport) -> None:
    hours = document["horizon_s"] / 3600
    typer.echo(f"{document['of']} at {document['as_of']} ({document['source']}), equity {document['equity']}")
    typer.echo(f"losses over {hours:g} h as a fraction of equity, from {document['observations']} past horizons")
    typer.echo(f"{'':<16}{'VaR 95 %':>10}{'VaR 99 %':>10}{'CVaR 95 %':>11}{'CVaR 99 %':>11}")
    for method, tail in found.tails.items():
        cells = [_percent(value) for value in _tail_row(tail)]
        typer.echo(f"{method.replace('_', ' '):<16}{cells[0]:>10}{cells[1]:>10}{cells[2]:>11}{cells[3]:>11}")
    for row in document["components"]:
        words = f"weight {row['weight']:+.3f}, component VaR 99 % {_percent(row['component_var'])}"
        typer.echo(f"{row['instrument']:<16}  {words}")
    for row in document["desks"]:
        typer.echo(f"desk {row['desk']:<16} equity {row['equity']}, component VaR {_percent(row['component_var'])}")
    for method, row in document["backtest"].items():
        words = f"{row['exceedances']} losses beyond the VaR of the next bar in {row['observations']}"
        verdict = "passes" if row["passes"] else "fails"
        typer.echo(f"back-test {method}: {words}, expected {row['expected']:.0f}: {verdict}, {row['light']}")
    for row in document["stress"]:
        typer.echo(f"{row['shock']:<20} loss {_percent(row['loss'])}, VaR 99 % of a day {_percent(row['var_after'])}")
    for note in document["notes"]:
        typer.echo(note)


def _print_outcomes(document: Mapping[str, Any]) -> None:
    days = document["horizon_s"] / 86_400
    typer.echo(f"{document['of']} at {document['as_of']} ({document['source']}), equity {document['equity']}")
    typer.echo(f"{document['paths']} paths of {days:g} d, model {document['model']}, scenario {document['scenario']}")
    typer.echo(f"{'':<18}" + "".join(f"{float(level) * 100:>9g} %" for level in document["terminal"]))
    for label, key in (("terminal wealth", "terminal"), ("deepest fall", "drawdown")):
        typer.echo(f"{label:<18}" + "".join(f"{value:>11.4f}" for value in document[key].values()))
    typer.echo(
        f"ends below today {_percent(document['loss_probability'])}, ruined {_percent(document['ruin_probability'])}"
    )
    typer.echo(f"VaR 99 % {_percent(document['var']['0.99'])}, CVaR 99 % {_percent(document['cvar']['0.99'])}")


def _tail_row(tail: TailRisk) -> list[float | None]:
    return [*tail.var.values(), *tail.cvar.values()]


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{value * 100:.2f} %"
