"""What of a stream is meant to be read does not depend on how it was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.streaming import Prose


def read(*parts: str) -> str:
    prose = Prose()
    return "".join([*(prose.feed(part) for part in parts), prose.rest()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plain words.", "Plain words."),
        ("", ""),
        ("  \n ", "  \n "),
        ("<think>Hm.</think>Buy.", "Buy."),
        ("\n<thinking>Hm </think> still</thinking>Buy.", "Buy."),
        ("<think>never ends", ""),
        ("<thi", "<thi"),
        ("<thick> of it", "<thick> of it"),
        ("First words. <think>quoted</think>", "First words. <think>quoted</think>"),
        ("<think>a</think><think>b</think>c", "<think>b</think>c"),
    ],
)
def test_thoughts_before_the_answer_are_not_shown(text: str, shown: str) -> None:
    assert read(text) == shown
    assert read(*text) == shown


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "thin", "king>", " ", "\n", "word", ">"]), max_size=9))
def test_cuts_make_no_difference(parts: list[str]) -> None:
    text = "".join(parts)
    assert read(*parts) == read(text) == read(*text)
