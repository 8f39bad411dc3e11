"""``[stops]``: off by default, part of a season's identity when there, and rubbish refused in one line."""

import pytest
from pydantic import ValidationError

from arena.seasons.rules import SeasonRules
from tests.arena.autonomous.followed import rules_of


def season_with(stops):
    table = rules_of().model_dump(by_alias=True)
    return SeasonRules.model_validate({**table, "stops": stops})


def test_a_season_without_the_table_is_the_season_it_was():
    assert rules_of().stops is None
    assert season_with(None).rules_sha256 == rules_of().rules_sha256
    assert season_with({}).rules_sha256 != rules_of().rules_sha256


def test_what_is_stated_replaces_the_house_rules():
    rules = season_with({"stop": 2, "furthest": 0.2}).stops.rules()
    assert (rules.stop, rules.furthest, rules.trail) == (2.0, 0.2, 3.5)


@pytest.mark.parametrize(
    "stops", [{"stop": 0}, {"stop": "3"}, {"stop": float("nan")}, {"furthest": 1}, {"nearest": 0.5}, {"stopp": 3}, 3]
)
def test_rubbish_is_refused(stops):
    with pytest.raises(ValidationError):
        season_with(stops)
