"""The web application answers on loopback alone, refuses foreign writes, and reads the floor without changing it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_app
from arena.meters import Meters
from arena.seasons.reception import Reception
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.live_plot import PLOTLY_URL
from arena.ui.theme import script_url
from tests.arena.housing import house
from trading.domain.errors import TradingHalted

HERE = "http://127.0.0.1:7860"
PROGRAM = {"X-Tradefloor": "1"}


class ServedFloor:
    """The application over a floor, and the floor behind it."""

    def __init__(self, floor: Any) -> None:
        self.floor = floor
        self.client = TestClient(create_app(house(floor)), base_url=HERE)


@pytest.fixture
def served(snapshot: FloorSnapshot, make_floor: Callable[..., Any], shared_app: ServedFloor) -> ServedFloor:
    """One application for all tests, over a fresh floor."""
    fresh = make_floor(snapshot)
    shared_app.floor.become(fresh)
    shared_app.floor.orders = fresh.orders
    return shared_app


class _Stand:
    """A floor that passes everything on, so that the application need not be built anew for each test."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []
        self._floor: Any = None

    def become(self, floor: Any) -> None:
        self._floor = floor

    def publish(self, snapshot: FloorSnapshot | None) -> None:
        self._floor._snapshot = snapshot

    def snapshot(self) -> FloorSnapshot | None:
        found: FloorSnapshot | None = None if self._floor is None else self._floor.snapshot()
        return found

    def halt(self, reason: str) -> None:
        self._floor.halt(reason)

    def resume(self, reason: str) -> None:
        self._floor.resume(reason)


@pytest.fixture(scope="module")
def shared_app() -> ServedFloor:
    """The application, built once."""
    return ServedFloor(_Stand())


def test_the_parts_that_are_given_are_served(make_floor: Callable[..., Any], snapshot: FloorSnapshot) -> None:
    reception, meters = Reception(snapshot=lambda: snapshot), Meters()
    app = TestClient(create_app(house(make_floor(snapshot), reception=reception, meters=meters)), base_url=HERE)
    assert app.get("/v1/models").json() == {"object": "list", "data": []}
    exposed = app.get("/metrics")
    assert exposed.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE tradefloor_llm_calls_total counter" in exposed.text
    assert app.get("/").status_code == 200


def test_health_does_not_need_a_season(served: ServedFloor) -> None:
    served.floor.publish(None)
    assert served.client.get("/healthz").json() == {"status": "ok"}
    waiting = served.client.get("/readyz")
    assert waiting.status_code == 503
    assert "not published" in waiting.json()["detail"]


def test_ready_says_the_state_of_the_season(served: ServedFloor) -> None:
    assert served.client.get("/readyz").json() == {"status": "running"}


def test_a_season_that_failed_is_not_ready_and_its_process_is_well(
    served: ServedFloor, snapshot: FloorSnapshot
) -> None:
    served.floor.publish(replace(snapshot, status="failed"))
    assert served.client.get("/readyz").status_code == 503
    assert served.client.get("/healthz").status_code == 200
    for status in ("finished", "halted", "out of budget"):
        served.floor.publish(replace(snapshot, status=status))
        assert served.client.get("/readyz").json() == {"status": status}


def test_the_snapshot_is_what_the_floor_holds(served: ServedFloor, snapshot: FloorSnapshot) -> None:
    read = served.client.get("/api/v1/snapshot").json()
    assert read["season"] == "demo"
    assert read["desks"][0]["curve"]["equity"] == list(snapshot.desks[0].curve.equity)
    assert set(read) == set(asdict(snapshot))


def test_what_is_not_a_number_is_null(served: ServedFloor, snapshot: FloorSnapshot) -> None:
    desk = replace(snapshot.desks[0], sharpe=float("nan"))
    served.floor.publish(replace(snapshot, desks=(desk,)))
    assert served.client.get("/api/v1/snapshot").json()["desks"][0]["sharpe"] is None


