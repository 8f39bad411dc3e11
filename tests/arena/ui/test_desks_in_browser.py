"""Leaderboard, desk and decision in a real browser, over a season that was really played."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from arena.seasons.live import LiveFloor
from arena.traces import Transcripts
from tests.arena.housing import house
from tests.arena.played import ROUNDS, play_on_floor
from tests.arena.ui.conftest import DESKTOP, PHONE, SwitchedFloor, serving, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [(DESKTOP, "light"), (PHONE, "dark")]
IDS = ["desktop light", "phone dark"]
SMALL = """() => [...document.querySelectorAll("summary, .tf-link-button, .tf-switch a, .tf-choose a")]
    .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 43.5)
    .map((target) => `${target.getBoundingClientRect().height} ${target.textContent.trim()}`)"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveFloor, Any, Transcripts]:
    home, transcripts = tmp_path_factory.mktemp("home"), Transcripts()
    return play_on_floor(home, transcripts), home, transcripts


@pytest.fixture(scope="module")
def served(played: tuple[LiveFloor, Any, Transcripts]) -> Iterator[tuple[str, SwitchedFloor]]:
    """A server over the home of the played season, in the place of the one of all other tests."""
    _, home, transcripts = played
    floor = SwitchedFloor()
    with serving(house(floor, home=home, transcripts=transcripts)) as address:
        yield address, floor


@pytest.fixture
def floor(played: tuple[LiveFloor, Any, Transcripts]) -> LiveFloor:
    return played[0]


def acted(floor: LiveFloor) -> str:
    """A decision of the random desk that traded."""
    snapshot = floor.snapshot()
    assert snapshot is not None
    mine = [card for card in snapshot.decisions if card.desk == "random" and card.status == "acted"]
    return mine[-1].decision_id


def audit(seen: Any, size: dict[str, int]) -> None:
    page = seen.page
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if size is PHONE:
        assert page.evaluate(SMALL) == []
    found = violations(page)
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert seen.complaints == []
    assert seen.elsewhere == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_the_leaderboard(floor: LiveFloor, visit: Any, keep: Any, size: Any, scheme: str) -> None:
    seen = visit(floor, "/leaderboard", viewport=size, scheme=scheme)
    page = seen.page
    expect(page.locator("#tf-standings tbody tr")).to_have_count(2)
    expect(page.locator("#tf-lb-pairs .tf-rk-cell")).to_have_count(2)
    audit(seen, size)
    keep(page, f"leaderboard-{scheme}-{size['width']}")
    page.get_by_role("link", name="Language models").click()
    expect(page.locator("#tf-standings")).to_contain_text("No language model takes part")
    assert "desks=models" in page.url
    page.go_back()
    expect(page.locator("#tf-standings tbody tr")).to_have_count(2)
    with page.expect_download() as told:
        page.get_by_role("link", name="CSV").click()
    assert told.value.suggested_filename == "leaderboard-season.csv"
    page.locator("#tf-standings").get_by_role("link", name="random").click()
    expect(page.locator("#tf-desk-head")).to_contain_text("random")


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_the_desk(floor: LiveFloor, visit: Any, keep: Any, size: Any, scheme: str) -> None:
    seen = visit(floor, "/desk?desk=random", viewport=size, scheme=scheme)
    page = seen.page
    expect(page.locator("#tf-desk-head")).to_contain_text("random")
    expect(page.locator("#tf-desk-decisions tbody tr")).to_have_count(ROUNDS)
    expect(page.locator("#tf-desk-habits tbody tr")).to_have_count(8)
    expect(page.locator("#tf-desk-chart .scatterlayer .trace").first).to_be_attached()
    audit(seen, size)
    keep(page, f"desk-{scheme}-{size['width']}")
    page.locator("#tf-desk-choose").get_by_role("link", name="buyhold").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#tf-desk-head")).to_contain_text("buyhold")
    expect(page.locator("#tf-desk-choose [aria-current]")).to_contain_text("buyhold")
    assert page.url.endswith("desk=buyhold")
    assert page.evaluate("document.activeElement.textContent").startswith("buyhold")


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_the_decision(floor: LiveFloor, visit: Any, keep: Any, size: Any, scheme: str) -> None:
    seen = visit(floor, f"/decision?id={acted(floor)}", viewport=size, scheme=scheme)
    page = seen.page
    expect(page.locator("#tf-decision h2").first).to_contain_text("random wants to")
    expect(page.locator(".tf-step").first).to_contain_text("Market view")
    audit(seen, size)
    keep(page, f"decision-{scheme}-{size['width']}")
    executor = page.locator(".tf-step").filter(has=page.get_by_role("heading", name="Executor"))
    executor.get_by_text("Prompt", exact=True).click()
    expect(executor.get_by_text("You are the executor of a trading desk")).to_be_visible()
    heading = page.locator("#tf-decision h2").first.text_content()
    place = page.url
    page.get_by_role("link", name="Next").click()
    page.wait_for_function("before => location.href !== before", arg=place)
    mine = re.compile(re.escape(place.partition("id=")[2].partition("&")[0]))
    expect(page.get_by_role("link", name="Previous")).to_have_attribute("href", mine)
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("#tf-decision h2").first).to_have_text(heading or "")
    with page.expect_download() as told:
        page.get_by_role("link", name="Export JSON").click()
    assert told.value.suggested_filename.startswith("d-")


def test_a_decision_becomes_a_case(floor: LiveFloor, visit: Any) -> None:
    page = visit(floor, f"/decision?id={acted(floor)}").page
    page.get_by_role("button", name="Add to the prompt lab").click()
    expect(page.get_by_role("status").filter(has_text="is a case of the suite own")).to_be_visible(timeout=120_000)


def test_the_arena_shows_prompts_to_whoever_opens_them(floor: LiveFloor, visit: Any) -> None:
    seen = visit(floor)
    page = seen.page
    entry = page.locator(".tf-feed > li").first
    entry.get_by_text("Prompts and answers").click()
    expect(entry.locator("[data-words] pre").first).to_contain_text("system")
    page.get_by_text("drawdown", exact=True).click()
    expect(page.locator("#tf-equity-chart .ytick text").last).to_have_text(re.compile(r"^0(\.0)?\s%$"))
    entry.locator("time").click()
    expect(page.locator("#tf-decision h2").first).to_be_visible()
    assert seen.complaints == []


def test_a_strange_address_is_answered_in_words(floor: LiveFloor, visit: Any) -> None:
    for path, words in (
        ("/decision?id=<script>", "not on record here"),
        ("/decision", "Which decision?"),
        ("/desk?desk=%3Cimg src=x onerror=p()%3E", "No desk"),
    ):
        seen = visit(floor, path)
        expect(seen.page.locator("main, body").first).to_contain_text(words)
        assert seen.complaints == []
