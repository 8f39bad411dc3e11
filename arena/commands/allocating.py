"""``tradefloor risk allocate``: what share of capital each desk of a run has earned by its results."""

from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.seasons.standings import tally_run
from arena.settings import Settings
from trading.allocation import Allocation, AllocationRules, DeskScore
from trading.allocation import allocate as shares_of
from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms
from trading.stats import annualised, periods_per_year, simple_returns
from trading.storage.runs import Runs


def allocate(
    run_id: str | None,
    *,
    floor: float,
    cap: float,
    max_turnover: float,
    cost: float,
    horizon: str,
    home: Path | None,
    as_json: bool,
) -> None:
    """Print the shares of a run, the latest without an id. Nothing is moved."""
    runs = Runs(Settings.load({"home": home}).home)
    run = runs.get(run_id) if run_id else runs.latest()
    tally, _, _ = tally_run(run)
    market, desks = tally.market_record(), tally.desk_records({})
    if not desks or len(market.ts_ms) < 2:
        raise RequestError(f"{run.run_id} has no two marks on record yet: run its season again, or ask for another run")
    periods, rest = divmod(duration_ms(horizon), market.step_ms)
    if rest or periods < 1:
        raise RequestError(f"--horizon {horizon}: expected a whole number of the run's steps")
    equities = {desk.name: max(0.0, float(desk.equity[-1])) for desk in desks}
    total = sum(equities.values())
    if total <= 0:
        raise RequestError(f"{run.run_id}: no desk has equity left to allocate")
    try:
        rules = AllocationRules(floor=floor, cap=cap, max_turnover=max_turnover, cost=cost, horizon=periods)
        found = shares_of(
            {desk.name: simple_returns(desk.equity) for desk in desks},
            {name: equity / total for name, equity in equities.items()},
            rules,
        )
    except ValueError as error:
        raise RequestError(str(error)) from error
    document = _document(run.run_id, found, equities, periods_per_year(market.step_ms))
    if as_json:
        print_json(document)
        return
    _print(document)


def _document(run_id: str, found: Allocation, equities: dict[str, float], yearly: float) -> dict[str, Any]:
    total = sum(equities.values())
    return {
        "run_id": run_id,
        "moved": found.moved,
        "reason": found.reason,
        "p_value": found.p_value,
        "turnover": found.turnover,
        "desks": [
            {
                "desk": name,
                "share_now": equities[name] / total,
                "share": found.weights[name],
                "target": found.target[name],
                "move": (found.weights[name] * total) - equities[name],
                **_score(found.scores[name], yearly),
            }
            for name in sorted(found.weights, key=lambda name: -found.weights[name])
        ],
    }


def _score(score: DeskScore, yearly: float) -> dict[str, float | None]:
    """Sharpe ratios a year."""
    values = {
        "sharpe": score.sharpe,
        "sharpe_error": score.error,
        "sharpe_shrunk": score.shrunk,
        "score": score.score,
    }
    return {key: None if value is None else annualised(value, periods_per_year=yearly) for key, value in values.items()}


def _print(document: dict[str, Any]) -> None:
    typer.echo(
        f"{document['run_id']}: {'capital moves' if document['moved'] else 'capital stays'}, {document['reason']}"
    )
    typer.echo(f"{'desk':<20}{'share now':>10}{'share':>10}{'target':>10}{'Sharpe/y':>10}{'error':>9}{'shrunk':>9}")
    for row in document["desks"]:
        shares = "".join(f"{row[key] * 100:>8.2f} %" for key in ("share_now", "share", "target"))
        ratios = [row[key] for key in ("sharpe", "sharpe_error", "sharpe_shrunk")]
        known = ["n/a" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        typer.echo(f"{row['desk']:<20}{shares}{known[0]:>10}{known[1]:>9}{known[2]:>9}")
