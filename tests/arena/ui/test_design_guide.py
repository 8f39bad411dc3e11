"""The guide, the tokens and the styles agree: no colour is told twice in different words, no variable is made up."""

import re
from pathlib import Path

from arena.ui import theme
from arena.ui.pages import all_pages
from arena.ui.tokens import PALETTE, css_variables

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
STYLES = sorted((ROOT / "arena" / "ui" / "styles").glob("*.css"))
ROW = re.compile(r"^\| ([\w-]+) \| (#[0-9A-F]{6}) \| (#[0-9A-F]{6}) \| (.+) \|$", re.MULTILINE)


def test_the_table_of_the_guide_is_the_palette() -> None:
    told = {name: (light, dark) for name, light, dark, _ in ROW.findall(GUIDE)}
    assert told == {name: tuple(shade) for name, shade in PALETTE.items()}


def test_every_variable_of_the_styles_exists_and_every_token_is_used() -> None:
    by_page = {"--c", "--tf-banner-room"}  # of one card, and what a banner of the chat's page takes
    defined = set(re.findall(r"(--[\w-]+):", css_variables())) | by_page
    used = {name for path in STYLES for name in re.findall(r"var\((--[\w-]+)", path.read_text(encoding="utf-8"))}
    assert used <= defined
    desks = {f"--tf-d{slot}" for slot in range(1, 9)}
    by_code = {"--tf-ok", "--tf-luck", "--tf-luck-inner"} | desks
    assert {name for name in defined if name.startswith("--tf-")} - by_code - by_page <= used


def test_every_style_file_is_part_of_the_style_sheet() -> None:
    assert {path.stem for path in STYLES} == {*theme._STYLES, "login"}, "the login page has a sheet of its own"


def test_the_guide_names_the_pages_it_is_about() -> None:
    for page in all_pages():
        if page.path in ("", "leaderboard", "desk", "decision", "risk", "forecasts"):
            assert page.title in GUIDE
