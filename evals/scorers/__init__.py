"""Scorers: from what a desk left on record to a score with its sample size. None means unscored, never zero."""

from evals.scorers.forecasts import ForecastSample, ForecastScore, score_forecasts

__all__ = ["ForecastSample", "ForecastScore", "score_forecasts"]
