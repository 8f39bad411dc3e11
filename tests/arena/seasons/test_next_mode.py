"""The mode of the next run: kept for the rules it was chosen for, never against them, and rubbish is refused."""

from pathlib import Path

import pytest

from arena.seasons.next_mode import MODES, NextModes, in_mode
from arena.seasons.rulefile import load_rules
from arena.seasons.rules import Season
from arena.settings import CONFIG
from trading.domain.errors import ConfigError, RequestError
from trading.risk import load_modes
from trading.storage.runs import Runs

DEMO = CONFIG / "seasons" / "demo.toml"


def test_the_modes_are_those_of_seasons_and_of_the_configuration() -> None:
    assert set(MODES) == set(load_modes(CONFIG / "modes.toml"))
    for mode in MODES:
        assert Season.model_validate({**load_rules(DEMO).season.model_dump(), "mode": mode}).mode == mode


def test_a_choice_is_for_its_rules_alone_and_the_last_one_counts(tmp_path: Path) -> None:
    modes, rules = NextModes(tmp_path), load_rules(DEMO)
    assert modes.of(rules) is None
    assert [found for found, _ in modes.to_play(rules)] == [rules]
    modes.choose(rules, "aggressive", who=" ann\n the trader ", reason="bolder")
    modes.choose(rules, "conservative", who="ann", reason="calmer")
    kept = NextModes(tmp_path).of(rules)
    assert kept is not None
    assert (kept.mode, kept.who, kept.reason) == ("conservative", "ann", "calmer")
    ((found, run),) = modes.to_play(rules)
    assert (found.season.mode, run) == ("conservative", None)
    assert modes.of(load_rules(DEMO, ["season.mode=aggressive"])) is None
    assert modes.of(load_rules(DEMO, ["season.seed=8"])) is None


def test_an_unfinished_run_comes_before_a_new_one_in_the_mode_it_has(tmp_path: Path) -> None:
    modes, rules = NextModes(tmp_path), load_rules(DEMO)
    bold = in_mode(rules, "aggressive")
    run = Runs(tmp_path).open("demo", "0" * 64, {"rules_sha256": bold.rules_sha256})
    assert [found for found, _ in modes.to_play(rules)] == [rules], "nobody chose anything"
    modes.choose(rules, "conservative", who="ann", reason="calmer")
    played = [(found.season.mode, one and one.run_id) for found, one in modes.to_play(rules)]
    assert played == [("aggressive", run.run_id), ("conservative", None)]


def test_a_rule_that_stands_against_the_mode_is_named(tmp_path: Path) -> None:
    rules = load_rules(DEMO, ["season.mode=conservative", "season.approval_deadline=10m"])
    modes = NextModes(tmp_path)
    with pytest.raises(RequestError, match=r"cannot be balanced: season\.approval_deadline"):
        modes.choose(rules, "balanced", who="ann", reason="calm")
    assert modes.of(rules) is None


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1}', '{"x": {"mode": "wild", "who": "", "reason": "", "at_ms": 0}}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "modes.json").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"modes\.json: the chosen modes cannot be read"):
        NextModes(tmp_path).of(load_rules(DEMO))
