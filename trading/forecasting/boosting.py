"""Gradient boosting on the feature vector: three heads, for direction, volatility and the shape of the return.

XGBoost (Chen & Guestrin 2016). Each head stops where its loss on the later part of the training rows stops falling.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from trading.forecasting.calibration import Calibrator, calibrate
from trading.forecasting.distribution import LEVELS, Distributions, scaled, standard_quantiles
from trading.forecasting.folds import held_out
from trading.forecasting.targets import Targets
from trading.marketdata import FloatArray, IntArray

HEADS = ("direction", "volatility", "shape")
SHAPE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_BIN = 64

_SHAPE_AT = np.searchsorted(LEVELS, np.array(SHAPE_LEVELS) - 1e-9)


def _threads() -> int:
    """Two, or what ``OMP_NUM_THREADS`` allows."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(2, int(allowed)) if allowed.isdigit() and int(allowed) else 2


class BoostingSettings(BaseModel):
    """How the trees are grown. ``threads`` and ``device`` (``cpu``, ``cuda``) change the time, not the kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=4, ge=1, le=12)
    rate: float = Field(default=0.05, gt=0.0, le=1.0)
    rounds: int = Field(default=300, ge=1, le=5000)
    patience: int = Field(default=30, ge=1)
    rows: float = Field(default=0.5, gt=0.0, le=1.0, description="Share of the rows each tree sees.")
    columns: float = Field(default=0.3, gt=0.0, le=1.0, description="Share of the features each tree sees.")
    leaf_weight: float = Field(default=100.0, ge=0.0)
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default_factory=_threads, ge=1)
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")

    def of_head(self, head: str) -> dict[str, Any]:
        """XGBoost's parameters of one head."""
        return {
            "tree_method": "hist",
            "max_bin": MAX_BIN,
            "max_depth": max(1, self.depth - (head != "volatility")),
            "eta": self.rate if head == "volatility" else 0.6 * self.rate,
            "subsample": self.rows,
            "colsample_bytree": self.columns,
            "min_child_weight": self.leaf_weight if head == "volatility" else 2 * self.leaf_weight,
            "seed": self.seed,
            "nthread": self.threads,
            "device": self.device,
            "verbosity": 0,
            **_OBJECTIVES[head],
        }


