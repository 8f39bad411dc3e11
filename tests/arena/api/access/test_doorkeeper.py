"""The doorkeeper: who a request is from, what it may not do as such, and what is left of it in the audit."""

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from arena.access import People, Role, Sessions
from arena.access.rates import KNOWN, STRANGER, Rate
from arena.api.app import create_app
from tests.arena.api.access.conftest import ADDRESS, Exposed
from tests.arena.housing import house

REASON = {"reason": "to see"}


def log_in(exposed: Exposed, who: str = "tom"):
    """A browser in which somebody is logged in."""
    client = exposed.client()
    client.cookies.set("__Host-tradefloor_session", Sessions(exposed.home).begin(who))
    return client


def test_the_caller_is_whose_token_it_is(exposed: Exposed):
    for who, role in (("vera", "viewer"), ("tom", "trader"), ("ada", "admin")):
        assert exposed.client(who).get("/api/v1/me").json() == {"name": who, "role": role, "logged_in": True}


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic dG9tOng=", "Bearer \xff", "bearer tf_", "Bearer a b"]
)
def test_a_token_that_is_none_is_nobodys(exposed: Exposed, given: str):
    answer = exposed.client().get("/api/v1/me", headers={"Authorization": given.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_revoked_token_opens_nothing(exposed: Exposed):
    people = People(exposed.home)
    people.add("robot", Role.VIEWER, None)
    exposed.tokens["robot"] = people.issue_token("robot")
    client = exposed.client("robot")
    assert client.get("/metrics").status_code == 200
    people.remove("robot")
    assert client.get("/metrics").status_code == 401


def test_health_needs_nobody(exposed: Exposed):
    assert exposed.client().get("/healthz").json() == {"status": "ok"}
    assert exposed.client().get("/readyz").status_code == 200


def test_another_name_of_the_host_is_refused_before_anything(exposed: Exposed):
    for host in ("evil.example", "trade.example.evil.example", "0.0.0.0", ""):
        assert exposed.client("ada").get("/api/v1/me", headers={"Host": host}).status_code == 400
    assert exposed.client("ada").get("/api/v1/me", headers={"Host": "localhost:7860"}).status_code == 200


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "https://[", "X-Tradefloor": "1"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "X-Tradefloor": "1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": ADDRESS},
    {"Sec-Fetch-Site": "cross-site", "X-Tradefloor": "1"},
)
UNSAID = ({}, {"Sec-Fetch-Site": "none"})


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/api/v1/halt", "/v1/chat/completions", "/gradio_api/run/predict", "/logout"])
def test_a_cookie_writes_nothing_for_another_page(exposed: Exposed, headers: dict[str, str], path: str):
    before = list(exposed.floor.orders)
    assert log_in(exposed).post(path, json=REASON, headers=headers).status_code == 403
    assert exposed.floor.orders == before


@pytest.mark.parametrize("headers", UNSAID)
@pytest.mark.parametrize("path", ["/api/v1/halt", "/v1/chat/completions", "/gradio_api/run/predict"])
def test_a_cookie_writes_nothing_for_who_does_not_say_where(exposed: Exposed, headers: dict[str, str], path: str):
    before = list(exposed.floor.orders)
    assert log_in(exposed).post(path, json=REASON, headers=headers).status_code == 403
    assert exposed.floor.orders == before


@pytest.mark.parametrize("headers", [{"Origin": ADDRESS}, {"Sec-Fetch-Site": "same-origin", "X-Tradefloor": "1"}])
def test_a_cookie_writes_for_our_own_page(exposed: Exposed, headers: dict[str, str]):
    assert log_in(exposed).post("/api/v1/halt", json=REASON, headers=headers).status_code == 200


def test_a_token_writes_without_more(exposed: Exposed):
    assert exposed.client("tom").post("/api/v1/halt", json=REASON).status_code == 200


def test_every_write_is_a_line_and_no_line_holds_what_was_written(exposed: Exposed):
    before = len(exposed.audited())
    exposed.client("tom").get("/api/v1/me")
    halted = exposed.client("tom").post("/api/v1/halt?secret=1", json={"reason": "a secret reason"})
    exposed.client("vera").post("/api/v1/halt", json=REASON)
    exposed.client("ada").post("/api/v1/nothing", json=REASON)
    exposed.client().post("/api/v1/halt", json=REASON)
    lines = exposed.audited()[before:]
    assert [(line.caller, line.role, line.method, line.path, line.status) for line in lines] == [
        ("tom", "trader", "POST", "/api/v1/halt", 200),
        ("vera", "viewer", "POST", "/api/v1/halt", 403),
        ("ada", "admin", "POST", "/api/v1/nothing", 404),
    ]
    assert lines[0].request_id == halted.headers["x-request-id"]
    assert "secret" not in (exposed.home / "audit.jsonl").read_text()


def test_the_audit_is_for_administrators(exposed: Exposed):
    exposed.client("tom").post("/api/v1/halt", json=REASON)
    read = exposed.client("ada").get("/api/v1/audit", params={"limit": 1}).json()
    assert read["lines"][0]["caller"] == "tom"
    assert exposed.client("tom").get("/api/v1/audit").status_code == 403
    for limit in ("0", "-1", "x", "1001"):
        assert exposed.client("ada").get("/api/v1/audit", params={"limit": limit}).status_code == 422


def test_an_error_of_ours_is_audited_as_one(exposed: Exposed, monkeypatch: pytest.MonkeyPatch):
    def fail(_reason: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(exposed.floor, "halt", fail)
    client = exposed.client("tom", raise_server_exceptions=False)
    answer = client.post("/api/v1/halt", json=REASON)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "ZeroDivision" not in answer.text
    assert exposed.audited()[-1].status == 500


def test_whoever_asks_too_fast_waits_and_nobody_else(exposed: Exposed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arena.api.doorkeeper.KNOWN", Rate(burst=25, per_s=0.001))
    client = exposed.client("vera")
    answers = [client.get("/api/v1/me") for _ in range(26)]
    monkeypatch.setattr("arena.api.doorkeeper.KNOWN", KNOWN)
    late = answers[-1]
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1
    assert late.json()["title"] == "too many requests"
    assert exposed.client("ada").get("/api/v1/me").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_strangers_have_a_rate_by_address(exposed: Exposed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arena.api.doorkeeper.STRANGER", Rate(burst=3, per_s=0.001))
    asked = [exposed.client(client=("192.0.2.7", 1)).get("/api/v1/me").status_code for _ in range(4)]
    elsewhere = exposed.client(client=("192.0.2.8", 1)).get("/api/v1/me").status_code
    monkeypatch.setattr("arena.api.doorkeeper.STRANGER", STRANGER)
    assert asked == [401, 401, 401, 429]
    assert elsewhere == 401


def test_answers_over_https_say_so_for_a_year(exposed: Exposed):
    assert exposed.client().get("/healthz").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in exposed.client(base_url="http://trade.example").get("/healthz").headers


def test_websockets_are_refused(exposed: Exposed):
    client = exposed.client("ada")
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/gradio_api/x"):
        pass
    assert closed.value.code == 1008


def test_a_house_without_login_refuses_what_came_through_a_proxy(make_floor, snapshot):
    client = TestClient(create_app(house(make_floor(snapshot))), base_url="http://127.0.0.1:7860")
    assert client.get("/healthz").status_code == 200
    for name in ("X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"):
        refused = client.get("/api/v1/me", headers={name: "203.0.113.9"})
        assert refused.status_code == 403
        assert "--login" in refused.json()["detail"]
