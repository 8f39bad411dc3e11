"""The pages in a real browser: they render, they live, they halt, and what models write stays text."""

import time
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from arena.seasons.snapshot import FloorSnapshot
from tests.arena.ui.hostile import PAYLOADS, poisoned

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

# Gives the text nodes whose contrast with the ground behind them is under 4.5, ground colours blended as painted.
CONTRAST = """
() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest("script, style, svg, noscript")) continue;
    const under = ground(node);
    const [a, b] = [light(over(rgba(getComputedStyle(node).color), under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${walk.currentNode.data.trim().slice(0, 40)}`);
  }
  return found;
}
"""

# Attributes that hold a payload; Plotly keeps the source of the labels it drew in one of its own. Ways to a desk or a
# decision hold names in percent encoding alone.
ATTRIBUTES = r"""
() => [...document.body.querySelectorAll("*")]
  .flatMap((node) => [...node.attributes])
  .filter((attribute) => attribute.name !== "data-unformatted" && attribute.value.includes("pwned"))
  .filter((attribute) => attribute.name !== "href" || !/^\/(desk|decision|chat)\?[\w=&%.+~-]*$/.test(attribute.value))
  .map((attribute) => `${attribute.name}=${attribute.value}`)
"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1440", "390"])
def test_pages_render_in_both_themes(
    size: dict[str, int], snapshot: FloorSnapshot, make_floor: Any, visit: Any, keep: Any
) -> None:
    seen = visit(make_floor(_fresh(snapshot)), viewport=size)
    page = seen.page
    expect(page.locator(".tf-card")).to_have_count(len(snapshot.desks))
    expect(page.locator("#tf-equity-chart .scatterlayer .trace")).to_have_count(5 + len(snapshot.desks))
    expect(page.locator(".tf-feed > li").first).to_be_visible()
    expect(page.locator("#tf-status")).to_contain_text("SIMULATED")
    expect(page.locator("#tf-status")).to_contain_text("PAPER")
    if size is PHONE:
        assert _small_targets(page) == []
    _audit(page, size, "light")
    keep(page, f"arena-light-{size['width']}")
    _switch_theme(page)
    expect(page.locator("#tf-equity-chart .ytick text").first).to_have_css("fill", "rgb(176, 186, 196)")
    _audit(page, size, "dark")
    keep(page, f"arena-dark-{size['width']}")

    page.get_by_role("link", name="Leaderboard", exact=True).click()
    expect(page.locator(".tf-standings tbody tr")).to_have_count(len(snapshot.desks))
    expect(page.locator("#tf-readout")).to_contain_text("Every interval contains zero")
    expect(page.get_by_role("link", name="Leaderboard", exact=True)).to_have_attribute("aria-current", "page")
    _audit(page, size, "dark")
    keep(page, f"leaderboard-dark-{size['width']}")
    _switch_theme(page)
    _audit(page, size, "light")
    keep(page, f"leaderboard-light-{size['width']}")

    _open_from_menu(page, "Risk")
    expect(page.locator("#tf-risk-desks tbody tr")).to_have_count(len(snapshot.desks))
    expect(page.locator("#tf-risk-facts")).to_contain_text("Gross exposure")
    _audit(page, size, "light")
    keep(page, f"risk-light-{size['width']}")
    _switch_theme(page)
    _audit(page, size, "dark")
    keep(page, f"risk-dark-{size['width']}")

    _open_from_menu(page, "Forecasts")
    expect(page.locator("#tf-forecast-desks tbody tr")).to_have_count(len(snapshot.desks))
    expect(page.locator("#tf-forecast-facts")).to_contain_text("Best Brier skill")
    expect(page.locator("#tf-forecast-models tbody tr")).to_have_count(2)
    _audit(page, size, "dark")
    keep(page, f"forecasts-dark-{size['width']}")
    _switch_theme(page)
    _audit(page, size, "light")
    keep(page, f"forecasts-light-{size['width']}")
    assert seen.complaints == []
    assert seen.elsewhere == []


def test_news_arrives_and_disturbs_no_reader(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    floor = make_floor(_fresh(snapshot))
    page = visit(floor, scheme="dark").page
    entry = page.locator(".tf-feed > li").nth(2)
    entry.get_by_text("Reasoning").click()
    expect(entry.locator(".tf-said").first).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')"), "the system's theme, where none was chosen"
    opened = entry.get_attribute("data-entry")
    expect(page.locator("#tf-equity-chart .scatterlayer")).to_be_visible()
    zoom = [snapshot.start_ms + 3_600_000 * 20, snapshot.start_ms + 3_600_000 * 90]
    page.evaluate("zoom => Plotly.relayout(document.querySelector('.tf-plot'), {'xaxis.range': zoom})", zoom)

    first = snapshot.decisions[0]
    news = replace(first, round_index=301, ts_ms=first.ts_ms + 3_600_000, rationale="Something new happened.")
    desks = tuple(replace(desk, total_return=desk.total_return + 0.1) for desk in snapshot.desks)
    floor.publish(replace(floor.snapshot(), decisions=(news, *snapshot.decisions), desks=desks, round_index=301))

    expect(page.locator(".tf-feed > li").first).to_contain_text("Something new happened.", timeout=5_000)
    expect(page.locator("#tf-status")).to_contain_text("round 301 of 408")
    expect(page.locator(f'[data-entry="{opened}"] .tf-said').first).to_be_visible()
    assert page.locator(".tf-feed details[open] .tf-said").count() == 3
    kept = page.evaluate(
        "document.querySelector('.tf-plot')._fullLayout.xaxis.range.map(x => new Date(x + 'Z').getTime())"
    )
    assert kept == pytest.approx(zoom, abs=60_000)


def test_halting_takes_two_steps_and_resuming_too(
    snapshot: FloorSnapshot, make_floor: Any, visit: Any, keep: Any
) -> None:
    floor = make_floor(_fresh(snapshot))
    seen = visit(floor)
    page = seen.page
    expect(page.locator(".tf-card").first).to_be_visible()
    halt, confirm = page.get_by_role("button", name="Halt…"), page.get_by_role("button", name="Confirm halt")
    cancel = page.locator("#tf-halt").get_by_role("button", name="Cancel")

    expect(confirm).to_be_hidden()
    where = halt.bounding_box()
    halt.click()
    expect(confirm).to_be_focused()
    centre = cancel.bounding_box()
    assert where is not None
    assert centre is not None
    assert centre["x"] <= where["x"] + where["width"] / 2 <= centre["x"] + centre["width"], "a double click must cancel"
    cancel.click()
    expect(confirm).to_be_hidden()
    expect(halt).to_be_focused()
    assert floor.orders == []

    halt.click()
    confirm.click()
    expect(page.get_by_role("alert")).to_contain_text("Trading is halted", timeout=5_000)
    expect(halt).to_be_hidden()
    assert [kind for kind, _reason in floor.orders] == ["halt"]
    keep(page, "arena-halted")

    page.get_by_role("button", name="Resume…").click()
    page.get_by_role("button", name="Confirm resume").click()
    expect(page.locator(".tf-banner")).to_have_count(0, timeout=5_000)
    expect(halt).to_be_visible()
    assert [kind for kind, _reason in floor.orders] == ["halt", "resume"]
    assert seen.complaints == []


def test_what_models_write_stays_text(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    seen = visit(make_floor(poisoned(_fresh(snapshot))))
    page = seen.page
    expect(page.locator(".tf-feed > li").first).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(more => more.open = true)")
    for tab in ("Trades", "Positions", "Model talk"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel").filter(visible=True).locator(".tf").first).to_be_visible()
    feed = page.locator("#tf-decisions")
    for payload in (PAYLOADS[1], PAYLOADS[6]):
        expect(feed.get_by_text(payload).first).to_be_visible()
    assert feed.locator("img, script, iframe, svg").count() == 0
    assert feed.locator('a:not([href^="/desk?"], [href^="/decision?"])').count() == 0
    assert page.locator("[onerror], [onmouseover], [onload]").count() == 0
    assert page.evaluate(ATTRIBUTES) == []
    assert page.evaluate("window.pwned") is None
    assert seen.elsewhere == []
    # The invented decisions are not on record: whoever opens their prompts is told so, and the browser notes the 404.
    assert [complaint for complaint in seen.complaints if "404 (Not Found)" not in complaint] == []


def test_before_the_first_round_every_panel_says_what_it_waits_for(
    empty_snapshot: FloorSnapshot, make_floor: Any, visit: Any, keep: Any
) -> None:
    floor = make_floor(None)
    seen = visit(floor)
    page = seen.page
    expect(page.locator("#tf-notice")).to_contain_text("The season is starting")
    expect(page.locator("#tf-desks")).to_contain_text("Desks appear when the season starts.")
    floor.publish(replace(_fresh(empty_snapshot), status="starting"))
    expect(page.locator(".tf-card")).to_have_count(len(empty_snapshot.desks), timeout=5_000)
    expect(page.locator("#tf-decisions")).to_contain_text("No decisions yet")
    expect(page.locator("#tf-equity-chart")).to_contain_text("after the first round")
    keep(page, "arena-empty")
    assert seen.complaints == []


def _audit(page: Any, size: dict[str, int], theme: str) -> None:
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(CONTRAST) == []


def _open_from_menu(page: Any, title: str) -> None:
    """Follow a link that stands behind "More", or behind the page's own name, where there is no room for all."""
    page.locator(".tf-pages > summary").click()
    page.locator(".tf-pages").get_by_role("link", name=title).click()


def _switch_theme(page: Any) -> None:
    page.get_by_role("button", name="Switch between light and dark").click()


def _fresh(snapshot: FloorSnapshot) -> FloorSnapshot:
    return replace(snapshot, published_ms=time.time_ns() // 1_000_000)


def _small_targets(page: Any) -> list[str]:
    """What can be pressed and is under 44 px high."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, nav a, .tf-segments label")]
            .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 43.5)
            .map((target) => `${target.getBoundingClientRect().height} ${target.textContent.trim()}`)"""
    )
    return found
