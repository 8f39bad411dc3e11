"""Prompts: every one resolves, is filled completely or not at all, and fences what came from outside."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from agents.roles import discover_roles
from agents.schemas.executor import IntentAnswer
from prompts import load_prompt, resolve
from prompts.loader import HERE, parse_prompt
from prompts.slots import SlotType, slot_text
from trading.domain import OrderType
from trading.domain.errors import ConfigError

ALL = sorted(f"{path.parent.name}/{path.stem}" for path in HERE.glob("*/*.md"))
HEAD = '+++\nrole = "analyst"\nversion = 1\n\n[slots]\nfacts = "facts"\n+++\n'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("reference", ALL)
def test_every_version_is_recorded_and_loads(reference):
    prompt = load_prompt(reference)
    recorded = (HERE / "versions.toml").read_text(encoding="utf-8")
    assert f'"{reference}" = "{prompt.sha256}"' in recorded, "a new prompt is recorded in versions.toml"


@pytest.mark.parametrize("spec", discover_roles().values(), ids=lambda spec: spec.role)
def test_role_and_its_prompt_fit(spec):
    prompt = load_prompt(spec.prompt)
    assert prompt.role == spec.role
    assert set(prompt.slots) == {"facts", *spec.reads}
    trusted = {name for name, kind in prompt.slots.items() if kind is not SlotType.UNTRUSTED}
    assert trusted == {"facts", "record"}, "only what we measured ourselves is trusted"
    system, user = prompt.messages(dict.fromkeys(prompt.slots))
    assert (system["role"], user["role"]) == ("system", "user")
    assert "{{" not in str(user["content"]) + str(system["content"])
    for tool in re.findall(r"`([a-z]+_[a-z_]+)`", prompt.system):
        known = {*spec.tools, *spec.answer.model_fields, "p_up", "min_notional", "horizon_s", "as_of"}
        known |= {"max_gross_leverage", "_bps", *IntentAnswer.model_fields, *OrderType}
        assert tool in known, f"the prompt speaks of {tool}, which the role does not have"


def test_alias_resolves_and_strangers_are_refused():
    assert resolve("analyst/default") == "analyst/default.v2"
    assert load_prompt("executor/working").offers == {"working"}
    assert load_prompt("executor/production").offers == frozenset()
    assert resolve("analyst/default.v7") == "analyst/default.v7"
    with pytest.raises(ConfigError, match="analyst/default"):
        resolve("analyst/fancy")
    with pytest.raises(ConfigError, match="no file"):
        load_prompt("analyst/default.v7")
    with pytest.raises(ConfigError, match="expected one of"):
        load_prompt("../../etc/passwd")


def test_missing_and_unused_values_are_errors():
    prompt = load_prompt("analyst/default")
    full = dict.fromkeys(prompt.slots)
    with pytest.raises(ConfigError, match=r"without a value \['facts'\]"):
        prompt.messages({name: None for name in full if name != "facts"})
    with pytest.raises(ConfigError, match=r"without a slot \['mood'\]"):
        prompt.messages({**full, "mood": "good"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no head at all", "expected a"),
        (HEAD + "system without a user part", "expected a"),
        (HEAD + "system\n=== user ===\nno slot", "both must be the same"),
        (HEAD + "system\n=== user ===\n{{facts}} {{more}}", "both must be the same"),
        (HEAD + "system {{facts}}\n=== user ===\n{{facts}}", "so that it can be cached"),
        (HEAD.replace('"facts"\n+++', '"poem"\n+++') + "s\n=== user ===\n{{facts}}", "head not understood"),
        (HEAD.replace("version = 1", "version = 2") + "s\n=== user ===\n{{facts}}", "version 2"),
        (HEAD.replace("version = 1", "version = 1\nmood = 1") + "s\n=== user ===\n{{facts}}", "head has"),
        (HEAD.replace("version = 1", "version = 1\noffers = ['magic']") + "s\n=== user ===\n{{facts}}", "offers"),
        (HEAD.replace("version = 1", "version = 1\noffers = 7") + "s\n=== user ===\n{{facts}}", "offers"),
        (HEAD.replace("[slots]", "slots = 3\n[other]") + "s\n=== user ===\n{{facts}}", "head not understood"),
    ],
)
def test_malformed_files_are_refused_before_any_call(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_prompt("analyst/default.v1", text)


def test_changed_text_of_a_published_version_is_refused(monkeypatch):
    monkeypatch.setattr("prompts.shelf.Shelf.published", lambda _: {"analyst/default.v1": "0" * 64})
    with pytest.raises(ConfigError, match="new version"):
        load_prompt("analyst/default.v1")


def test_content_hash_follows_the_text():
    one = parse_prompt("analyst/default.v1", HEAD + "system\n=== user ===\n{{facts}}")
    other = parse_prompt("analyst/default.v1", HEAD + "System\n=== user ===\n{{facts}}")
    assert one.sha256 != other.sha256


@given(JSON)
def test_fenced_value_cannot_leave_its_fence_and_reads_back(value):
    for kind in (SlotType.UNTRUSTED, SlotType.FACTS):
        lines = slot_text("x", kind, value).split("\n")
        assert len(lines) == 3
        assert "<" not in lines[1]
        assert ">" not in lines[1]
        assert from_json(lines[1]) == value


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (SlotType.TEXT, "plain", "plain"),
        (SlotType.INTEGER, 3, "3"),
        (SlotType.NUMBER, 0.25, "0.25"),
        (SlotType.INSTANT, 1_760_659_200_000, "2025-10-17T00:00:00Z"),
    ],
)
def test_plain_slots(kind, value, text):
    assert slot_text("x", kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SlotType.TEXT, "two\nlines"),
        (SlotType.TEXT, "<facts>"),
        (SlotType.TEXT, 3),
        (SlotType.INTEGER, True),
        (SlotType.INTEGER, 1.5),
        (SlotType.NUMBER, "1"),
        (SlotType.INSTANT, "2025-10-17"),
        (SlotType.FACTS, object()),
    ],
)
def test_values_of_the_wrong_type_are_refused(kind, value):
    with pytest.raises(ConfigError, match="prompt slot 'x'"):
        slot_text("x", kind, value)