_OBJECTIVES: dict[str, dict[str, Any]] = {
    "direction": {"objective": "binary:logistic", "eval_metric": "logloss"},
    "volatility": {"objective": "reg:squarederror", "eval_metric": "rmse"},
    "shape": {"objective": "reg:quantileerror", "quantile_alpha": list(SHAPE_LEVELS), "eval_metric": "quantile"},
}
_SHAPE_ROUNDS = 60
"""The shape has five trees a round and little to say: more rounds cost time and gain nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawForecasts:
    """What the heads say of n rows before calibration: log odds, log volatility, and shape (n, 5) in volatilities."""

    margin: FloatArray
    log_volatility: FloatArray
    shape: FloatArray

    def rows(self, pick: slice | IntArray) -> "RawForecasts":
        """Some of the rows."""
        return RawForecasts(margin=self.margin[pick], log_volatility=self.log_volatility[pick], shape=self.shape[pick])


def joined_raw(parts: list[RawForecasts]) -> RawForecasts:
    """Consecutive stretches as one."""
    return RawForecasts(
        margin=np.concatenate([part.margin for part in parts]),
        log_volatility=np.concatenate([part.log_volatility for part in parts]),
        shape=np.concatenate([part.shape for part in parts]),
    )


class Heads:
    """Three fitted boosters, cut to their best rounds, so that nothing that predicts can use the trees beyond."""

    def __init__(self, boosters: dict[str, Any]) -> None:
        self.boosters = boosters

    @property
    def rounds(self) -> dict[str, int]:
        """Boosting rounds of each head."""
        return {head: int(booster.num_boosted_rounds()) for head, booster in self.boosters.items()}

    def predict(self, values: FloatArray) -> RawForecasts:
        """What the heads say of feature vectors of shape (n, features)."""
        shape = np.asarray(self.boosters["shape"].inplace_predict(values), np.float64).reshape(len(values), -1)
        return RawForecasts(
            margin=np.asarray(self.boosters["direction"].inplace_predict(values, predict_type="margin"), np.float64),
            log_volatility=np.asarray(self.boosters["volatility"].inplace_predict(values), np.float64),
            shape=np.maximum.accumulate(shape, axis=1),
        )


def fit_heads(
    values: FloatArray,
    targets: Targets,
    train: IntArray,
    settings: BoostingSettings,
    *,
    heads: tuple[str, ...] = HEADS,
    weights: FloatArray | None = None,
    on_head: Callable[[str], None] | None = None,
) -> tuple[Heads, IntArray]:
    """The heads fitted on the earlier part of the rows ``train``, and the later rows that stopped them.

    ``values`` is the feature matrix of all bars, shape (bars, features). ``weights`` (bars,) weigh the rows.
    """
    early, late = held_out(train, targets.steps)
    fitted_on = _binned(values, weights, early, settings)
    stopped_by = _binned(values, weights, late, settings, ref=fitted_on)
    boosters: dict[str, Any] = {}
    for head in heads:
        labels = _labels(head, targets, boosters, values)
        fitted_on.set_label(labels[early])
        stopped_by.set_label(labels[late])
        boosters[head] = _grow(head, fitted_on, stopped_by, settings)
        if on_head is not None:
            on_head(head)
    return Heads(boosters), late


def _labels(head: str, targets: Targets, boosters: dict[str, Any], values: FloatArray) -> FloatArray:
    if head == "direction":
        return targets.up
    if head == "volatility":
        return targets.log_volatility
    if "volatility" not in boosters:
        raise ValueError("the shape is learnt in units of the volatility head, which comes first")
    return targets.log_return / np.exp(np.asarray(boosters["volatility"].inplace_predict(values), np.float64))


def _binned(
    values: FloatArray, weights: FloatArray | None, rows: IntArray, settings: BoostingSettings, **kwargs: Any
) -> Any:
    """The features of ``rows`` in bins, once for all heads: bins do not depend on labels."""
    import xgboost

    weight = None if weights is None else weights[rows]
    return xgboost.QuantileDMatrix(values[rows], weight=weight, max_bin=MAX_BIN, nthread=settings.threads, **kwargs)


def _grow(head: str, fitted_on: Any, stopped_by: Any, settings: BoostingSettings) -> Any:
    import xgboost

    grown = xgboost.train(
        settings.of_head(head),
        fitted_on,
        _SHAPE_ROUNDS if head == "shape" else settings.rounds,
        evals=[(stopped_by, "later")],
        early_stopping_rounds=settings.patience,
        verbose_eval=False,
    )
    return grown[: grown.best_iteration + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What turns raw forecasts into distributions, learnt on forecasts of rows that the heads were not fitted on.

    ``variance_scale`` brings the median volatility to a variance that is right on average (the QLIKE optimum),
    ``typical_scale`` to one that is exceeded half of the time; ``base`` (levels,) is the shape of past returns in
    forecast volatilities, ``offsets`` (5,) centre the shape head.
    """

    calibrator: Calibrator
    variance_scale: float
    typical_scale: float
    base: FloatArray
    offsets: FloatArray

    def __call__(self, raw: RawForecasts) -> Distributions:
        """Calibrated distributions of n rows."""
        volatility = np.exp(raw.log_volatility) * np.sqrt(self.variance_scale)
        bend = raw.shape / np.sqrt(self.variance_scale) + self.offsets - self.base[_SHAPE_AT]
        at = np.searchsorted(SHAPE_LEVELS, LEVELS - 1e-9).clip(1, len(SHAPE_LEVELS) - 1)
        left = np.array(SHAPE_LEVELS)[at - 1]
        part = (LEVELS - left) / (np.array(SHAPE_LEVELS)[at] - left)
        grid = self.base + bend[:, at - 1] * (1.0 - part) + bend[:, at] * part
        return scaled(
            volatility, grid, self.calibrator(raw.margin), typical=self.typical_scale * np.exp(raw.log_volatility)
        )


def learn_finish(raw: RawForecasts, targets: Targets, rows: IntArray) -> Finish:
    """The finish from raw forecasts of ``rows`` and what came of them."""
    realised, returns = targets.realised[rows], targets.log_return[rows]
    moved = realised > 0
    median_variance = np.exp(2.0 * raw.log_volatility)
    scale = float(np.mean(realised**2 / median_variance))
    standardised = returns / np.sqrt(median_variance * scale)
    gaps = standardised[:, np.newaxis] - raw.shape / np.sqrt(scale)
    offsets = np.array([np.quantile(gaps[:, at], level) for at, level in enumerate(SHAPE_LEVELS)])
    return Finish(
        calibrator=calibrate(raw.margin, targets.up[rows], steps=targets.steps),
        variance_scale=scale,
        typical_scale=float(np.exp(np.median(np.log(realised[moved]) - raw.log_volatility[moved]))),
        base=standard_quantiles(standardised),
        offsets=offsets,
    )
