"""The page of forecasts: figures of the season's desks, the registry's models, and nothing made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from arena.seasons.forecast_board import ForecastBoard, forecast_board
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.forecasts import calibration, desk_forecasts, forecast_facts, trained_models
from arena.ui.risk.drawings import calibration_chart
from evals.scorers import ForecastSample

HOUR_MS = 3_600_000
VIEWS = (forecast_facts, desk_forecasts, calibration, trained_models)


def sample(*, knows: float, seed: int, count: int = 600) -> ForecastSample:
    """Forecasts whose probabilities move by ``knows`` with what comes; 90 % intervals of the true width."""
    rng = np.random.default_rng(seed)
    signal = rng.choice([-1.0, 1.0], count)
    up = rng.random(count) < 0.5 + 0.15 * signal
    outcome = np.abs(rng.normal(0, 0.01, count)) * np.where(up, 1, -1)
    outcome[-10:] = np.nan
    return ForecastSample(
        ts_ms=HOUR_MS * np.arange(count, dtype=np.int64),
        horizon_ms=np.full(count, HOUR_MS, np.int64),
        p_up=0.5 + knows * signal,
        q05=np.full(count, -0.016449),
        q50=np.zeros(count),
        q95=np.full(count, 0.016449),
        outcome_return=outcome,
    )


def test_the_board_tells_skill_from_none() -> None:
    board = forecast_board({"knows": sample(knows=0.15, seed=1), "boasts": sample(knows=-0.15, seed=2)}, None)
    knows, boasts = board.desks
    assert (knows.desk, knows.issued, knows.ended) == ("knows", 600, 590)
    # knowing 0.65 and 0.35 saves 0.15 squared of a quarter
    assert knows.brier_skill is not None
    assert abs(knows.brier_skill - 0.09) < 0.06
    assert knows.brier_skill_ci95 is not None
    assert 0 < knows.brier_skill_ci95[0] < knows.brier_skill < knows.brier_skill_ci95[1]
    assert boasts.brier_skill_ci95 is not None
    assert boasts.brier_skill_ci95[1] < 0
    assert knows.coverage90_ci95 is not None
    assert knows.coverage90_ci95[0] < 0.9 < knows.coverage90_ci95[1]
    assert sum(point.count for point in board.curve) == 1180
    (one,) = forecast_board({"knows": sample(knows=0.15, seed=3)}, None).desks
    points = forecast_board({"knows": sample(knows=0.15, seed=3)}, None).curve
    assert one.calibration_error is not None
    assert points[0].said < 0.5 < points[-1].said
    assert points[0].rose < 0.45
    assert points[-1].rose > 0.55


def test_noise_is_seldom_called_skill() -> None:
    rng = np.random.default_rng(5)
    called = 0
    for seed in range(40):
        noise = sample(knows=0.0, seed=seed, count=300)
        noise = replace(noise, p_up=0.5 + 0.05 * rng.choice([-1.0, 1.0], 300), outcome_return=rng.normal(0, 0.01, 300))
        (row,) = forecast_board({"noise": noise}, None).desks
        assert row.brier_skill_ci95 is not None
        called += row.brier_skill_ci95[0] > 0
    assert called <= 4


def test_too_few_forecasts_are_not_scored() -> None:
    board = forecast_board({"new": sample(knows=0.1, seed=1, count=25)}, None)
    (row,) = board.desks
    assert (row.brier_skill, row.brier_skill_ci95, row.coverage90, board.curve) == (None, None, None, ())
    assert forecast_board({}, None) == ForecastBoard(desks=(), curve=(), models=())


def test_a_damaged_registry_is_told_and_takes_nothing_down(tmp_path: Path, snapshot: FloorSnapshot) -> None:
    assert forecast_board({}, tmp_path).models == ()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "registry.sqlite").write_bytes(b"rubbish " * 1000)
    board = forecast_board({"one": sample(knows=0.1, seed=1)}, tmp_path)
    assert board.models == ()
    assert board.trouble is not None
    assert "registry.sqlite" in trained_models(replace(snapshot, forecasts=board))
    assert board.desks[0].ended == 590


def test_the_page_shows_what_is_known_and_says_what_is_not(
    snapshot: FloorSnapshot, empty_snapshot: FloorSnapshot
) -> None:
    board = snapshot.forecasts
    assert board is not None
    table = desk_forecasts(snapshot)
    assert table.count("<tr>") == len(snapshot.desks) + 1
    assert 'tf-gain">+0.012' in table
    assert "tf-loss" in table  # a coverage that is not ninety
    assert "+0.014" in trained_models(snapshot)
    assert 'tf-gain">+0.014' not in trained_models(snapshot)  # its interval holds zero
    assert "4 of 8" in forecast_facts(snapshot)
    none = replace(empty_snapshot, forecasts=None)
    for view in VIEWS:
        assert "tf-empty" in view(none)
    nothing = replace(snapshot, forecasts=replace(board, models=(), curve=()))
    assert "No model has been trained" in trained_models(nothing)
    assert "tf-empty" in calibration(nothing)
    evil = replace(board, models=(replace(board.models[0], model_id="<script>alert(1)</script>"),))
    assert "<script" not in trained_models(replace(snapshot, forecasts=evil))


def test_the_calibration_chart_puts_the_truth_on_the_diagonal() -> None:
    drawn = calibration_chart([(0.4, 0.4, 0.3, 0.5), (0.6, 0.6, 0.5, 0.7)])
    assert "said 40.0" in drawn
    assert "M0.0 240.0L640.0 0.0" in drawn
    assert "M174.5 174.5h0M465.5 65.5h0" in drawn
