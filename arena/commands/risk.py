"""``tradefloor risk``: what a run, or the positions of a file, can lose."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from arena.commands.output import print_json
from arena.commands.risk_text import print_outcomes, print_report
from arena.measured import Question, measure
from arena.risk.reporting import computed_report, computed_simulation
from arena.risk.scenario_file import read_scenario
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.domain.instrument import parse_symbol
from trading.domain.money import ZERO
from trading.risk.simulation import SCENARIOS, Scenario

CUSTOM = "custom"
_MOST_QUANTITY = Decimal(10) ** 15


def report(question: Question, *, horizon: str, as_json: bool, html: Path | None = None) -> None:
    """Print every measure of the positions over the horizon; with ``html``, write them as a page too."""
    settings = Settings.load({"home": question.home, "data_root": question.data_root})
    document = computed_report(measure(question), settings, horizon=horizon, proposal=question.proposal)
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
    document = computed_simulation(
        measure(question), model=model, scenario=scenario, horizon=horizon, step=step, paths=paths, seed=seed
    )
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
