"""What is on record of a run, asked for over HTTP: it is what the journal says, page by page, and nothing else."""

from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.arena.houses import ROUNDS, House
from trading.ledger import audit_journal
from trading.storage.journal import read_events
from trading.storage.runs import Runs


def events(house: House, kind: str) -> list[Any]:
    journal = Runs(house.services.home).get(house.run_id).journal
    return list(read_events(journal, kinds=(kind,)))


def every(client: TestClient, path: str, limit: int, **filters: Any) -> list[Any]:
    """Every row of a list, page after page."""
    rows: list[Any] = []
    after: Any = None
    while True:
        asked = {**filters, "limit": limit} | ({} if after is None else {"after": after})
        page = client.get(f"/api/v1{path}", params=asked)
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= limit
        rows += page.json()["items"]
        after = page.json()["next"]
        if after is None:
            return rows


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_pages_of_decisions_are_the_journal_whole_and_in_order(client: TestClient, played: House, limit: int) -> None:
    rows = every(client, "/decisions", limit)
    decided = events(played, "decided")
    assert [row["seq"] for row in rows] == [stored.seq for stored in decided]
    assert [row["rationale"] for row in rows] == [stored.event().payload["rationale"] for stored in decided]
    assert len(rows) == 2 * ROUNDS


def test_filters_keep_what_fits(client: TestClient, played: House) -> None:
    mine = every(client, "/decisions", 5, desk="momentum")
    assert {row["desk"] for row in mine} == {"momentum"}
    assert len(mine) == ROUNDS
    acted = every(client, "/decisions", 5, status="acted", instrument="BTC-USDT-PERP")
    intended = {
        stored.decision_id
        for stored in events(played, "intended")
        if stored.event().payload["instrument"] == "BTC-USDT-PERP"
    }
    assert {row["decision_id"] for row in acted} == intended
    assert intended


def test_a_decision_comes_with_everything_that_is_filed_under_it(client: TestClient, played: House) -> None:
    journal = Runs(played.services.home).get(played.run_id).journal
    first = next(row for row in every(client, "/decisions", 50) if row["status"] == "acted")
    trace = client.get(f"/api/v1/decisions/{first['decision_id']}").json()
    filed = [stored for stored in read_events(journal) if stored.decision_id == first["decision_id"]]
    told = [one for group in ("model_calls", "tool_calls", "intents", "rulings", "others") for one in trace[group]]
    known = {one["seq"] for one in told} | {one["seq"] for one in trace["orders"]} | {first["seq"]}
    assert known == {stored.seq for stored in filed}
    assert trace["decision"] == first
    assert len(trace["model_calls"]) >= 4
    assert {one["order_id"] for one in trace["fills"]} == {
        one["order_id"] for one in trace["orders"] if one["status"] == "filled"
    }
    for one in trace["orders"]:
        assert client.get(f"/api/v1/orders/{one['order_id']}").json() == one


def test_orders_and_fills_add_up(client: TestClient) -> None:
    orders, fills = every(client, "/orders", 3), every(client, "/fills", 2)
    assert orders
    filled: dict[str, Decimal] = {}
    for fill in fills:
        filled[fill["order_id"]] = filled.get(fill["order_id"], Decimal(0)) + Decimal(fill["quantity"])
    for order in orders:
        assert Decimal(order["filled"]) == filled.get(order["order_id"], Decimal(0))
        if order["status"] == "filled":
            assert order["filled"] == order["quantity"]
            assert order["ended_at"] is not None


def test_accounts_are_those_of_the_audit(client: TestClient, played: House) -> None:
    ledger = audit_journal(Runs(played.services.home).get(played.run_id).journal).ledger
    rows = every(client, "/accounts", 1)
    assert [row["desk"] for row in rows] == list(ledger.accounts)
    for row in rows:
        account = ledger.accounts[row["desk"]]
        assert Decimal(row["cash"]) == account.cash
        assert Decimal(row["fees"]) == account.fees
        held = {one["instrument"]: Decimal(one["quantity"]) for one in row["positions"]}
        assert held == {symbol: one.quantity for symbol, one in account.positions.items()}
        assert Decimal(row["equity"]) == Decimal(row["cash"]) + Decimal(row["unrealised"])
        assert client.get(f"/api/v1/accounts/{row['desk']}").json() == row
    positions = [one for row in rows for one in row["positions"]]
    assert every(client, "/positions", 1) == positions


def test_standings_of_a_run_are_those_of_the_command_line(client: TestClient, played: House) -> None:
    from arena.seasons.standings import standings_document

    document = client.get(f"/api/v1/runs/{played.run_id}/standings").json()
    assert document == standings_document(Runs(played.services.home).get(played.run_id))
    runs = client.get("/api/v1/runs").json()["items"]
    assert [(row["run_id"], row["status"], row["on_the_floor"]) for row in runs] == [(played.run_id, "finished", True)]
    assert client.get(f"/api/v1/runs/{played.run_id}").json() == runs[0]


@pytest.mark.parametrize(
    "path",
    [
        "/decisions/d-none",
        "/orders/o-none",
        "/accounts/nobody",
        "/runs/none-1",
        "/runs/none-1/standings",
        "/decisions?run=none-1",
        "/decisions?desk=nobody",
        "/fills?instrument=DOGE-USDT",
        "/candles/DOGE-USDT",
        "/features/DOGE-USDT",
        "/risk/report?desk=nobody",
        "/accounts?after=nobody",
        "/evals/attempts?suite=none",
        "/evals/compare?suite=decisions&first=a&second=b",
        "/prompts/executor/none.v1",
        "/nothing",
        "/decisions/%00",
        "/accounts/%2e%2e%2fhalts",
    ],
)
def test_what_is_not_there_is_404_in_one_line(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "after=-1",
        "after=99999999999999999999999999",
        "status=dreamt",
        "run=..%2F..",
        "run=A",
        "desk=",
    ],
)
def test_rubbish_in_a_query_is_422_and_named(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/v1/decisions?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"] == f"query.{query.split('=', maxsplit=1)[0]}"


def test_another_method_is_405_with_those_that_there_are(client: TestClient) -> None:
    answer = client.get("/api/v1/halt")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.delete("/api/v1/limits/max_open_orders").headers["allow"] == "PUT"
