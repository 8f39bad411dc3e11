"""One rendering a snapshot, shared by all viewers, and nothing sent to a viewer who has it already."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.chat.endpoints import PUBLIC
from arena.ui.pages import all_pages
from arena.ui.rendering import MAX_ENTRIES, RenderCache, rendered
from arena.ui.site import build_site
from tests.arena.housing import house


def test_a_snapshot_is_rendered_once(snapshot: FloorSnapshot) -> None:
    cache = RenderCache()
    made: list[int] = []

    def render() -> str:
        made.append(1)
        return "content"

    for _ in range(3):
        assert cache.get(snapshot, "panel", render).text == "content"
    assert len(made) == 1
    cache.get(replace(snapshot, version=2), "panel", render)
    cache.get(replace(snapshot, version=2, run_id="other"), "panel", render)
    assert len(made) == 3


def test_equal_content_has_an_equal_name() -> None:
    assert rendered("a").etag == rendered("a").etag != rendered("b").etag


def test_what_viewers_make_up_does_not_pile_up(snapshot: FloorSnapshot) -> None:
    cache = RenderCache()
    for number in range(MAX_ENTRIES + 10):
        cache.get(snapshot, number, lambda: "content")
    assert len(cache._entries) == MAX_ENTRIES


def test_a_viewer_gets_only_what_changed(snapshot: FloorSnapshot, make_floor: Callable[..., Any]) -> None:
    floor = make_floor(snapshot)
    page = build_site(house(floor), now_ms=lambda: 0).pages[""]
    first = json.loads(page.changes({}))
    assert {"tf-status", "tf-desks", "tf-equity-chart"} <= set(first)
    seen = ",".join(f"{name}:{etag}" for name, (etag, _) in first.items())
    assert page.changes({"seen": seen}) == b""
    floor.publish(replace(snapshot, trades=snapshot.trades[1:]))
    assert set(json.loads(page.changes({"seen": seen}))) == {"tf-trades"}


def test_choices_and_addresses_are_rubbish_at_will(snapshot: FloorSnapshot, make_floor: Callable[..., Any]) -> None:
    for page in build_site(house(make_floor(snapshot)), now_ms=lambda: 0).pages.values():
        usual = json.loads(page.changes({}))
        odd = json.loads(page.changes({"choice-0": "<script>", "seen": ",,:::,x", "at-desk": "'\"><img src=x>"}))
        assert set(odd) == set(usual)
        assert not any("<img" in text or "<script" in text for _, text in odd.values())


def test_a_page_without_our_server_is_refreshed_by_a_timer(
    snapshot: FloorSnapshot, make_floor: Callable[..., Any]
) -> None:
    site = build_site(house(make_floor(snapshot)), now_ms=lambda: 0, by_timer=True).blocks
    refresh = next(fn for fn in site.fns.values() if any(event == "tick" for _, event in fn.targets)).fn
    seen, *first = refresh({}, "All", "%")
    assert all(isinstance(update, str) for update in first)
    _, *second = refresh(seen, "All", "%")
    assert not any(isinstance(update, str) for update in second)


def test_only_declared_endpoints_are_public(snapshot: FloorSnapshot, make_floor: Callable[..., Any]) -> None:
    site = build_site(house(make_floor(snapshot)), by_timer=True).blocks
    public = [fn for fn in site.fns.values() if fn.api_visibility != "private"]
    assert sorted(str(fn.api_name) for fn in public) == sorted(PUBLIC)
    assert all(not fn.targets for fn in public), "they are called by name, and by no component of a page"
    assert {path for path, _name, _shown in site.pages} == {page.path for page in all_pages()}
