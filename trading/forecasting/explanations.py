"""Why a model said what it said: how much each feature moved one forecast, in the units of the head's own margin."""

from dataclasses import dataclass

import numpy as np

from trading.features.registry import by_name
from trading.forecasting.bundle import Bundle
from trading.marketdata import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One feature's part in a forecast: its value there (None unknown) and what it added to the margin."""

    feature: str
    group: str
    value: float | None
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``margin`` is ``bias`` plus all contributions; ``drivers`` are ordered by size.

    Of the head ``direction`` the margin is in log odds before calibration, of ``volatility`` in log volatility.
    """

    head: str
    margin: float
    bias: float
    drivers: tuple[Driver, ...]


def explain(bundle: Bundle, values: FloatArray, *, head: str = "direction") -> Explanation:
    """The drivers of one forecast, ``values`` of shape (1, features): exact SHAP values of the trees.

    TreeSHAP (Lundberg et al. 2020) by XGBoost itself. The boosters hold their best rounds only, so the contributions
    are of exactly the trees that forecast.
    """
    import xgboost

    booster = bundle.heads.boosters[head]
    matrix = xgboost.DMatrix(values)
    parts = np.asarray(booster.predict(matrix, pred_contribs=True), np.float64)[0]
    known = by_name()
    drivers = [
        Driver(
            feature=name,
            group=known[name].group.value,
            value=None if np.isnan(value) else float(value),
            contribution=float(part),
        )
        for name, value, part in zip(bundle.card.features, values[0], parts[:-1], strict=True)
    ]
    return Explanation(
        head=head,
        margin=float(booster.predict(matrix, output_margin=True)[0]),
        bias=float(parts[-1]),
        drivers=tuple(sorted(drivers, key=lambda driver: -abs(driver.contribution))),
    )


def mean_contributions(bundle: Bundle, values: FloatArray, *, head: str = "direction") -> dict[str, float]:
    """How much each feature moves forecasts: the mean size of its contributions over ``values`` (n, features).

    In the margin's unit as in :func:`explain`, the largest first. Raises ValueError without rows.
    """
    import xgboost

    if not len(values):
        raise ValueError("no rows: there is nothing to take a mean of")
    parts = np.asarray(bundle.heads.boosters[head].predict(xgboost.DMatrix(values), pred_contribs=True), np.float64)
    sizes = np.abs(parts[:, :-1]).mean(axis=0)
    found = dict(zip(bundle.card.features, sizes.tolist(), strict=True))
    return dict(sorted(found.items(), key=lambda item: -item[1]))
