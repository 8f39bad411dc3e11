import numpy as np
import pytest

from evals.attempts import ScoredRow
from evals.compare import BETTER, DIFFERENT, NOT_SEPARABLE, WORSE, compare_rows
from evals.scorers.decisions import acted, direction, edge
from evals.scoring import Score, scorer


def rows(values: list[float | None], *, per_day: int = 1, epochs: int = 1) -> list[ScoredRow]:
    return [
        ScoredRow(
            case_id=f"case-{number}",
            cluster=f"day-{number // per_day}",
            split="dev",
            epoch=epoch,
            value=value,
            reason="" if value is not None else "unknown",
        )
        for number, value in enumerate(values)
        for epoch in range(epochs)
    ]


def noise(seed: int, count: int = 60, mean: float = 0.0) -> list[float | None]:
    return np.random.default_rng(seed).normal(mean, 1.0, count).tolist()


def test_a_real_difference_is_found_in_its_direction() -> None:
    good, bad = rows(noise(1, mean=1.0)), rows(noise(2))
    assert compare_rows("a", "b", edge, good, bad).verdict == BETTER
    assert compare_rows("b", "a", edge, bad, good).verdict == WORSE
    assert compare_rows("a", "b", direction, good, bad).verdict == WORSE  # there, less is better
    assert compare_rows("a", "b", acted, good, bad).verdict == DIFFERENT


def test_noise_is_separable_at_the_nominal_rate() -> None:
    found = [compare_rows("a", "b", edge, rows(noise(s)), rows(noise(s + 10_000))) for s in range(600)]
    share = np.mean([one.verdict != NOT_SEPARABLE for one in found])
    assert 0.03 <= share <= 0.075


def test_the_sentence_says_how_many_cases_it_would_take() -> None:
    found = compare_rows("new", "old", edge, rows(noise(3, mean=0.2)), rows(noise(4)))
    assert found.verdict == NOT_SEPARABLE
    assert "not separable" in found.in_words()
    assert "cases" in found.in_words().rpartition("would take")[2]


def test_only_cases_that_both_have_scores_for_count() -> None:
    mine, theirs = noise(5, 30), noise(6, 30)
    mine[3] = None
    theirs[4] = None
    found = compare_rows("a", "b", edge, rows(mine), rows(theirs))
    assert (found.cases, found.dropped) == (28, 2)
    assert found.wins + found.ties + found.losses == 28


def test_epochs_are_averaged_and_add_no_cases() -> None:
    once = compare_rows("a", "b", edge, rows(noise(7)), rows(noise(8)))
    thrice = compare_rows("a", "b", edge, rows(noise(7), epochs=3), rows(noise(8), epochs=3))
    assert thrice.statistics == once.statistics


def test_cases_of_a_day_count_together() -> None:
    alone = compare_rows("a", "b", edge, rows(noise(9)), rows(noise(10)))
    days = compare_rows("a", "b", edge, rows(noise(9), per_day=6), rows(noise(10), per_day=6))
    assert alone.statistics
    assert days.statistics
    assert (alone.statistics.clusters, days.statistics.clusters) == (60, 10)


def test_too_few_days_tell_nothing() -> None:
    found = compare_rows("a", "b", edge, rows(noise(11, 4)), rows(noise(12, 4)))
    assert found.statistics is None
    assert found.verdict == NOT_SEPARABLE
    assert found.to_json()["p_value"] is None
    assert compare_rows("a", "b", edge, [], []).cases == 0


def test_a_scorer_says_what_it_means_and_a_score_is_a_number_or_a_reason() -> None:
    with pytest.raises(TypeError, match="docstring"):
        scorer(unit="x")(lambda case, trial: Score(value=1.0))
    with pytest.raises(ValueError, match="reason"):
        Score(value=None)
    with pytest.raises(ValueError, match="no number"):
        Score(value=float("nan"))
