"""Writes over HTTP: done once under a key, refused in one line, and real: limits, alerts, approvals, prompts, reset."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_api
from arena.api.idempotency import KEPT_MS, Answer, KeptAnswers, KeyInFlight, KeyReused
from arena.api.writes import MAX_BODY_BYTES
from arena.services import Services
from arena.settings import CONFIG, Settings
from tests.arena.houses import HERE, PROGRAM, House, open_house
from trading.domain.clock import Clock
from trading.ledger import audit_journal
from trading.risk import LimitBoard, Limits
from trading.risk.alerts import AlertDesk, FileChannel, LogChannel
from trading.risk.approvals import ApprovalBoard
from trading.storage.runs import Runs

TIGHTER = {"value": "5", "reason": "a calm week"}


def put(client: TestClient, path: str, body: Any, **headers: str) -> Any:
    return client.put(f"/api/v1{path}", json=body, headers=headers)


def post(client: TestClient, path: str, body: Any, **headers: str) -> Any:
    return client.post(f"/api/v1{path}", json=body, headers=headers)


def changes(client: TestClient) -> list[Any]:
    found: list[Any] = client.get("/api/v1/limits").json()["changes"]
    return found


@pytest.fixture
def home(tmp_path: Path, own_client: TestClient) -> Path:
    return tmp_path / "home"


def test_the_same_key_does_it_once_and_answers_the_same(own_client: TestClient) -> None:
    first = put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": "k-1"})
    again = put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": "k-1"})
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(changes(own_client)) == 1
    put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": "k-2"})
    assert len(changes(own_client)) == 2


def test_the_same_key_with_another_request_is_refused(own_client: TestClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    put(own_client, "/limits/max_open_orders", TIGHTER, **key)
    for path, body in (
        ("/limits/max_open_orders", {**TIGHTER, "value": "4"}),
        ("/limits/max_orders_per_round", TIGHTER),
    ):
        answer = put(own_client, path, body, **key)
        assert answer.status_code == 409
        assert "another request" in answer.json()["detail"]
    assert len(changes(own_client)) == 1


def test_the_key_survives_a_restart(own_client: TestClient, played: House, home: Path) -> None:
    from arena.services import Services

    key = {"Idempotency-Key": "k-1"}
    first = put(own_client, "/limits/max_open_orders", TIGHTER, **key)
    services = Services(floor=played.floor, settings=Settings.load({"home": home}))
    restarted = TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
    again = put(restarted, "/limits/max_open_orders", TIGHTER, **key)
    assert again.content == first.content
    assert len(changes(restarted)) == 1


def test_what_was_refused_may_be_tried_again_under_its_key(own_client: TestClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    looser = {"value": "100000", "reason": "more"}
    assert put(own_client, "/limits/max_open_orders", looser, **key).status_code == 409
    assert put(own_client, "/limits/max_open_orders", TIGHTER, **key).status_code == 200


def test_many_at_once_under_one_key_do_it_once(own_client: TestClient) -> None:
    def send(_: int) -> int:
        code: int = put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": "k-1"}).status_code
        return code

    with ThreadPoolExecutor(8) as threads:
        codes = set(threads.map(send, range(24)))
    assert 200 in codes
    assert codes <= {200, 409}
    assert len(changes(own_client)) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "\x7f", "x" * 201])
def test_a_key_that_is_none_is_refused(own_client: TestClient, key: str) -> None:
    answer = put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": key})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert changes(own_client) == []


class _At(Clock):
    now = 0

    def now_ms(self) -> int:
        return self.now


def test_answers_are_kept_for_a_day_and_a_cut_off_request_is_said_to_be_one(tmp_path: Path) -> None:
    clock = _At()
    kept = KeptAnswers(tmp_path, clock)
    assert kept.begin("me", "k", "asked") is None
    with pytest.raises(KeyInFlight, match="still being done"):
        kept.begin("me", "k", "asked")
    with pytest.raises(KeyInFlight, match="cut off by a restart"):
        KeptAnswers(tmp_path, clock).begin("me", "k", "asked")
    with pytest.raises(KeyReused):
        kept.begin("me", "k", "something else")
    assert kept.begin("somebody else", "k", "something else") is None
    answer = Answer(status=200, media_type="application/json", body=b"{}")
    kept.keep("me", "k", answer)
    clock.now = KEPT_MS
    assert kept.begin("me", "k", "asked") == answer
    clock.now = KEPT_MS + 1
    assert kept.begin("me", "k", "asked") is None


def test_a_store_that_cannot_be_read_stops_writes_and_says_so(own_client: TestClient, home: Path) -> None:
    (home / "idempotency.sqlite").write_bytes(b"no database, whatever its name says" * 50)
    answer = put(own_client, "/limits/max_open_orders", TIGHTER, **{"Idempotency-Key": "k-1"})
    assert answer.status_code == 503
    assert changes(own_client) == []


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_that_is_too_long_is_413(own_client: TestClient, stated: bool) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    content: Any = body if stated else (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    answer = own_client.post("/api/v1/halt", content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"reason": "x", "reason": 1}', b"[" * 5000])
def test_a_body_that_is_no_order_is_refused(own_client: TestClient, body: bytes) -> None:
    answer = own_client.post("/api/v1/halt", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_limits_tighten_at_once_and_loosen_only_when_confirmed(own_client: TestClient, home: Path) -> None:
    assert put(own_client, "/limits/max_open_orders", TIGHTER).json()["kind"] == "tighten"
    board = LimitBoard(home, Limits.load(CONFIG / "limits.toml"))
    assert board.effective(Limits.load(CONFIG / "limits.toml")).max_open_orders == 5
    looser = {"value": "6", "reason": "back"}
    assert put(own_client, "/limits/max_open_orders", looser).status_code == 409
    answer = put(own_client, "/limits/max_open_orders", {**looser, "confirm": True}).json()
    assert answer["kind"] == "loosen"
    assert answer["counts_from"] > answer["made_at"]
    assert answer["who"] == "this machine"
    assert put(own_client, "/limits/none", TIGHTER).status_code == 404
    assert put(own_client, "/limits/max_open_orders", {"value": "a lot", "reason": "x"}).status_code == 409


def test_alerts_are_listed_and_acknowledged(own_client: TestClient, home: Path) -> None:
    desk = AlertDesk(home, (LogChannel(), FileChannel(home)))
    desk.raise_alert("<b>look</b>", critical=True, key="one")
    (alert,) = own_client.get("/api/v1/alerts").json()["items"]
    assert (alert["text"], alert["critical"]) == ("<b>look</b>", True)
    assert post(own_client, f"/alerts/{alert['alert_id']}/acknowledge", None).json() == alert
    assert own_client.get("/api/v1/alerts").json()["items"] == []
    assert post(own_client, f"/alerts/{alert['alert_id']}/acknowledge", None).status_code == 404


def test_a_proposal_is_answered_once(own_client: TestClient, home: Path) -> None:
    ApprovalBoard(home).ask(
        run_id="short-1", proposal="p-1", decision_id="d-1", desk="momentum", round_index=3,
        rulings=[{"intent": {"side": "buy"}, "ruling": "allowed"}], rationale="because", patience_ms=3_600_000,
    )  # fmt: skip
    (asked,) = own_client.get("/api/v1/approvals").json()["items"]
    assert (asked["proposal"], asked["round"], asked["answer"]) == ("p-1", 3, None)
    answer = {"approved": False, "reason": "not today"}
    done = post(own_client, "/approvals/p-1/answer", answer).json()["answer"]
    assert (done["approved"], done["by"], done["note"]) == (False, "this machine", "not today")
    assert post(own_client, "/approvals/p-1/answer", answer).status_code == 409
    assert post(own_client, "/approvals/p-2/answer", answer).status_code == 404
    assert own_client.get("/api/v1/approvals").json()["items"] == []
    assert len(own_client.get("/api/v1/approvals?state=all").json()["items"]) == 1


def test_a_proposal_is_changed_as_its_board_allows(own_client: TestClient, home: Path) -> None:
    board, route = ApprovalBoard(home), "/approvals/p-1/answer"
    intent = {
        "instrument": "BTC-USDT-PERP", "side": "buy", "quantity": "2", "order_type": "market", "limit_price": None,
        "reduce_only": False, "stop_loss": "90",
    }  # fmt: skip
    board.ask(
        run_id="short-1", proposal="p-1", decision_id="d-1", desk="momentum", round_index=3, rationale="because",
        rulings=[{"intent": intent, "ruling": "allowed"}], patience_ms=3_600_000, lots={"BTC-USDT-PERP": "0.5"},
    )  # fmt: skip
    said = {"approved": True, "reason": "less"}
    for edit, status, words in (
        ({"leg": 1, "quantity": "-1"}, 422, "pattern"),
        ({"leg": 1, "quantity": "NaN"}, 422, "pattern"),
        ({"leg": 1, "quantity": 1.5}, 422, "string"),
        ({"leg": 1, "quantity": None}, 409, "above zero"),
        ({"leg": 1, "quantity": "0"}, 409, "above zero"),
        ({"leg": 1, "quantity": "0.7"}, 409, "steps of 0.5"),
        ({"leg": 1, "side": "sell"}, 422, "side"),
        ({"leg": 1, "limit_price": "5"}, 409, "limit_price belongs to limit"),
        ({"leg": 7, "quantity": "1"}, 409, "there is no leg 7"),
        ({"leg": 0, "quantity": "1"}, 422, "greater than or equal to 1"),
        ({"leg": 1, "drop": True}, 409, "every leg is dropped"),
        ({"leg": 1}, 409, "nothing is changed"),
        ("rubbish", 422, "edits"),
    ):
        refused = post(own_client, route, {**said, "edits": [edit]})
        assert (refused.status_code, words in refused.text) == (status, True), refused.text
        assert refused.headers["content-type"].startswith("application/problem+json")
    half = {**said, "edits": [{"leg": 1, "quantity": "1.50", "stop_loss": None}]}
    assert post(own_client, route, {**half, "approved": False}).status_code == 409
    assert len(board.waiting()) == 1, "what was refused changed nothing"
    first, again = (post(own_client, route, half, **{"Idempotency-Key": "k-edit"}) for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["answer"]["edits"] == [
        {"leg": 1, "instrument": "BTC-USDT-PERP", "name": "quantity", "old": "2", "new": "1.5"},
        {"leg": 1, "instrument": "BTC-USDT-PERP", "name": "stop_loss", "old": "90", "new": None},
    ]
    assert post(own_client, route, half).status_code == 409


def test_an_alias_is_pointed_at_a_version_of_its_role(own_client: TestClient) -> None:
    versions = [row["reference"] for row in own_client.get("/api/v1/prompts?role=executor").json()["items"]]
    wanted = {"reference": versions[0]}
    assert put(own_client, "/prompts/aliases/executor/trial", wanted).json()["before"] is None
    named = {row["alias"]: row["means"] for row in own_client.get("/api/v1/prompts/aliases").json()["aliases"]}
    assert named["executor/trial"] == versions[0]
    assert own_client.get(f"/api/v1/prompts/{versions[0]}").json()["text"].startswith("+++")
    assert put(own_client, "/prompts/aliases/analyst/trial", wanted).status_code == 409
    assert put(own_client, "/prompts/aliases/executor/trial", {"reference": "executor/none.v9"}).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"market": "live"}, 'confirmation = "LIVE"'),
        ({"market": "live", "confirmation": "live"}, 'confirmation = "LIVE"'),
        ({"market": "live", "confirmation": "LIVE"}, "it lacks a season file with market.kind = 'live'"),
        ({"market": "live", "confirmation": "LIVE", "mode": "aggressive"}, "`tradefloor run SEASON.toml` alone"),
        ({"market": "paper"}, "a season does not change its market"),
        ({"mode": "aggressive"}, "not started by this server"),
    ],
)
def test_a_mode_that_cannot_be_is_refused_clearly(own_client: TestClient, wanted: Any, words: str) -> None:
    answer = put(own_client, "/mode", {**wanted, "reason": "a try"})
    assert answer.status_code == 409
    assert words in answer.json()["detail"]
    now = own_client.get("/api/v1/mode").json()
    assert (now["mode"], now["market"], now["live"], now["next_mode"]) == ("balanced", "simulated", False, None)
    same = {"mode": "balanced", "market": "simulated", "reason": "as it is"}
    assert put(own_client, "/mode", same).json() == now


def test_each_key_that_live_lacks_is_named_alone(played: House, home: Path) -> None:
    keys = {
        "the acknowledgement TRADEFLOOR_LIVE_ACKNOWLEDGED=short": {"live_acknowledged": "short"},
        "the cap --max-live-notional": {"max_live_notional": "100"},
        "the limits file": {},
    }
    for lacking in keys:
        given = {key: value for name, table in keys.items() if name != lacking for key, value in table.items()}
        (home / "live-limits.toml").unlink(missing_ok=True)
        if lacking != "the limits file":
            (home / "live-limits.toml").write_text("", "utf-8")
        services = Services(floor=played.floor, settings=Settings.load({"home": home, **given}))
        client = TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
        answer = put(client, "/mode", {"market": "live", "confirmation": "LIVE", "reason": "go"})
        assert answer.status_code == 409
        assert [name for name in keys if name in answer.json()["detail"]] == [lacking]


def test_a_season_of_somebody_else_cannot_be_begun_anew(own_client: TestClient) -> None:
    answer = post(own_client, "/reset", {"confirmation": "RESET", "reason": "again"})
    assert answer.status_code == 409
    assert "not started by this server" in answer.json()["detail"]
    for body in ({"reason": "again"}, {"confirmation": "reset", "reason": "again"}, {"confirmation": "RESET"}):
        assert post(own_client, "/reset", body).status_code == 422


@pytest.mark.slow
def test_a_reset_ends_the_run_for_good_and_begins_another_on_the_same_rules(tmp_path: Path) -> None:
    with open_house(tmp_path / "home", end="2026-02-01T00:00:00Z", round_s=0.05) as house:
        client = TestClient(create_api(house.services), base_url=HERE, headers=PROGRAM)
        house.wait(lambda snapshot: snapshot.round_index > 2)
        first = house.run_id
        body, key = {"confirmation": "RESET", "reason": "a clean start"}, {"Idempotency-Key": "once"}
        answer = post(client, "/reset", body, **key)
        assert (answer.status_code, answer.json()["ended_run"]) == (202, first)
        house.wait(lambda snapshot: snapshot.run_id not in ("", first) and snapshot.round_index > 0)
        assert post(client, "/reset", body, **key).content == answer.content
        second = house.run_id
        runs = Runs(house.services.home)
        assert [run.run_id for run in sorted(runs.all(), key=lambda run: run.run_id)] == [first, second]
        assert runs.get(first).manifest["rules_sha256"] == runs.get(second).manifest["rules_sha256"]
        assert runs.get(first).is_finished
        assert audit_journal(runs.get(first).journal).problem is None
        stood = client.get(f"/api/v1/runs/{first}/standings").json()
        assert stood["status"] == "halted"
        assert "a clean start (reset by this machine)" in stood["halt_reason"]
        assert client.get("/api/v1/mode").json()["run"] == second


@pytest.mark.slow
def test_a_chosen_mode_is_that_of_the_next_run_and_survives_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_house(home, end="2026-02-01T00:00:00Z", round_s=0.05) as house:
        client = TestClient(create_api(house.services), base_url=HERE, headers=PROGRAM)
        house.wait(lambda snapshot: snapshot.round_index > 1)
        first = house.run_id
        chosen = put(client, "/mode", {"mode": "aggressive", "reason": "a bolder week"})
        assert (chosen.status_code, chosen.json()["mode"], chosen.json()["next_mode"]) == (
            200,
            "balanced",
            "aggressive",
        )
    with open_house(home, end="2026-02-01T00:00:00Z", round_s=0.05) as house:
        client = TestClient(create_api(house.services), base_url=HERE, headers=PROGRAM)
        house.wait(lambda snapshot: snapshot.round_index > 2)
        assert (house.run_id, client.get("/api/v1/mode").json()["next_mode"]) == (first, "aggressive")
        assert post(client, "/reset", {"confirmation": "RESET", "reason": "begin"}).status_code == 202
        house.wait(lambda snapshot: snapshot.run_id not in ("", first) and snapshot.round_index > 1)
        second = house.run_id
        now = client.get("/api/v1/mode").json()
        assert (now["mode"], now["next_mode"]) == ("aggressive", None)
        back = put(client, "/mode", {"mode": "balanced", "reason": "enough"}).json()
        assert (back["mode"], back["next_mode"]) == ("aggressive", "balanced")
    with open_house(home, end="2026-02-01T00:00:00Z", round_s=0.05) as house:
        house.wait(lambda snapshot: snapshot.round_index > 2)
        assert house.run_id == second, "a run goes on in the mode it was registered with"
    runs = Runs(home)
    modes = {run.run_id: run.manifest["rules"]["season"]["mode"] for run in runs.all()}
    assert modes == {first: "balanced", second: "aggressive"}
    assert audit_journal(runs.get(second).journal).problem is None


@pytest.mark.slow
def test_a_season_that_is_over_can_begin_anew(tmp_path: Path) -> None:
    with open_house(tmp_path / "home", end="2026-01-01T03:00:00Z") as house:
        client = TestClient(create_api(house.services), base_url=HERE, headers=PROGRAM)
        house.wait(lambda snapshot: snapshot.status == "finished")
        first = house.run_id
        assert post(client, "/reset", {"confirmation": "RESET", "reason": "once more"}).status_code == 202
        house.wait(lambda snapshot: snapshot.run_id not in ("", first) and snapshot.status == "finished")
        stood = client.get(f"/api/v1/runs/{first}/standings").json()
        assert (stood["status"], stood["halt_reason"]) == ("finished", None)
