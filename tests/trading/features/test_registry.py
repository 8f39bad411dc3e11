"""What every feature declares, and the page that lists them."""

import re
from pathlib import Path

import pytest

from trading.domain.errors import RequestError
from trading.features.catalogue import page
from trading.features.feature import Group
from trading.features.registry import FEATURES, by_name, chosen, groups

PAGE = Path(__file__).parents[3] / "docs" / "features.md"


def test_there_are_enough_and_each_group_has_some() -> None:
    assert len(FEATURES) >= 138
    assert all(groups()[group] for group in Group)
    assert sum(map(len, groups().values())) == len(FEATURES)


def test_names_are_unique_and_plain() -> None:
    assert len(by_name()) == len(FEATURES)
    assert [name for name in by_name() if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


def test_each_says_what_it_is() -> None:
    for feature in FEATURES:
        assert feature.inputs, feature.name
        assert feature.warmup >= 1, feature.name
        assert feature.unit, feature.name
        assert feature.description.endswith((".", "trend.")), feature.name
        assert feature.cadence % feature.timeframe == 0, feature.name
        assert "|" not in feature.description + feature.unit, feature.name


def test_chaos_looks_at_three_timeframes() -> None:
    assert {feature.timeframe for feature in FEATURES if feature.group is Group.CHAOS} == {1, 4, 24}


def test_an_unknown_name_is_refused() -> None:
    assert [feature.name for feature in chosen(("rsi_14", "gap"))] == ["rsi_14", "gap"]
    with pytest.raises(RequestError, match="no feature 'rsi_15'"):
        chosen(("rsi_14", "rsi_15"))


def test_the_page_is_that_of_the_registry() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m trading.features.catalogue > docs/features.md"
