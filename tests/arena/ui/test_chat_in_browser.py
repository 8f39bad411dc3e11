"""The chat in a real browser: answers arrive, words stay words, votes reveal, and a click lets a season go on."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents.llm import Completion, CompletionRequest, complete
from arena.api.app import create_app
from arena.evaluating import eval_folder
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.seasons.rulefile import load_rules
from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services
from evals.promptlab.battle import read_votes
from graphs import DeskTeam
from tests.agents.staging import ROLES, seat
from tests.arena.api.test_chat import serving
from tests.arena.commands.test_approvals import SEASON
from tests.arena.housing import house
from tests.arena.ui.conftest import DESKTOP, PHONE, SwitchedFloor, violations
from tests.arena.ui.hostile import PAYLOADS
from tests.arena.ui.test_browser import ATTRIBUTES, CONTRAST
from trading.risk import KillSwitch
from trading.risk.approvals import ApprovalBoard
from trading.storage.journal import read_events

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


class Minds:
    """House models answer as they do; ``maker/slow`` thinks until it is left alone, ``maker/rude`` is hostile."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.left_alone = threading.Event()

    async def complete(self, request: CompletionRequest) -> Completion:
        if request.model == "maker/rude":
            text = "\n".join(PAYLOADS[:10])  # as long as an answer is
            return Completion(
                content=text,
                tool_requests=(),
                finish_reason="stop",
                refusal=None,
                model_answered="rude",
                tokens_in=1,
                tokens_out=1,
                usd=0.0,
            )
        if request.model != "maker/slow":
            return await complete(request)
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left_alone.set()
            raise
        raise AssertionError("nobody wakes it")


MINDS = Minds()
MODELS = {"momentum": "house/momentum", "meanrev": "maker/rude", "random": "maker/slow", "buyhold": "house/buyhold"}


