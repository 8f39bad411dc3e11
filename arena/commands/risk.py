"""``tradefloor risk``: what a run, or the positions of a file, can lose."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from arena.candles import Lookback
from arena.commands.output import print_json
from arena.commands.risk_text import print_outcomes, print_report
from arena.measured import Question, measure
from arena.risk.asked_report import asked_report
from arena.risk.document import outcomes_document
from arena.risk.scenario_file import read_scenario
from trading.domain.errors import RequestError, ToolFailure
from trading.domain.instants import duration_ms, iso
from trading.domain.instrument import parse_symbol
from trading.domain.money import ZERO, money_text
from trading.marketdata import FloatArray
from trading.risk.measures import HorizonReturns, aligned_returns, horizon_returns
from trading.risk.simulation import SCENARIOS, Scenario, fit_model, outcomes, wealth_paths

CUSTOM = "custom"
_MOST_DRAWS = 40_000_000
_MOST_QUANTITY = Decimal(10) ** 15


def report(question: Question, *, horizon: str, as_json: bool, html: Path | None = None) -> None:
    """Print every measure of the positions over the horizon; with ``html``, write them as a page too."""
    document = asked_report(question, horizon_ms=duration_ms(horizon))
    if html is not None:
        from arena.ui.risk.page import report_page

        write_page(html, report_page(document))
    if as_json:
        print_json(document)
        return
    print_report(document)


def chosen_changes(texts: Sequence[str]) -> dict[str, Decimal]:
    """``INSTRUMENT=QUANTITY`` as changes of positions. Raises RequestError for anything else."""
    changes: dict[str, Decimal] = {}
    for text in texts:
        symbol, sign, quantity = text.partition("=")
        try:
            number = Decimal(quantity) if sign else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > _MOST_QUANTITY:
            raise RequestError(f"--propose {text!r}: expected INSTRUMENT=QUANTITY, such as BTC-USDT-PERP=-0.5")
        parse_symbol(symbol)
        changes[symbol] = changes.get(symbol, ZERO) + number
    return changes


def write_page(path: Path, page: str) -> None:
    """Write a page where it was asked for."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RequestError(f"--html {path}: cannot be written ({error.strerror})") from error


def simulate(
    question: Question,
    *,
    model: str,
    scenario: Scenario,
    horizon: str,
    step: str,
    paths: int,
    seed: int,
    as_json: bool,
    html: Path | None = None,
) -> None:
    """Print what comes of drawn paths of the positions' instruments; with ``html``, write it as a page too."""
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
        **outcomes_document(found),
    }
    if html is not None:
        from arena.ui.risk.page import simulation_page

        write_page(html, simulation_page(document))
    if as_json:
        print_json(document)
        return
    print_outcomes(document)


def chosen_scenario(
    name: str, *, drift: float | None, volatility: float | None, correlation: float | None, shock: float | None
) -> Scenario:
    """The scenario of a name, of a TOML file, or one of one's own; what belongs to ``custom`` is refused elsewhere."""
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
    if name not in SCENARIOS and not name.endswith(".toml"):
        raise RequestError(
            f"--scenario {name!r}: expected one of {', '.join((*SCENARIOS, CUSTOM))}, or a TOML file of a scenario"
        )
    if own:
        raise RequestError(f"--{next(iter(own))} belongs to --scenario {CUSTOM}; found --scenario {name}")
    return SCENARIOS[name] if name in SCENARIOS else read_scenario(Path(name))


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
