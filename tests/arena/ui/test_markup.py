"""Text becomes markup in one place only, and comes out inert."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from arena.ui.components.markup import Html, element, escape, join


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_no_text_makes_a_tag_or_an_attribute(text: str) -> None:
    reader = _Reader()
    reader.feed(element("p", text, title=text))
    reader.close()
    assert reader.tags == ["p"]
    assert [name for name, _ in reader.attributes] == ["title"]


def test_text_is_escaped_once_and_markup_not_again() -> None:
    inner = element("b", "a < b & c")
    assert inner == "<b>a &lt; b &amp; c</b>"
    assert element("p", inner, " & more") == "<p><b>a &lt; b &amp; c</b> &amp; more</p>"


def test_a_plain_string_that_looks_like_markup_is_text() -> None:
    assert element("p", "<img src=x onerror=alert(1)>") == "<p>&lt;img src=x onerror=alert(1)&gt;</p>"


def test_terminal_sequences_and_direction_overrides_are_taken_out() -> None:
    assert escape("\x1b[31mred\x1b[0m \u202etxet\u2069\x00") == "red txet"
    assert escape("two\nlines\tkept") == "two\nlines\tkept"


def test_attributes_of_none_and_false_are_left_out() -> None:
    assert element("details", open=False, class_=None) == "<details></details>"
    assert element("details", open=True, data_key="1-2") == '<details open data-key="1-2"></details>'


def test_join_keeps_markup_and_escapes_its_separator() -> None:
    assert join([Html("<i></i>"), None, "<"], " & ") == "<i></i> &amp; &lt;"