@pytest.fixture(scope="module")
def chat_house(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A house whose desks are seated; its floor is switched by tests."""
    floor = SwitchedFloor()
    reception = Reception(snapshot=floor.snapshot, complete=MINDS.complete)
    teams = [DeskTeam(name=name, models=dict.fromkeys(ROLES, model), seed=7) for name, model in MODELS.items()]

    async def sit() -> None:
        reception.seat(teams, [seat(held={"BTC-USDT-PERP": "0.5"}) for _ in teams])

    seating = threading.Thread(target=lambda: asyncio.run(sit()))  # Playwright keeps a loop running in this one
    seating.start()
    seating.join()
    return house(floor, home=tmp_path_factory.mktemp("home"), reception=reception)


@pytest.fixture(scope="module")
def served(chat_house: Services) -> Iterator[tuple[str, Any]]:
    """That house, served."""
    with serving(create_app(chat_house)) as address:
        yield address, chat_house.floor


def eventually(look: Callable[[], Any]) -> Any:
    until = monotonic() + 60
    while not (found := look()):
        assert monotonic() < until
        sleep(0.05)
    return found


def ask(page: Page, question: str, box: str = "Ask about a trade, a limit or a plan") -> None:
    page.get_by_label(box).fill(question)
    page.get_by_label(box).press("Enter")


def audit(page: Page) -> None:
    expect(page.locator("#tf-chat [role=button] button:not([disabled])")).to_have_count(0)
    found = violations(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_a_desk_answers_with_its_look_ups_and_sources(
    size: Any, scheme: str, snapshot: FloorSnapshot, make_floor: Any, visit: Any, keep: Any
) -> None:
    seen = visit(make_floor(snapshot), "/chat?desk=momentum", viewport=size, scheme=scheme)
    page = seen.page
    expect(page.locator("#tf-talk-head")).to_contain_text("rule-based, no LLM")
    ask(page, "How do you stand?")
    chat = page.locator("#tf-chat")
    expect(chat).to_contain_text("momentum is a rule-based house model, no LLM")
    expect(chat).to_contain_text("Looked up 2")
    expect(page.locator("#tf-used")).to_contain_text("get_positions")
    link = chat.get_by_role("link", name="[3]")
    expect(link).to_have_attribute(
        "href", "/decision?id=" + next(c for c in snapshot.decisions if c.desk == "momentum").decision_id
    )
    chat.get_by_role("button", name="Looked up 2").click()
    expect(chat.get_by_role("button", name="get_account")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    audit(page)
    keep(page, f"chat-{scheme}-{size['width']}")
    page.get_by_role("button", name="New chat").click()
    expect(chat).not_to_contain_text("momentum is a rule-based")
    page.locator(".tf-change summary").click()
    page.get_by_role("link", name="Floor assistant").click()
    expect(page.locator("#tf-talk-head")).to_contain_text("Floor assistant")
    ask(page, "Who leads?")
    expect(page.locator("#tf-chat")).to_contain_text("The floor's assistant is rule-based, no LLM")
    assert (seen.complaints, seen.elsewhere) == ([], [])


def test_hostile_words_stay_words(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    floor = make_floor(snapshot)
    strange = visit(floor, "/chat?desk=%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E")
    expect(strange.page.locator("#tf-talk-head")).to_contain_text("There is no desk")
    seen = visit(floor, "/chat?desk=meanrev")
    page = seen.page
    for payload in PAYLOADS[:6:5]:
        ask(page, payload)
        expect(page.locator("#tf-chat [data-testid=user]").last).to_contain_text(payload[:12])
        expect(page.locator("#tf-chat")).to_contain_text("twice")
    expect(page.locator("#tf-chat")).to_contain_text("<script>window.pwned=1</script>")
    assert strange.page.evaluate(ATTRIBUTES) == []  # in the other one Gradio names each message by its words
    for one in (strange, seen):
        assert one.page.evaluate("window.pwned") is None
        assert one.page.locator("#tf-chat a[href*=evil], #tf-chat img[src*=evil]").count() == 0
        assert (one.complaints, one.elsewhere) == ([], [])


def test_a_viewer_who_leaves_stops_the_work(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    MINDS.asked.clear()
    MINDS.left_alone.clear()
    seen = visit(make_floor(snapshot), "/chat?desk=random")
    ask(seen.page, "Why?")
    assert MINDS.asked.wait(60)
    expect(seen.page.get_by_role("button", name="Stop")).to_be_visible()
    seen.page.close()
    assert MINDS.left_alone.wait(60)


def test_the_stop_button_stops_the_work(snapshot: FloorSnapshot, make_floor: Any, visit: Any) -> None:
    MINDS.asked.clear()
    MINDS.left_alone.clear()
    page = visit(make_floor(snapshot), "/chat?desk=random").page
    ask(page, "Why?")
    assert MINDS.asked.wait(60)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert MINDS.left_alone.wait(60)


def test_desks_answer_side_by_side_and_a_vote_reveals_two(
    snapshot: FloorSnapshot, make_floor: Any, visit: Any, keep: Any, chat_house: Services
) -> None:
    house_desks = tuple(desk for desk in snapshot.desks if desk.name in ("momentum", "buyhold"))
    seen = visit(make_floor(replace(snapshot, desks=house_desks)), "/chat", scheme="dark")
    page = seen.page
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator(".tf-picker input:checked")).to_have_count(2)
    ask(page, "How do you stand?", "Ask all of them")
    for name in ("momentum", "buyhold"):
        expect(page.locator(".tf-column", has_text=f"{name} is a rule-based house model")).to_have_count(1)
    audit(page)

    page.get_by_role("tab", name="Blind battle").click()
    ask(page, "How do you stand?", "Ask two hidden desks")
    battle = page.locator("#tf-battle")
    expect(battle.get_by_role("button", name="A is better")).to_be_visible()
    assert not {"momentum", "buyhold"} & set(battle.locator(".tf-columns").inner_text().split())
    audit(page)
    keep(page, "battle-dark-1440")
    battle.get_by_role("button", name="A is better").click()
    expect(battle.get_by_text("A was ")).to_be_visible()
    expect(battle.get_by_role("button", name="A is better")).to_be_hidden()
    (vote,) = read_votes(eval_folder(chat_house.settings) / "votes.jsonl")
    assert (vote.share, {vote.first, vote.second}) == (1.0, {"momentum", "buyhold"})
    expect(battle.get_by_text(f"A was {vote.first}")).to_be_visible()
    expect(page.locator("#tf-votes")).to_contain_text("1\N{NO-BREAK SPACE}vote")

    page.get_by_role("tab", name="Compare").click()
    page.locator(".tf-picker input").first.uncheck()
    ask(page, "Still?", "Ask all of them")
    expect(page.get_by_text("tick 2 to 3 desks; found 1")).to_be_visible()
    assert (seen.complaints, seen.elsewhere) == ([], [])


def test_without_a_season_the_page_says_so(make_floor: Any, visit: Any) -> None:
    seen = visit(make_floor(None), "/chat")
    expect(seen.page.locator("#tf-talk-head")).to_contain_text("once the season starts")
    ask(seen.page, "Who leads?")
    expect(seen.page.locator("#tf-chat")).to_contain_text("The season has not begun")
    assert seen.complaints == []


def test_a_click_lets_a_conservative_season_go_on(chat_house: Services, visit: Any, keep: Any, tmp_path: Path) -> None:
    """Last in this file: the season seats desks of its own."""
    rules = tmp_path / "careful.toml"
    rules.write_text(SEASON, "utf-8")
    home, board = chat_house.settings.home, ApprovalBoard(chat_house.settings.home)
    floor = LiveFloor(KillSwitch(home))
    season = BackgroundSeason(
        load_rules(rules, ["season.end=2026-01-01T03:00:00Z"]),
        chat_house.settings,
        floor,
        round_s=0.0,
        warmup_rounds=0,
        reception=chat_house.reception,
    )
    season.start()
    try:
        seen = visit(floor, "/chat", viewport=PHONE)
        page, approvals = seen.page, seen.page.locator("#tf-approvals")
        expect(approvals).to_contain_text("Buy")
        expect(approvals).to_contain_text("Order value")
        audit(page)
        keep(page, "approval-light-390")
        first = approvals.locator("[data-proposal]").get_attribute("data-proposal")
        page.get_by_role("button", name="Edit…").click()
        sizes = approvals.get_by_label("Quantity")
        expect(sizes.first).to_be_visible()
        expect(page.get_by_role("button", name="Approve")).to_be_hidden()
        audit(page)
        keep(page, "approval-edit-light-390")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_text("a rejection needs a reason")).to_be_visible()
        page.get_by_label("Reason").fill("too early")
        page.get_by_role("button", name="Reject").click()
        second = eventually(lambda: [one.proposal for one in board.waiting() if one.proposal != first])[0]
        expect(approvals.locator(f'[data-proposal="{second}"]')).to_be_visible()
        page.wait_for_timeout(1_000)  # a proposal that has just appeared cannot be answered yet
        page.get_by_role("button", name="Edit…").click()
        page.get_by_label("Reason").fill("far more")
        sizes.first.fill("-1")
        page.get_by_role("button", name="Send changed").click()
        expect(page.get_by_text("expected a number above zero")).to_be_visible()
        sizes.first.fill("900000")
        expect(page.locator("#tf-edit-gate")).to_contain_text("the gate cuts it to")
        keep(page, "approval-tried-light-390")
        page.get_by_role("button", name="Send changed").click()
        expect(approvals).to_contain_text("quantity from")
        expect(approvals).to_contain_text("The gate does not let all of it through")
        expect(sizes).to_have_count(0)
        keep(page, "approval-changed-light-390")
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name="Approve").click()
        eventually(lambda: floor.snapshot().status == "finished")
        expect(approvals).to_be_hidden()
    finally:
        season.stop()
    (journal,) = (home / "runs").glob("*/journal.sqlite")
    events = [stored.event() for stored in read_events(journal)]
    told = [event.payload for event in events if event.kind == "approval_answered"]
    assert [(one["approved"], one["by"], one["note"]) for one in told] == [
        (False, "this machine", "too early"),
        (True, "this machine", "far more"),
        (True, "this machine", "approved on the page"),
    ]
    assert any(event.kind == "ordered" for event in events)
    assert (seen.complaints, seen.elsewhere) == ([], [])
