"""The house in a real browser: a prompt is changed and compared, a limit tightened, an alert acknowledged."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from arena.api.app import create_app
from arena.seasons.snapshot import FloorSnapshot
from arena.settings import CONFIG
from arena.traces import TraceArchive
from prompts import resolve, use_prompts
from tests.arena.housing import house
from tests.arena.played import play
from tests.arena.ui.conftest import SwitchedFloor, violations
from trading.risk import LimitBoard, Limits
from trading.risk.alerts import AlertDesk, FileChannel, LogChannel

pytestmark = pytest.mark.browser

PATIENCE_MS = 90_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with one alert that waits."""
    home = tmp_path_factory.mktemp("home")
    desk = AlertDesk(home, (LogChannel(), FileChannel(home)))
    desk.raise_alert("<img src=x onerror=window.pwned=1> the feed is late", critical=False)
    yield home
    use_prompts(None)


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[tuple[str, SwitchedFloor]]:
    """A server over a home folder of its own."""
    floor = SwitchedFloor()
    services = house(floor, home=home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(services), host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{port}", floor
    services.jobs.stop(30)
    server.should_exit = True
    thread.join(timeout=5)


def severe(page: Page) -> list[str]:
    """Serious and critical findings of the accessibility check, one line each."""
    found = violations(page)
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def test_a_prompt_is_changed_compared_and_its_case_opened(
    snapshot: FloorSnapshot, make_floor: Any, visit: Any, home: Path, keep: Any
) -> None:
    seen = visit(make_floor(snapshot), "/lab")
    page = seen.page
    editor = page.get_by_label("Text")
    expect(editor).to_have_value(re.compile(r"^\+\+\+"))
    editor.fill(editor.input_value().replace("\n=== user ===", "\nThank you.\n\n=== user ==="))
    page.get_by_label("What changed, and why").fill("thanks")
    page.get_by_role("button", name="Save new version").click()
    expect(page.get_by_text("executor/mine.v1 is kept").first).to_be_visible(timeout=PATIENCE_MS)
    assert resolve("executor/production") != "executor/mine.v1", "saving promotes nothing"
    expect(page.get_by_label("Candidate: prompt")).to_have_value("executor/mine.v1")

    page.get_by_label("Cases").fill("6")
    page.get_by_label("Candidate: models").click()
    page.keyboard.press("Backspace")
    page.get_by_role("option", name="house/momentum", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Run comparison").click()
    verdict = page.locator("#tf-lab-result .tf-lab-verdict")
    expect(verdict).to_contain_text("Not separable: executor/mine.v1 with house/momentum", timeout=PATIENCE_MS)
    expect(verdict).to_contain_text("rule-based, no LLM")
    expect(verdict.get_by_role("button", name="Promote executor/mine.v1")).to_be_disabled()
    expect(page.locator(".tf-lab-table tbody tr")).to_have_count(6)
    page.get_by_role("link", name="Different 0").click()
    expect(page.locator(".tf-lab-matrix")).to_contain_text("No case of this comparison fits")
    page.get_by_role("link", name="All 6").click()
    page.locator(".tf-lab-table tbody th a").first.click()
    drawer = page.locator(".tf-lab-drawer")
    expect(drawer.get_by_text("Executor: rendered prompt").first).to_be_visible(timeout=PATIENCE_MS)
    drawer.get_by_text("Executor: answer").first.click()
    expect(drawer.locator("pre", has_text='"action"').first).to_be_visible()
    assert "/lab?" in page.url
    assert severe(page) == []
    keep(page, "lab-compared")
    assert seen.complaints == []


def test_a_limit_is_tightened_in_two_steps(snapshot: FloorSnapshot, make_floor: Any, visit: Any, home: Path) -> None:
    page = visit(make_floor(snapshot), "/risk").page
    expect(page.locator("#tf-risk-limits [role=meter]").first).to_be_visible()
    confirm = page.get_by_role("button", name="Confirm change")
    expect(confirm).to_be_hidden()
    page.get_by_label("Limit", exact=True).fill("max_leverage")
    page.get_by_role("option", name="max_leverage").click()
    page.get_by_label("New value").fill("2")
    page.get_by_label("Why: it stands in the record").fill("a calm week")
    page.get_by_role("button", name="Change limit…").click()
    confirm.click()
    expect(page.locator("#tf-risk-changes")).to_contain_text("a calm week", timeout=PATIENCE_MS)
    board = LimitBoard(home, Limits.load(CONFIG / "limits.toml"))
    assert [(change.name, change.value) for change in board.changes()] == [("max_leverage", "2")]


def test_an_alert_is_acknowledged_and_its_text_stays_text(
    snapshot: FloorSnapshot, make_floor: Any, visit: Any, home: Path
) -> None:
    page = visit(make_floor(snapshot), "/settings").page
    expect(page.get_by_text("the feed is late")).to_be_visible()
    assert page.evaluate("window.pwned") is None
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible(timeout=PATIENCE_MS)
    assert AlertDesk(home, (LogChannel(), FileChannel(home))).waiting() == []


def test_what_is_refused_is_told_to_the_person(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    page = visit(make_floor(snapshot), "/lab").page
    page.get_by_label("What changed, and why").fill("")
    page.get_by_role("button", name="Save new version").click()
    expect(page.get_by_text("A version without a reason helps nobody").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_decision_is_replayed_and_both_answers_stand_side_by_side(
    snapshot: FloorSnapshot, make_floor: Any, visit: Any, home: Path, keep: Any
) -> None:
    with ThreadPoolExecutor(1) as aside:  # the browser keeps a loop running in this thread
        run = aside.submit(play, home).result()
    entry = TraceArchive(home).newest(run.run_id, "buyhold", 1)[0][0]
    seen = visit(make_floor(snapshot), f"/decision?id={entry.decision_id}&run={run.run_id}")
    page = seen.page
    panel = page.locator("#tf-replay")
    expect(page.get_by_role("button", name="Replay")).to_be_visible(timeout=PATIENCE_MS)
    expect(panel).to_have_text("")
    page.get_by_role("button", name="Replay").click()
    expect(panel).to_contain_text("The same answer. Every prompt was word for word", timeout=PATIENCE_MS)
    expect(panel).to_contain_text("nothing traded")
    expect(panel.locator(".tf-rp-side")).to_have_count(2)
    assert severe(page) == []
    keep(page, "decision-replayed")
    assert seen.complaints == []
