"""Every page there is, on a wide screen and a phone, in both themes, over a house whose season was played."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from arena.commands import serve
from arena.floor import Floor
from arena.seasons.rulefile import load_rules
from arena.seasons.snapshot import FloorSnapshot
from arena.settings import Settings
from arena.ui.pages import all_pages
from tests.arena.conftest import SampleFloor
from tests.arena.houses import SEASON
from tests.arena.housing import house as bare_house
from tests.arena.ui.conftest import DESKTOP, PHONE, SwitchedFloor, serving, violations
from tests.arena.ui.hostile import PAYLOADS, poisoned
from tests.arena.ui.test_browser import ATTRIBUTES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = [page.path for page in all_pages()]
LOOKS = [(size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """All that is served, its season played to its end with a person among the desks."""
    folder = tmp_path_factory.mktemp("house")
    file = folder / "short.toml"
    file.write_text(SEASON.format(end="2026-01-02T00:00:00Z"), "utf-8")
    services, season = serve.open_house(
        load_rules(file).with_person(serve.PERSON), Settings.load({"home": folder / "home"})
    )
    season.start()
    while (shown := services.floor.snapshot()) is None or shown.status in ("starting", "running"):
        season._thread.join(0.1)
        assert season.is_alive, "the season came to no end"
    yield services
    services.jobs.stop(30)
    season.stop()


@pytest.fixture(scope="module")
def served(house: Any) -> Iterator[tuple[str, SwitchedFloor]]:
    """The house behind a real server."""
    with serving(house) as address:
        yield address, SwitchedFloor()


def address_of(path: str, floor: Floor) -> str:
    """Where the page is; the page of a decision needs one."""
    if path != "decision":
        return f"/{path}"
    shown = floor.snapshot()
    assert shown is not None
    return f"/decision?id={shown.decisions[0].decision_id}&run={shown.run_id}"


def severe(page: Page) -> list[str]:
    """Serious and critical findings of the accessibility check."""
    found = violations(page)
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def settled(page: Page) -> None:
    """Come back once the page has what it shows."""
    expect(page.locator("#tf-status")).to_contain_text("Season short")
    drawn(page)


def drawn(page: Page) -> None:
    """Come back once no panel and no chart is waited for."""
    page.wait_for_function("document.querySelectorAll('.tf-skeleton, [data-waits]').length === 0", timeout=60_000)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_sound_at_every_size_and_in_both_themes(path: str, house: Any, visit: Any, keep: Any) -> None:
    for size, scheme in LOOKS:
        seen = visit(house.floor, address_of(path, house.floor), viewport=size, scheme=scheme)
        settled(seen.page)
        look = f"{size['width']}-{scheme}"
        keep(seen.page, f"{path or 'arena'}-{look}")
        assert severe(seen.page) == [], look
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= size["width"], look
        assert seen.complaints == [], look
        assert seen.elsewhere == [], look
        seen.page.context.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[str, SwitchedFloor]]:
    """A served house without a season, whose floor a test sets."""
    floor = SwitchedFloor()
    with serving(bare_house(floor)) as address:
        yield address, floor


@pytest.mark.parametrize("path", PATHS)
def test_fifty_hostile_texts_stay_text_on_every_page(
    path: str, stage: tuple[str, SwitchedFloor], browser: Any, snapshot: FloorSnapshot
) -> None:
    address, switched = stage
    page = browser.new_context(viewport=DESKTOP).new_page()
    for turn in range(0, len(PAYLOADS), 10):
        switched.behind = SampleFloor(poisoned(snapshot, turn=turn))
        page.goto(f"{address}/{path}", wait_until="domcontentloaded")
        page.wait_for_function("document.querySelectorAll('.tf-status').length === 1", timeout=60_000)
        drawn(page)
        page.evaluate("document.querySelectorAll('details').forEach(more => more.open = true)")
        assert page.evaluate("window.pwned") is None
        assert page.evaluate(ATTRIBUTES) == []
        assert page.locator("main script, main iframe, main object, main embed, main base, main meta").count() == 0
    page.context.close()
