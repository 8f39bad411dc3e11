"""The palette keeps what the design promises: contrast, distinct light values, and a style sheet that holds it all."""

import re
from itertools import combinations

import pytest

from arena.ui.theme import style_sheet
from arena.ui.tokens import PALETTE, css_variables, dark_twins, desk_token, light_rgba, line_dash

TEXT_TOKENS = ("ink", "ink-2", "ink-3", "gain", "loss", "warn", "halt", "ok", "focus")
MARK_TOKENS = ("line-strong", *(f"d{slot}" for slot in range(1, 9)))


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("token", TEXT_TOKENS)
def test_text_can_be_read_on_a_panel(token: str, theme: int) -> None:
    assert contrast(PALETTE[token][theme], PALETTE["panel"][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("token", MARK_TOKENS)
def test_marks_can_be_seen_on_a_panel(token: str, theme: int) -> None:
    assert contrast(PALETTE[token][theme], PALETTE["panel"][theme]) >= 3.0


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("tone", ["gain", "loss", "warn", "halt"])
def test_chips_can_be_read_on_their_ground(tone: str, theme: int) -> None:
    assert contrast(PALETTE[tone][theme], PALETTE[f"{tone}-soft"][theme]) >= 4.5


def test_light_values_are_unique_so_that_a_figure_can_be_swapped() -> None:
    for (one, a), (other, b) in combinations(PALETTE.items(), 2):
        assert a.light.lower() != b.light.lower(), f"{one} and {other} share {a.light}"
    assert len(dark_twins()) == len(PALETTE)


def test_the_style_sheet_holds_every_token_in_both_themes() -> None:
    light, dark = css_variables().splitlines()
    for name, shade in PALETTE.items():
        assert f"--tf-{name}:{shade.light};" in light
        assert f"--tf-{name}:{shade.dark};" in dark


def test_styles_name_only_tokens_that_exist_and_no_raw_colour_but_white() -> None:
    rules = style_sheet().removeprefix(css_variables())
    assert set(re.findall(r"var\(--tf-([\w-]+)\)", rules)) <= set(PALETTE)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*;)", rules)) <= {"#fff"}


def test_a_desk_keeps_colour_and_style_and_reused_colours_look_different() -> None:
    assert [desk_token(slot) for slot in (0, 7, 8, 11, 12)] == ["d1", "d8", "d1", "d4", "ink-3"]
    assert line_dash(0, "llm") == "solid"
    assert len({line_dash(0, "llm"), line_dash(0, "rule-based"), line_dash(8, "llm")}) == 3


def test_rgba_of_a_token() -> None:
    assert light_rgba("luck", 0.42) == "rgba(201,208,214,0.42)"
