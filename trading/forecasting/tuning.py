"""Settings of the boosters by search, inside the training window only: what is judged later is never looked at."""

from dataclasses import replace
from typing import Any

import numpy as np

from trading.forecasting.boosting import fit_heads
from trading.forecasting.dataset import Dataset
from trading.forecasting.folds import held_out
from trading.forecasting.targets import targets_of
from trading.forecasting.training import Advance, Plan, folds_of, labelled_rows


def tuned(dataset: Dataset, plan: Plan, *, trials: int, advance: Advance | None = None) -> Plan:
    """The plan with the settings that were best on the last fifth of the first fold's training rows.

    A tree-structured Parzen search (Optuna) of the volatility head's squared error of log volatility plus the direction
    head's log loss, each as a share of what the mean earns. The first judged bar lies after everything the search saw.
    """
    import optuna

    targets = targets_of(dataset.frame, plan.steps)
    first = folds_of(dataset, labelled_rows(dataset, targets), plan)[0]
    fitted, unseen = held_out(first.train, plan.steps, share=0.2)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=plan.settings.seed))
    level = targets.log_volatility[unseen]
    base_error = float(np.mean((level - targets.log_volatility[fitted].mean()) ** 2))
    base_log = float(np.log(2.0))

    def loss(trial: Any) -> float:
        settings = plan.settings.model_copy(update=_suggested(trial))
        heads, _ = fit_heads(dataset.values, targets, fitted, settings, heads=("direction", "volatility"))
        direction, volatility = heads.boosters["direction"], heads.boosters["volatility"]
        p = np.clip(np.asarray(direction.inplace_predict(dataset.values[unseen]), np.float64), 1e-6, 1 - 1e-6)
        up = targets.up[unseen]
        log_loss = float(-np.mean(up * np.log(p) + (1 - up) * np.log(1 - p)))
        error = float(np.mean((np.asarray(volatility.inplace_predict(dataset.values[unseen])) - level) ** 2))
        return error / base_error + log_loss / base_log

    def told(study: Any, trial: Any) -> None:
        if advance is not None:
            advance("tuning", trial.number + 1, trials)

    study.enqueue_trial({name: getattr(plan.settings, name) for name in ("depth", "rate", "columns", "leaf_weight")})
    study.optimize(loss, n_trials=trials, callbacks=[told])
    return replace(plan, settings=plan.settings.model_copy(update=study.best_params))


def _suggested(trial: Any) -> dict[str, Any]:
    return {
        "depth": trial.suggest_int("depth", 2, 7),
        "rate": trial.suggest_float("rate", 0.02, 0.2, log=True),
        "columns": trial.suggest_float("columns", 0.1, 0.8),
        "leaf_weight": trial.suggest_float("leaf_weight", 20.0, 500.0, log=True),
    }