def test_standings_come_in_rank_order(served: ServedFloor, snapshot: FloorSnapshot) -> None:
    rows = served.client.get("/api/v1/standings").json()["desks"]
    assert [row["rank"] for row in rows] == sorted(desk.rank for desk in snapshot.desks)
    assert rows[0]["models"]["executor"] == f"house/{rows[0]['desk']}"


def test_halt_and_resume_reach_the_floor_with_their_reason(served: ServedFloor) -> None:
    assert served.client.post("/api/v1/halt", json={"reason": " look at SOL "}, headers=PROGRAM).status_code == 200
    assert served.client.get("/readyz").json() == {"status": "halted"}
    assert served.client.post("/api/v1/resume", json={"reason": "all well"}, headers=PROGRAM).status_code == 200
    assert served.floor.orders == [("halt", "look at SOL"), ("resume", "all well")]


def test_what_prevents_an_order_is_told(served: ServedFloor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_reason: str) -> None:
        raise TradingHalted("the arena lost 15 %: look at the journal, then resume from the terminal")

    monkeypatch.setattr(served.floor, "resume", refuse)
    answer = served.client.post("/api/v1/resume", json={"reason": "go"}, headers=PROGRAM)
    assert answer.status_code == 409
    assert "look at the journal" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 201}, {"reason": "a", "by": "b"}, []]
)
def test_an_order_without_a_proper_reason_changes_nothing(served: ServedFloor, body: object) -> None:
    assert served.client.post("/api/v1/halt", json=body, headers=PROGRAM).status_code == 422
    assert served.floor.orders == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7860", "192.168.1.4", "", "["]
)
def test_a_request_for_another_host_is_refused(served: ServedFloor, host: str) -> None:
    for path in ("/", "/api/v1/snapshot", "/healthz"):
        assert served.client.get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860"])
def test_this_machine_is_answered_by_any_of_its_names(served: ServedFloor, host: str) -> None:
    assert served.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "http://localhost:7860", "null"])
@pytest.mark.parametrize("path", ["/api/v1/halt", "/gradio_api/run/predict"])
def test_a_write_from_another_page_is_refused(served: ServedFloor, origin: str, path: str) -> None:
    headers = PROGRAM | {"Origin": origin, "Host": "127.0.0.1:7860"}
    assert served.client.post(path, json={"reason": "x"}, headers=headers).status_code == 403
    assert served.floor.orders == []


def test_a_write_without_origin_needs_the_header_of_a_program(served: ServedFloor) -> None:
    answer = served.client.post("/api/v1/halt", json={"reason": "x"})
    assert answer.status_code == 403
    assert "X-Tradefloor" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_our_own_page_may_write(served: ServedFloor) -> None:
    headers = {"Origin": HERE, "Host": "127.0.0.1:7860"}
    assert served.client.post("/api/v1/halt", json={"reason": "x"}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/standings", "/risk", "/healthz", "/api/v1/nothing", PLOTLY_URL])
def test_every_answer_carries_the_security_headers(served: ServedFloor, path: str) -> None:
    headers = served.client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 16


def test_plotly_comes_from_this_machine_and_may_be_kept(served: ServedFloor) -> None:
    answer = served.client.get(PLOTLY_URL)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) > 1_000_000


def test_the_pages_name_no_other_machine(served: ServedFloor) -> None:
    for path in ("/", "/standings", "/risk"):
        page = served.client.get(path).text
        assert f'<script src="{PLOTLY_URL}"' not in page, "charts fetch it when they have something to draw"
        assert script_url() in page
        assert "https://cdn" not in page
        assert "fonts.googleapis" not in page


def test_the_description_of_the_api_names_its_routes(served: ServedFloor) -> None:
    paths = served.client.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/snapshot", "/api/v1/standings", "/api/v1/halt", "/api/v1/resume"} <= set(paths)
