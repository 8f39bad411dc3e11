"""``tradefloor train``: a model of one instrument at one horizon, judged on times it had not seen, and registered."""

from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.commands.progress import StepProgress
from arena.modelling import Asked, frame_until, horizon_of
from trading.domain import duration_ms, duration_text, iso, parse_instant, to_ms
from trading.domain.errors import RequestError

PROMOTE = ("auto", "never")
VALIDATIONS = ("walk-forward", "cpcv")
_SHOWN = (
    "accuracy",
    "auc",
    "brier_skill",
    "crps_skill",
    "coverage90",
    "qlike",
    "log_volatility_rmse",
    "break_even_bps",
)


def train_model(
    asked: Asked,
    *,
    horizon: str,
    folds: int,
    test_from: str | None,
    tune: int,
    device: str | None,
    promote: str,
    cv: str,
    as_json: bool,
) -> None:
    """Train, judge, register, and let the new model contest the champion's place."""
    if cv not in VALIDATIONS:
        raise RequestError(f"--cv {cv!r}: expected {' or '.join(VALIDATIONS)}")
    if promote not in PROMOTE:
        raise RequestError(f"--promote {promote!r}: expected auto (by paired test) or never")
    if not 2 <= folds <= 50:
        raise RequestError(f"--folds {folds}: expected 2 to 50")
    if not 0 <= tune <= 500:
        raise RequestError(f"--tune {tune}: expected 0 to 500 trials")
    step_ms = duration_ms(asked.timeframe)
    horizon_ms = horizon_of(horizon, step_ms)
    test_from_ms = None if test_from is None else to_ms(parse_instant(test_from))
    settings = asked.settings
    with StepProgress(f"train {asked.instrument} {horizon}") as progress:
        frame = frame_until(asked, settings)
        progress.advance("features", 0, 3 * (folds + 1) + 2)

        from trading.forecasting.boosting import BoostingSettings
        from trading.forecasting.dataset import make_dataset
        from trading.forecasting.leaks import too_good
        from trading.forecasting.paths import path_scores
        from trading.forecasting.registry import Registry
        from trading.forecasting.targets import targets_of
        from trading.forecasting.training import Plan, train
        from trading.forecasting.tuning import tuned

        dataset = make_dataset(frame, cache_folder=cache_folder(settings.home))
        boosting = BoostingSettings() if device is None else BoostingSettings(device=checked_device(device))
        plan = Plan(
            horizon_ms=horizon_ms,
            steps=horizon_ms // step_ms,
            folds=folds,
            test_from_ms=test_from_ms,
            settings=boosting,
        )
        if tune:
            plan = tuned(dataset, plan, trials=tune, advance=progress.advance)
        trained = train(dataset, plan, advance=progress.advance)
        targets = targets_of(frame, plan.steps)
        suspects = too_good(dataset.values, targets.up, dataset.names)
        paths = path_scores(dataset, plan, advance=progress.advance) if cv == "cpcv" else None
    registry = Registry(settings.home)
    entry = registry.register(trained, dataset)
    contest = registry.challenge(entry) if promote == "auto" else "not asked to contest (--promote never)"
    entry = registry.get(entry.model_id)
    document = _document(registry.card(entry), entry.model_id, entry.stage.value, contest)
    document["too_good"] = suspects
    document["cpcv"] = None if paths is None else _paths(paths)
    if as_json:
        print_json(document)
    else:
        _print(document)


def cache_folder(home: Path) -> Path:
    """Where feature vectors are kept by content; it can be removed at any time."""
    return home / "cache" / "features"


def checked_device(device: str) -> str:
    """The device as XGBoost names it. Raises RequestError for another one."""
    if device not in ("cpu", "cuda"):
        raise RequestError(f"--device {device!r}: expected cpu or cuda")
    return device


def _document(card: Any, model_id: str, stage: str, contest: str) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "stage": stage,
        "contest": contest,
        "instrument": card.instrument,
        "timeframe": duration_text(card.step_ms),
        "horizon": duration_text(card.horizon_ms),
        "trained_from": iso(card.trained_from_ms),
        "trained_to": iso(card.trained_to_ms),
        "features": len(card.features),
        "folds": [
            {
                "test_from": iso(fold.test_from_ms),
                "test_to": iso(fold.test_to_ms),
                "train_rows": fold.train_rows,
                "test_rows": fold.test_rows,
                "rounds": fold.rounds,
                "metrics": fold.scores.metrics,
                "ci95": fold.scores.ci95,
            }
            for fold in card.folds
        ],
        "metrics": card.scores.metrics,
        "ci95": card.scores.ci95,
        "baselines": {name: {"metrics": found.metrics, "ci95": found.ci95} for name, found in card.baselines.items()},
    }


def _paths(found: Any) -> dict[str, Any]:
    """Each score over the splits of combinatorial cross-validation: the mean, the worst and the best."""
    metrics = {
        name: {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
        for name, values in found.scores.items()
    }
    return {"blocks": found.blocks, "tests": found.tests, "splits": found.splits, "metrics": metrics}


def _print(document: dict[str, Any]) -> None:
    typer.echo(f"{document['model_id']}: {document['stage']}; {document['contest']}")
    first, last = document["folds"][0], document["folds"][-1]
    typer.echo(f"judged out of sample {first['test_from']} to {last['test_to']}, {len(document['folds'])} folds")
    typer.echo(f"{'':12}" + "".join(f"{name:>21}" for name in _SHOWN))
    rows = {"boosting": document, **document["baselines"]}
    for name, found in rows.items():
        typer.echo(f"{name:12}" + "".join(f"{_cell(found, each):>21}" for each in _SHOWN))
    if document["cpcv"] is not None:
        typer.echo(
            f"on {document['cpcv']['splits']} choices of blocks (purged, not in order of time), mean, least, most"
        )
        for name, found in document["cpcv"]["metrics"].items():
            typer.echo(f"  {name:<22}{found['mean']:>9.3f}{found['min']:>9.3f}{found['max']:>9.3f}")
    for name, area in document["too_good"].items():
        typer.echo(
            f"too good to be honest: {name} alone tells the direction with AUC {area:.2f}; look for a leak", err=True
        )


def _cell(found: dict[str, Any], name: str) -> str:
    value, interval = found["metrics"].get(name), found["ci95"].get(name)
    if value is None:
        return "n/a"
    return f"{value:.3f}" if interval is None else f"{value:.3f} {interval[0]:.3f}..{interval[1]:.3f}"
