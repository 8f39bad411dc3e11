"""``tradefloor importance``: which features a model lives on, how stable that is, and what could be left out."""

from typing import Any

import typer

from arena.commands.output import print_json
from arena.commands.progress import StepProgress
from arena.commands.train import cache_folder
from arena.modelling import Asked, frame_until, horizon_of
from trading.domain import duration_ms, iso
from trading.domain.errors import RequestError

TARGETS = ("direction", "volatility")


def show(asked: Asked, *, horizon: str, target: str, folds: int, seeds: int, pruning: bool, as_json: bool) -> None:
    """Measure importances over folds and seeds, and print the report."""
    if target not in TARGETS:
        raise RequestError(f"--target {target!r}: expected {' or '.join(TARGETS)}")
    if not 2 <= folds <= 50:
        raise RequestError(f"--folds {folds}: expected 2 to 50")
    if not 1 <= seeds <= 20:
        raise RequestError(f"--seeds {seeds}: expected 1 to 20")
    step_ms = duration_ms(asked.timeframe)
    horizon_ms = horizon_of(horizon, step_ms)
    settings = asked.settings
    with StepProgress(f"importance {asked.instrument} {horizon}") as progress:
        frame = frame_until(asked, settings)
        progress.advance("features", 0, folds * seeds)

        from trading.forecasting.dataset import make_dataset
        from trading.forecasting.importance import importance, prune, report
        from trading.forecasting.training import Plan

        dataset = make_dataset(frame, cache_folder=cache_folder(settings.home))
        plan = Plan(horizon_ms=horizon_ms, steps=horizon_ms // step_ms, folds=folds)
        found = importance(dataset, plan, head=target, seeds=range(seeds), advance=progress.advance)
        pruned = prune(dataset, plan, found) if pruning else None
    closed = iso(int(frame.open_ms[-1]) + step_ms)
    document = {
        "instrument": asked.instrument,
        "timeframe": asked.timeframe,
        "horizon": horizon,
        **report(found, model_type="XGBoost", at=closed, pruning=pruned),
    }
    if as_json:
        print_json(document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    typer.echo(
        f"{document['instrument']} {document['horizon']} {document['target']}, {document['feature_count']} features: "
        "rise of the loss out of sample when shuffled"
    )
    for name, value in document["top_features_permutation"].items():
        typer.echo(f"  {name:<36} {value:+.5f} ± {document['standard_errors'][name]:.5f}")
    typer.echo("share of each group")
    for name, value in document["top_categories"].items():
        typer.echo(f"  {name:<36} {value:.3f}")
    for name, value in document["stability"].items():
        typer.echo(f"rank correlation {name.replace('_', ' ')}: {'n/a' if value is None else f'{value:.2f}'}")
    pruning = document.get("pruning")
    if pruning:
        p_value = pruning["p_value"]
        typer.echo(
            f"without {pruning['dropped']} features: loss {pruning['loss_pruned']:.5f} against "
            f"{pruning['loss_full']:.5f} (p = {'n/a' if p_value is None else f'{p_value:.3f}'})"
        )
