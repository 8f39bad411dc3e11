"""Trading by hand over HTTP: previews send nothing, orders rest, fill and are cancelled, and refusals say why."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_api
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.rulefile import load_rules
from arena.services import Services
from arena.settings import Settings
from arena.tickets.counter import Counter
from tests.arena.houses import HERE, PROGRAM, SEASON, House
from trading.risk import KillSwitch

BTC = "BTC-USDT-PERP"
PATIENCE_S = 200


def until(true: Callable[[], Any]) -> Any:
    """What it gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a house in which the desk ``you`` is traded by hand."""
    home = tmp_path_factory.mktemp("trading") / "home"
    home.mkdir()
    file = home / "season.toml"
    file.write_text(SEASON.format(end="2026-06-01T00:00:00Z"), "utf-8")
    settings, floor = Settings.load({"home": home}), LiveFloor(KillSwitch(home))
    counter = Counter(home, floor.snapshot)
    rules = load_rules(file).with_person("you")
    season = BackgroundSeason(rules, settings, floor, round_s=0.2, warmup_rounds=2, counter=counter)
    season.start()
    until(lambda: counter.stand("you"))
    services = Services(floor=floor, settings=settings, season=season, counter=counter)
    yield TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
    season.stop()


def order(**fields: Any) -> dict[str, Any]:
    return {"instrument": BTC, "side": "buy", "quantity": "0.01", **fields}


def post(client: TestClient, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1{path}", json=body, headers=headers)


def state_of(client: TestClient, ticket: str, *states: str) -> Any:
    """The ticket once it is in one of these states."""

    def found() -> Any:
        row = client.get(f"/api/v1/tickets/{ticket}").json()
        assert row["state"] in ("waiting", "taken", "open", *states), row
        return row if row["state"] in states else None

    return until(found)


def open_orders(client: TestClient) -> list[Any]:
    found: list[Any] = client.get("/api/v1/orders?desk=you&status=open").json()["items"]
    return found


def test_a_preview_says_ruling_cost_and_risk_and_sends_nothing(trading: TestClient) -> None:
    before = trading.get("/api/v1/tickets").json()["items"]
    found = post(trading, "/tickets/preview", order(stop_loss="1")).json()
    assert (found["ruling"], found["desk"], found["quantity"]) == ("allowed", "you", "0.01")
    assert float(found["fee"]) > 0
    assert float(found["at_stop"]) > 0
    assert found["exposure_after"] > found["exposure_before"]
    cut = post(trading, "/tickets/preview", order(quantity="100000")).json()
    assert cut["ruling"] in ("resized", "refused")
    assert cut["rule"]
    assert trading.get("/api/v1/tickets").json()["items"] == before


def test_a_market_order_fills_once_however_often_it_is_sent(trading: TestClient) -> None:
    first = post(trading, "/tickets", order(), **{"Idempotency-Key": "k-1"})
    again = post(trading, "/tickets", order(), **{"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    row = first.json()
    assert (row["what"], row["who"], row["state"]) == (f"buy 0.01 {BTC}", "this machine", "waiting")
    filled = state_of(trading, row["ticket"], "filled")
    assert filled["words"].startswith("0.01 at ")
    fills = until(lambda: trading.get("/api/v1/fills?desk=you").json()["items"])
    assert [fill["quantity"] for fill in fills] == ["0.01"]


def test_an_order_that_rests_is_listed_and_cancelled(trading: TestClient) -> None:
    named = {"ticket": "far-below", "desk": "you"}
    stop = order(side="sell", order_type="stop", trigger_price="1000", **named)
    assert post(trading, "/tickets", stop).status_code == 201
    state_of(trading, "far-below", "open")
    (resting,) = until(lambda: open_orders(trading))
    assert resting["trigger_price"] == "1000"
    pending = trading.get("/api/v1/tickets?state=pending").json()["items"]
    assert [row["ticket"] for row in pending] == ["far-below"]
    cancelling = post(trading, "/tickets/far-below/cancel")
    assert (cancelling.status_code, cancelling.json()["cancels"]) == (200, resting["order_id"])
    state_of(trading, "far-below", "cancelled")
    until(lambda: not open_orders(trading))
    late = post(trading, f"/orders/{resting['order_id']}/cancel")
    assert (late.status_code, "nothing left to cancel" in late.json()["detail"]) == (409, True)
    gone = post(trading, "/tickets/far-below/cancel")
    assert (gone.status_code, "is cancelled" in gone.json()["detail"]) == (409, True)


def test_the_order_itself_can_be_cancelled(trading: TestClient) -> None:
    post(trading, "/tickets", order(side="sell", order_type="stop", trigger_price="1000", ticket="a-stop"))
    (resting,) = until(lambda: open_orders(trading))
    made = post(trading, f"/orders/{resting['order_id']}/cancel")
    assert (made.status_code, made.json()["what"]) == (201, f"cancel {resting['order_id']}")
    state_of(trading, "a-stop", "cancelled")


def test_pages_of_tickets_are_the_history_whole_and_in_order(trading: TestClient) -> None:
    whole = trading.get("/api/v1/tickets?limit=500").json()["items"]
    assert len(whole) >= 2
    read: list[Any] = []
    after = ""
    while True:
        page = trading.get(f"/api/v1/tickets?limit=1{after}").json()
        read += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [row["ticket"] for row in read] == [row["ticket"] for row in whole]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (order(desk="momentum"), 409, "not traded by hand"),
        (order(instrument="XRP-USDT-PERP"), 409, "not traded here"),
        (order(quantity=None), 409, "neither of quantity and value"),
        (order(value="5"), 409, "both of quantity and value"),
        (order(order_type="limit"), 409, "limit"),
        (order(close=True), 409, "nothing else"),
        (order(quantity="0"), 409, "greater than 0"),
        (order(quantity="1e9"), 422, "quantity"),
        (order(quantity=-1), 422, "quantity"),
        (order(quantity="NaN"), 422, "quantity"),
        (order(side="short"), 422, "side"),
        (order(order_type="iceberg"), 422, "order_type"),
        (order(ticket="a b"), 422, "ticket"),
        (order(leverage=3), 422, "leverage"),
        ([], 422, "body"),
    ],
)
def test_what_is_no_order_is_refused_with_the_reason(trading: TestClient, body: Any, status: int, words: str) -> None:
    answer = post(trading, "/tickets", body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_the_same_ticket_id_never_stands_for_another_order(trading: TestClient) -> None:
    assert post(trading, "/tickets", order(ticket="mine")).status_code == 201
    answer = post(trading, "/tickets", order(ticket="mine", quantity="0.02"))
    assert (answer.status_code, "something else" in answer.json()["detail"]) == (409, True)


def test_while_trading_is_halted_orders_are_refused_and_waiting_tickets_can_go(trading: TestClient) -> None:
    post(trading, "/halt", {"reason": "a look"})
    try:
        for path in ("/tickets", "/tickets/preview"):
            answer = post(trading, path, order())
            assert (answer.status_code, "halted: a look" in answer.json()["detail"]) == (409, True)
    finally:
        post(trading, "/resume", {"reason": "seen"})


@pytest.mark.parametrize("path", ["/tickets/nobody", "/tickets?desk=momentum", "/tickets?after=nobody"])
def test_what_is_not_there_is_404(trading: TestClient, path: str) -> None:
    assert trading.get(f"/api/v1{path}").status_code == 404


def test_without_a_counter_nobody_trades_and_history_is_still_read(client: TestClient, played: House) -> None:
    for path, body in (("/tickets", order()), ("/tickets/preview", order()), ("/tickets/x/cancel", None)):
        answer = post(client, path, body)
        assert (answer.status_code, "nobody trades by hand" in answer.json()["detail"]) == (503, True)
    assert client.get("/api/v1/tickets").json() == {"items": [], "next": None}
    counter = Counter(played.services.home, played.floor.snapshot)
    services = Services(floor=played.floor, settings=played.services.settings, counter=counter)
    person = TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
    answer = post(person, "/tickets", order())
    assert (answer.status_code, "person = true" in answer.json()["detail"]) == (409, True)


def test_the_history_of_a_home_without_a_run_is_not_there(tmp_path: Path) -> None:
    services = Services(floor=LiveFloor(KillSwitch(tmp_path)), settings=Settings.load({"home": tmp_path}))
    bare = TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
    assert bare.get("/api/v1/tickets").status_code == 404
    assert post(bare, "/tickets", order()).status_code == 503
