"""The whole route table, walked: nobody unknown passes, and nobody does what their role does not allow."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.routing import iter_route_contexts

from arena.access import Role
from arena.api.doorkeeper import OPEN_PATHS
from tests.arena.api.access.conftest import ROLES, Exposed

HEADERS = {"X-Tradefloor": "1"}


class Way(NamedTuple):
    """One method of one route, with the role it names."""

    method: str
    path: str
    role: Role | None
    is_ours: bool

    @property
    def address(self) -> str:
        return re.sub(r"\{[^}]*\}", "x", self.path)


def ways(exposed: Exposed) -> list[Way]:
    ours = list(_walked(exposed.app, is_ours=True))
    (mounted,) = [route.app for route in exposed.app.routes if type(route).__name__ == "Mount"]
    taken = {(way.method, way.path) for way in ours}
    return ours + [way for way in _walked(mounted, is_ours=False) if (way.method, way.path) not in taken]


def _walked(app: Any, *, is_ours: bool) -> Iterator[Way]:
    for context in iter_route_contexts(app.routes):
        if context.path is None or type(context.original_route).__name__ == "Mount":
            continue
        dependant = getattr(context, "dependant", None)
        bare = getattr(context.original_route, "endpoint", None)  # a route that FastAPI does not know
        roles = _roles(dependant) if dependant else [getattr(bare, "role", None)]
        found = [role for role in roles if role is not None]
        for method in sorted(context.methods or ()):
            yield Way(method, context.path, max(found, default=None), is_ours)


def _roles(dependant: Any) -> Iterator[Role | None]:
    yield getattr(dependant.call, "role", None)
    for each in dependant.dependencies:
        yield from _roles(each)


def test_every_route_of_ours_names_its_role_or_is_open(exposed: Exposed):
    table = [way for way in ways(exposed) if way.is_ours]
    assert {"/api/v1/halt", "/live/{path:path}", "/metrics", "/v1/chat/completions"} <= {way.path for way in table}
    assert [way for way in table if way.role is None and way.path not in OPEN_PATHS] == []
    assert [way for way in table if way.role is not None and way.path in OPEN_PATHS] == []


def test_every_write_of_the_api_needs_more_than_a_viewer(exposed: Exposed):
    writes = [way for way in ways(exposed) if way.is_ours and way.path.startswith("/api/") and way.method != "GET"]
    assert writes
    low = [way for way in writes if way.role is None or way.role < Role.TRADER]
    assert {way.path for way in low} == {"/api/v1/{rest:path}"}, "which refuses whatever is not there"


def test_gradio_is_in_the_table(exposed: Exposed):
    paths = {way.path for way in ways(exposed) if not way.is_ours}
    assert {"/", "/config", "/leaderboard", "/gradio_api/queue/join", "/gradio_api/run/{api_name}"} <= paths


def test_nobody_unknown_passes_anywhere(exposed: Exposed):
    passed = []
    for number, way in enumerate(ways(exposed)):
        if way.path in OPEN_PATHS:
            continue
        client = exposed.client(client=(f"address-{number}", 1))  # of one address they would be too many
        for headers in (HEADERS, HEADERS | {"Authorization": "Bearer tf_rubbish"}, {"Cookie": "tradefloor_session=x"}):
            answer = client.request(way.method, way.address, headers=headers)
            if answer.status_code not in {401, 403}:
                passed.append((way, answer.status_code))
    assert passed == []


def test_browsers_are_led_to_the_login(exposed: Exposed):
    client = exposed.client()
    for path, onward in (("/", "/login"), ("/risk?a=1&b=%2F", "/login?next=%2Frisk%3Fa%3D1%26b%3D%252F")):
        answer = client.get(path, headers={"Accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["location"]) == (303, onward)
    assert client.get("/api/v1/snapshot").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("who", ROLES)
def test_roles_pass_where_they_may_and_nowhere_else(exposed: Exposed, who: str):
    client, wrong = exposed.client(who), []
    for way in ways(exposed):
        if not way.is_ours or way.path in OPEN_PATHS:
            continue
        may = way.role is not None and ROLES[who] >= way.role
        status = client.request(way.method, way.address, headers=HEADERS).status_code
        if (status == 403) is may or status in {401, 429, 500}:
            wrong.append((way, status))
    assert wrong == []


def test_a_viewer_sees_gradios_pages(exposed: Exposed):
    client = exposed.client("vera")
    for path in ("/", "/config", "/leaderboard", "/theme.css"):
        assert client.get(path).status_code == 200


def test_no_button_on_any_page_does_anything_for_a_viewer(exposed: Exposed):
    buttons = [row for row in exposed.client("vera").get("/config").json()["dependencies"] if row["targets"]]
    assert len(buttons) >= 2
    before = len(exposed.audited())

    def press(who: str, number: int) -> None:
        body = {"data": [], "fn_index": number, "session_hash": "s"}
        exposed.client(who).post("/gradio_api/run/predict", json=body)

    for row in buttons:
        if not row["inputs"]:
            press("vera", row["id"])
    assert exposed.floor.orders == []
    refused = exposed.audited()[before:]
    assert {line.act for line in refused} == {"halt", "resume"}
    assert {(line.caller, line.status) for line in refused} == {("vera", 403)}
    for row in buttons:
        if not row["inputs"]:
            press("tom", row["id"])
    assert ("halt", "tom asked for it on the web page") in exposed.floor.orders
    line = exposed.audited()[-1]
    assert (line.caller, line.role, line.method, line.status) == ("tom", "trader", "POST", 200)
