import numpy as np
import pytest

from evals.scorers import ForecastSample, score_forecasts

HOUR = 3_600_000


def sample(p_up, outcome, *, horizon_hours: int = 1, spread: float = 1.645, **changes) -> ForecastSample:
    outcome = np.asarray(outcome, np.float64)
    n = outcome.size
    columns = {
        "ts_ms": np.arange(n, dtype=np.int64) * HOUR,
        "horizon_ms": np.full(n, horizon_hours * HOUR, np.int64),
        "p_up": np.broadcast_to(np.asarray(p_up, np.float64), (n,)),
        "q05": np.full(n, -spread),
        "q50": np.zeros(n),
        "q95": np.full(n, spread),
        "outcome_return": outcome,
    }
    return ForecastSample(**{**columns, **changes})


def test_only_closed_forecasts_are_scored() -> None:
    outcome = np.tile([0.01, -0.01], 20)
    outcome[-4:] = np.nan
    score = score_forecasts(sample(0.5, outcome))
    assert (score.issued, score.closed) == (40, 36)
    assert score.brier == 0.25
    assert score.brier_skill == 0.0


def test_zero_is_not_up() -> None:
    assert score_forecasts(sample(0.0, [0.0])).brier == 0.0


def test_few_forecasts_have_a_score_but_claim_no_skill() -> None:
    score = score_forecasts(sample(1.0, [0.01] * 19))
    assert score.brier == 0.0
    assert score.brier_skill is None
    assert score.calibration_error is None
    assert score.coverage90 is None


def test_no_forecast_no_score() -> None:
    for outcome in ([], [np.nan] * 30):
        score = score_forecasts(sample(0.5, outcome))
        assert (score.closed, score.windows) == (0, 0)
        assert score.brier is score.brier_skill is score.pinball is score.coverage90 is None


def test_overlapping_horizons_share_a_window() -> None:
    assert score_forecasts(sample(0.5, np.ones(24))).windows == 24
    assert score_forecasts(sample(0.5, np.ones(24), horizon_hours=4)).windows == 6
    assert score_forecasts(sample(0.5, np.ones(24), ts_ms=np.zeros(24, np.int64))).windows == 1


def test_coverage_of_honest_quantiles_is_nine_in_ten() -> None:
    outcome = np.random.default_rng(1).normal(size=5000)
    assert score_forecasts(sample(0.5, outcome)).coverage90 == pytest.approx(0.9, abs=0.015)
    assert score_forecasts(sample(0.5, outcome, spread=0.5)).coverage90 < 0.5


def test_knowledge_of_direction_is_skill_and_opinion_is_not() -> None:
    rng = np.random.default_rng(2)
    outcome = rng.normal(size=3000)
    knows = score_forecasts(sample(np.where(outcome > 0, 0.6, 0.4), outcome))
    guesses = [score_forecasts(sample(rng.uniform(0.3, 0.7, 3000), outcome)).brier_skill for _ in range(50)]
    assert knows.brier_skill == pytest.approx(0.36)
    assert max(guesses) < 0.02
    assert np.mean(guesses) < 0


def test_rubbish_is_refused() -> None:
    with pytest.raises(ValueError, match="'q50' has shape"):
        sample(0.5, np.ones(3), q50=np.ones(4))
    with pytest.raises(ValueError, match="expected 0 to 1"):
        score_forecasts(sample(1.5, np.ones(30)))
    with pytest.raises(ValueError, match="not finite"):
        score_forecasts(sample(np.nan, np.ones(30)))
