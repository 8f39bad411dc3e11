"""Logging in, seeing who one is and logging out, in a real browser: desktop and phone, both themes, with no script."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from arena.access import Door, People, Role, passwords
from arena.api.app import create_app
from tests.arena.conftest import SampleFloor, sample_snapshot
from tests.arena.housing import house

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
LOOKS = [pytest.param(DESKTOP, "light", id="1440-light"), pytest.param(PHONE, "dark", id="390-dark")]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, SampleFloor]]:
    """The address of a house on loopback that asks for a login, and its floor."""
    home = tmp_path_factory.mktemp("locked")
    floor = SampleFloor(sample_snapshot(played=30, now_ms=time.time_ns() // 1_000_000))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        passwords._nobody.cache_clear()
        People(home).add("alice", Role.TRADER, PASSWORD)
        People(home).add("vera", Role.VIEWER, PASSWORD)
        listening = socket.create_server(("127.0.0.1", 0))
        app = create_app(house(floor, home=home), Door(asks_login=True))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.started
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", floor
        server.should_exit = True
        thread.join(20)
        listening.close()
    passwords._nobody.cache_clear()


class Person:
    """Somebody in front of a browser, with what it said on its console and asked of others."""

    def __init__(self, browser: Browser, address: str, size: ViewportSize, scheme: Any, **options: Any) -> None:
        phone = size["width"] < 760
        self.context = browser.new_context(
            viewport=size, color_scheme=scheme, is_mobile=phone, has_touch=phone, reduced_motion="reduce", **options
        )
        self.address = address
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:")) else self.elsewhere.append(r.url),
        )

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Fills in the form that is shown."""
        self.page.fill("#tf-name", name)
        self.page.fill("#tf-password", password)
        self.page.click("button")


@pytest.fixture
def person(browser: Browser, locked: tuple[str, SampleFloor]) -> Iterator[Any]:
    """Opens a browser of somebody's own."""
    people: list[Person] = []

    def sit_down(size: ViewportSize = DESKTOP, scheme: Any = "light", **options: Any) -> Person:
        people.append(Person(browser, locked[0], size, scheme, **options))
        return people[-1]

    yield sit_down
    for one in people:
        one.context.close()


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_page_is_whole_in_both_themes(person: Any, keep: Any, size: ViewportSize, scheme: str):
    someone = person(size, scheme)
    page = someone.page
    page.goto(f"{someone.address}/risk?desk=momentum")
    expect(page).to_have_url(f"{someone.address}/login?next=%2Frisk%3Fdesk%3Dmomentum")
    expect(page.locator("#tf-name")).to_be_focused()
    assert _violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    keep(page, f"login-{scheme}-{size['width']}")
    least = 44 if size is PHONE else 30
    for box in page.locator("input:not([type=hidden]), button").all():
        assert box.bounding_box()["height"] >= least
    someone.log_in("alice", "wrong password")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.locator("#tf-name")).to_have_value("alice")
    assert _violations(page) == []
    keep(page, f"login-wrong-{scheme}-{size['width']}")
    someone.log_in("alice")
    expect(page).to_have_url(f"{someone.address}/risk?desk=momentum")
    assert someone.elsewhere == []
    assert [text for text in someone.complaints if "401" not in text] == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_header_says_who_is_in_and_lets_them_out(person: Any, keep: Any, size: ViewportSize, scheme: str):
    someone = person(size, scheme)
    page = someone.page
    page.goto(someone.address)
    someone.log_in("alice")
    _wait_for_the_floor(page)
    account = page.locator("#tf-account")
    account.get_by_label("Account").click()
    expect(account).to_contain_text("Logged in as alice, trader")
    keep(page, f"account-{scheme}-{size['width']}")
    assert _overlaps(page) == []
    assert _violations(page, "#tf-top") == []
    assert someone.complaints == []
    account.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{someone.address}/login")
    page.goto(f"{someone.address}/standings")
    expect(page).to_have_url(f"{someone.address}/login?next=%2Fstandings")
    assert someone.elsewhere == []


def test_it_works_without_scripts(person: Any):
    someone = person(java_script_enabled=False)
    page = someone.page
    page.goto(f"{someone.address}/api/v1/me")
    page.goto(f"{someone.address}/login?next=/api/v1/me")
    someone.log_in("vera")
    expect(page).to_have_url(f"{someone.address}/api/v1/me")
    expect(page.locator("body")).to_contain_text('"name":"vera"')


def test_a_viewer_is_told_that_a_halt_is_not_theirs(person: Any, keep: Any, locked: tuple[str, SampleFloor]):
    someone = person()
    page = someone.page
    page.goto(someone.address)
    someone.log_in("vera")
    _wait_for_the_floor(page)
    page.get_by_role("button", name="Halt…").click()
    page.get_by_role("button", name="Confirm halt").click()
    expect(page.get_by_role("alert").filter(has_text="vera is a viewer; this needs a trader")).to_be_visible()
    keep(page, "refusal-light-1440")
    assert locked[1].orders == []


def test_nothing_that_turns_up_in_a_page_later_runs(person: Any):
    someone = person()
    page = someone.page
    page.goto(someone.address)
    someone.log_in("alice")
    _wait_for_the_floor(page)
    assert someone.complaints == []
    page.evaluate(
        """() => {
          const box = document.createElement("div");
          box.innerHTML = '<img src="data:," onerror="window.pwned=1"><a href="javascript:window.pwned=1">x</a>';
          document.body.append(box);
          const script = document.createElement("script");
          script.textContent = "window.pwned = 1";
          document.head.append(script);
          const far = document.createElement("script");
          far.src = "https://evil.example/x.js";
          document.head.append(far);
          box.querySelector("a").click();
        }"""
    )
    deadline = time.monotonic() + 20
    while len(someone.complaints) < 4 and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    refused = " ".join(someone.complaints)
    assert refused.count("Content Security Policy") >= 4, refused
    assert page.evaluate("window.pwned") is None


def _wait_for_the_floor(page: Page) -> None:
    expect(page.locator(".tf-card").first).to_be_visible(timeout=60_000)


def _violations(page: Page, within: str | None = None) -> list[str]:
    found = Axe().run(page, context=within).response["violations"]
    return [f"{one['id']}: {one['help']}" for one in found if one["impact"] in {"serious", "critical"}]


def _overlaps(page: Page) -> list[str]:
    """Pairs of things in the header that lie on each other."""
    return page.evaluate(
        """() => {
          const names = "#tf-top .tf-brand, #tf-status, #tf-theme, #tf-account, #tf-halt";
          const parts = [...document.querySelectorAll(names)]
            .filter((part) => part.checkVisibility())
            .map((part) => [part.id || part.className, part.getBoundingClientRect()])
            .filter(([, box]) => box.width);
          return parts.slice(1).flatMap(([name, box], at) =>
            box.left < parts[at][1].right - 1 ? [`${parts[at][0]} and ${name}`] : []);
        }"""
    )
