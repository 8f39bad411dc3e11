"""The login: forms without scripts, one answer for everything wrong, and sessions that a browser alone can use."""

import re
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from arena.access.lockout import FREE_TRIES
from arena.api.login import WRONG
from tests.arena.api.access.conftest import ADDRESS, PASSWORD, Exposed

FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ADDRESS}


@pytest.fixture
def browser(exposed: Exposed, request: pytest.FixtureRequest) -> TestClient:
    """A browser at an address of its own, so that tries of other tests are not its tries."""
    return exposed.client(client=(f"test-{request.node.name}", 1))


def form_of(browser: TestClient, path: str = "/login") -> dict[str, str]:
    """The hidden fields of the form."""
    page = browser.get(path)
    assert page.status_code == 200
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def send(browser: TestClient, name: str, password: str, **fields: str):
    body = urlencode(form_of(browser) | {"name": name, "password": password} | fields)
    return browser.post("/login", content=body, headers=FORM_TYPE)


def test_a_right_password_begins_a_session(browser: TestClient, exposed: Exposed):
    answer = send(browser, " Tom ", PASSWORD, next="/risk")
    assert (answer.status_code, answer.headers["location"]) == (303, "/risk")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "session" in each)
    name, _, rest = cookie.partition("=")
    assert name == "__Host-tradefloor_session"
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(rest.split("; "))
    assert "domain" not in rest.lower()
    assert "max-age" not in rest.lower()
    assert browser.get("/api/v1/me").json()["name"] == "tom"
    line = next(line for line in reversed(exposed.audited()) if line.path == "/login")
    assert (line.caller, line.role, line.status) == ("tom", "trader", 303)
    assert PASSWORD not in (exposed.home / "audit.jsonl").read_text()


def test_over_plain_http_the_cookie_has_no_prefix_and_is_not_taken_over_https(exposed: Exposed):
    plain = exposed.client(base_url="http://trade.example", client=("plain", 1))
    body = urlencode(form_of(plain) | {"name": "tom", "password": PASSWORD})
    answer = plain.post("/login", content=body, headers=FORM_TYPE | {"Origin": "http://trade.example"})
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "session" in each)
    assert cookie.startswith("tradefloor_session=")
    assert "Secure" not in cookie
    secret = cookie.split("=", 1)[1].split(";")[0]
    assert exposed.client().get("/api/v1/me", headers={"Cookie": f"tradefloor_session={secret}"}).status_code == 401


def test_everything_wrong_has_one_answer(exposed: Exposed):
    pages = set()
    for number, (name, password) in enumerate(
        [("tom", "wrong password"), ("nobody", PASSWORD), ("", PASSWORD), ("tom", ""), ("x" * 300, "y" * 300)]
    ):
        answer = send(exposed.client(client=(f"wrong-{number}", 1)), name, password)
        assert answer.status_code == 401
        assert WRONG in answer.text
        pages.add(re.sub(r'value="[^"]*"| autofocus', "", answer.text))
    assert len(pages) == 1
    assert "session" not in answer.headers.get("set-cookie", "").replace("tradefloor_form", "")
    line = exposed.audited()[-1]
    assert (line.caller, line.role, line.status) == ("somebody", "none", 401)


def test_guessing_has_to_wait_even_with_the_right_password(browser: TestClient):
    for number in range(FREE_TRIES):
        assert send(browser, f"guess{number}", "wrong password").status_code == 401
    answer = send(browser, "tom", PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Wait " in answer.text


def test_a_session_of_before_ends_with_a_new_login_and_with_logging_out(browser: TestClient, exposed: Exposed):
    send(browser, "vera", PASSWORD)
    first = browser.cookies["__Host-tradefloor_session"]
    form = browser.cookies["__Host-tradefloor_form"]
    again = urlencode({"form": form, "name": "vera", "password": PASSWORD})
    browser.post("/login", content=again, headers=FORM_TYPE)
    second = browser.cookies["__Host-tradefloor_session"]
    assert second != first
    for secret, status in ((first, 401), (second, 200)):
        cookie = {"Cookie": f"__Host-tradefloor_session={secret}"}
        assert exposed.client().get("/api/v1/me", headers=cookie).status_code == status
    out = browser.post("/logout", headers={"Origin": ADDRESS})
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    gone = {"Cookie": f"__Host-tradefloor_session={second}"}
    assert exposed.client().get("/api/v1/me", headers=gone).status_code == 401


def test_a_link_logs_nobody_out(browser: TestClient):
    send(browser, "vera", PASSWORD)
    assert browser.get("/logout").headers["location"] == "/"
    assert browser.get("/api/v1/me").status_code == 200
    assert browser.get("/login").headers["location"] == "/", "who is in needs no form"


@pytest.mark.parametrize("form", [None, "", "x", "x" * 43])
def test_a_form_that_we_did_not_send_is_refused(browser: TestClient, form: str | None):
    form_of(browser)
    fields = {"name": "tom", "password": PASSWORD} | ({} if form is None else {"form": form})
    answer = browser.post("/login", content=urlencode(fields), headers=FORM_TYPE)
    assert answer.status_code == 403
    assert "Try again" in answer.text
    assert "__Host-tradefloor_session" not in browser.cookies


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://trade.example:81"])
def test_a_form_from_another_page_is_refused(browser: TestClient, origin: str):
    body = urlencode(form_of(browser) | {"name": "tom", "password": PASSWORD})
    assert browser.post("/login", content=body, headers=FORM_TYPE | {"Origin": origin}).status_code == 403


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"form=%ff&name=%00", b"a=1&" * 900, b"x" * 100_000, b"{}"])
def test_rubbish_is_an_old_form(browser: TestClient, body: bytes):
    assert browser.post("/login", content=body, headers=FORM_TYPE).status_code == 403


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
        "/\u202ea",
        "/" * 9,
    ],
)
def test_a_login_leads_nowhere_else(exposed: Exposed, onward: str):
    browser = exposed.client(client=(f"onward-{hash(onward)}", 1))
    answer = send(browser, "vera", PASSWORD, next=onward)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert form_of(exposed.client(), "/login?" + urlencode({"next": onward}))["next"] == "/"


def test_the_page_runs_nothing_and_keeps_hostile_text_inert(browser: TestClient):
    page = send(browser, '"><img src=x onerror=alert(1)>', "x", next="/?a='><script>alert(1)</script>")
    assert page.status_code == 401
    assert "<img" not in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin", "without one a browser's form sends Origin: null"


def test_the_style_sheet_knows_both_themes(browser: TestClient):
    sheet = browser.get("/login/style.css")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "@media (prefers-color-scheme: dark){:root{--tf-page:#0D1116;" in sheet.text
    names = set(re.findall(r"var\((--tf-[a-z0-9-]+)\)", sheet.text))
    assert names
    assert all(f"{name}:" in sheet.text for name in names)
