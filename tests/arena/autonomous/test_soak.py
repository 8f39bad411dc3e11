"""The soak in short: two simulated hours of faults and restarts."""

import pytest

from tests.arena.autonomous.soak import soak


@pytest.mark.slow
def test_two_hours_of_faults_and_restarts_end_with_clean_books(tmp_path):
    outcome = soak(tmp_path, rounds=60, seed=5)
    assert outcome.problem is None
    assert outcome.starts >= 2
    assert outcome.fills > 5
    assert outcome.growth < 0.15  # short: caches are still filling
