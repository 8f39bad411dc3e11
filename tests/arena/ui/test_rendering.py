"""One rendering a snapshot, shared by all viewers, and nothing sent to a viewer who has it already."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.floor import Floor
from arena.ui.rendering import RenderCache, rendered
from arena.ui.site import build_site


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


def test_a_viewer_gets_only_what_changed(snapshot: FloorSnapshot, make_floor: Callable[..., Any]) -> None:
    floor = make_floor(snapshot)
    refresh = _refresh_of(floor)
    seen, *first = refresh({}, "All", "%")
    assert all(isinstance(update, str) for update in first)
    seen, *second = refresh(seen, "All", "%")
    assert not any(isinstance(update, str) for update in second)
    floor.publish(replace(snapshot, trades=snapshot.trades[1:]))
    _, *third = refresh(seen, "All", "%")
    assert sum(isinstance(update, str) for update in third) == 1


def _refresh_of(floor: Floor) -> Callable[..., list[Any]]:
    site = build_site(floor, now_ms=lambda: 0)
    ticks = [fn for fn in site.fns.values() if any(event == "tick" for _, event in fn.targets)]
    found: Callable[..., list[Any]] = ticks[0].fn
    return found


def test_no_callback_of_any_page_is_a_public_endpoint(snapshot: FloorSnapshot, make_floor: Callable[..., Any]) -> None:
    site = build_site(make_floor(snapshot))
    assert {fn.api_visibility for fn in site.fns.values()} == {"private"}
    assert {path for path, _name, _shown in site.pages} == {"", "standings", "risk", "forecasts"}
