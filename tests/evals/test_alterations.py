import json

import pytest
from pydantic import ValidationError

from evals.alterations import ATTACKS, CHANNELS, parse_alterations
from evals.alterations.paraphrase import paraphrase
from evals.case import Case
from evals.question import Question
from trading.domain.errors import ConfigError


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mask",
        "mask:",
        "mask:-1",
        "mask:1:2",
        "poison",
        "poison:news",
        "poison:post:order",
        "poison:news:x",
        "Reorder",
    ],
)
def test_a_name_that_is_no_alteration_is_refused(name: str, cases: list[Case]) -> None:
    with pytest.raises(ConfigError, match="alteration"):
        parse_alterations([name])
    with pytest.raises(ValidationError, match="alteration"):
        Case.model_validate({**cases[0].model_dump(), "alters": [name]})


def test_every_channel_carries_every_attack() -> None:
    facts = {"role": "user", "content": '<facts name="facts">\n{"instruments":[]}\n</facts>'}
    quotes = {"role": "tool", "content": '{"quotes":[{"instrument":"BTC-USDT-PERP","price":1.0}]}'}
    for channel in CHANNELS:
        for attack in ATTACKS.values():
            (edit,) = parse_alterations([f"poison:{channel}:{attack.name}"]).edits
            texts = [str(edit(dict(message))["content"]) for message in (facts, quotes)]
            escaped = [text.replace("\\u003c", "<").replace("\\u003e", ">") for text in texts]
            assert sum(attack.text in text for text in escaped) == 1, channel
            assert edit(dict(facts)) == edit(dict(facts))


def test_errors_of_tools_and_answers_are_left_alone() -> None:
    edits = parse_alterations(["paraphrase", "poison:tool:order", "poison:name:order", "poison:news:order"]).edits
    for message in (
        {"role": "tool", "content": '{"error":"no"}'},
        {"role": "tool", "content": "no json"},
        {"role": "tool", "content": "[1,2]"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "Answer once more."},
        {"role": "system", "content": "You are."},
    ):
        for edit in edits:
            assert json.dumps(edit(dict(message))).replace(" ", "") == json.dumps(message).replace(" ", "")


def test_a_paraphrase_says_the_same_facts_inside_the_same_fences() -> None:
    content = 'The round and its conditions:\n<facts name="facts">\n{"a":1,"b":[{"c":"\\u003cx","d":2}]}\n</facts>'
    said = paraphrase({"role": "user", "content": content})["content"]
    assert said != content
    body = said.split("\n")[2]
    assert json.loads(body) == {"a": 1, "b": [{"c": "<x", "d": 2}]}
    assert list(json.loads(body)) == ["b", "a"]
    assert "<x" not in said


def test_a_digest_of_a_case_does_not_move_with_what_is_wanted(cases: list[Case]) -> None:
    asked = cases[0].model_copy(update={"question": Question(text="How much?")})
    wants = Question.model_validate({"text": "How much?", "wants": [{"tool": "get_account"}]})
    assert asked.sha256 != cases[0].sha256
    assert asked.model_copy(update={"question": wants}).sha256 == asked.sha256
    assert asked.model_copy(update={"question": Question(text="How many?")}).sha256 != asked.sha256
    assert cases[0].altered(("reorder",)).sha256 != cases[0].sha256


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("refused", {"DOGE-USDT-PERP": 1.0}, "refused names DOGE"),
        ("since", "soon", "since"),
        ("question", {"text": ""}, "question.text"),
        ("question", {"text": "x", "tools": False, "wants": [{"tool": "get_account"}]}, "without tools"),
        (
            "question",
            {"text": "x", "recalls": {"instrument": "X-USDT", "at": "2025-01-01T00:00:00Z"}},
            "question names X",
        ),
        ("question", {"text": "x", "recalls": {"instrument": "BTC-USDT-PERP", "at": "yesterday"}}, "at"),
        ("question", {"text": "x", "colour": 1}, "colour"),
    ],
)
def test_rubbish_in_a_case_is_refused(cases: list[Case], field: str, value: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Case.model_validate({**cases[0].model_dump(), field: value})
