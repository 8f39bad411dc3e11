"""Market data over HTTP: what had closed at the instant asked for, and nothing that came later."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.arena.houses import House

SYMBOL = "BTC-USDT-PERP"
NOON = "2026-01-01T12:00:00Z"


def get(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_instruments_have_their_steps_and_last_prices(client: TestClient, played: House) -> None:
    rows = get(client, "/instruments")["items"]
    assert [row["symbol"] for row in rows] == [SYMBOL, "ETH-USDT-PERP"]
    snapshot = played.floor.snapshot()
    assert snapshot is not None
    assert float(rows[0]["price"]) == dict(snapshot.prices)[SYMBOL]
    assert rows[0]["kind"] == "perp"


def test_candles_end_at_the_instant_that_was_asked_for(client: TestClient) -> None:
    newest = get(client, f"/candles/{SYMBOL}", limit=5)
    assert (newest["as_of"], newest["source"], newest["timeframe"]) == ("2026-01-02T00:00:00Z", "simulated", "1h")
    assert [row["opened_at"] for row in newest["items"]][-1] == "2026-01-01T23:00:00Z"
    assert newest["next"] is None
    then = get(client, f"/candles/{SYMBOL}", limit=5, as_of="2026-01-01T11:59:59Z")
    assert then["items"][-1]["opened_at"] == "2026-01-01T10:00:00Z"
    assert get(client, f"/candles/{SYMBOL}", limit=1, as_of="2026-01-01T12:00:00Z")["items"][0]["opened_at"].startswith(
        "2026-01-01T11"
    )


def test_nothing_is_known_after_the_newest_round(client: TestClient) -> None:
    later = get(client, f"/candles/{SYMBOL}", as_of="2030-01-01T00:00:00Z", limit=3)
    assert later == get(client, f"/candles/{SYMBOL}", limit=3)
    assert get(client, f"/candles/{SYMBOL}", as_of="1980-01-01T00:00:00Z")["items"] == []


def test_a_season_on_candles_has_no_order_book(client: TestClient) -> None:
    answer = client.get(f"/api/v1/books/{SYMBOL}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "has seen no order book of BTC-USDT-PERP" in answer.json()["detail"]


def test_candles_come_in_pages_by_their_opening(client: TestClient) -> None:
    whole = get(client, f"/candles/{SYMBOL}", limit=30)["items"]
    after, read = whole[0]["opened_at"], [whole[0]]
    while after is not None:
        page = get(client, f"/candles/{SYMBOL}", limit=7, after=after)
        read += page["items"]
        after = page["next"]
    assert read == whole


def test_longer_candles_are_made_of_the_runs_own(client: TestClient) -> None:
    hours = get(client, f"/candles/{SYMBOL}", limit=4)["items"]
    (long,) = get(client, f"/candles/{SYMBOL}", limit=1, timeframe="4h")["items"]
    assert (long["open"], long["close"]) == (hours[0]["open"], hours[-1]["close"])
    assert float(long["high"]) == max(float(row["high"]) for row in hours)
    assert client.get(f"/api/v1/candles/{SYMBOL}?timeframe=1m").status_code == 404


def test_a_store_that_is_empty_says_how_to_fill_it(client: TestClient) -> None:
    answer = client.get(f"/api/v1/candles/{SYMBOL}?source=store")
    assert answer.status_code == 404
    assert "tradefloor data fetch" in answer.json()["detail"]


def test_what_was_known_at_noon_does_not_move_with_the_afternoon(client: TestClient) -> None:
    found = get(client, f"/features/{SYMBOL}", group="momentum", as_of=NOON)
    assert found["as_of"] == NOON
    assert found["features"]["rsi_14"] is not None
    assert found["features"] != get(client, f"/features/{SYMBOL}", group="momentum")["features"]
    said = get(client, f"/forecast/{SYMBOL}", as_of=NOON, horizon="4h")
    assert said["as_of"] == NOON
    (row,) = said["forecasts"]
    assert row["q05"] < row["q50"] < row["q95"]
    assert 0 < row["p_up"] < 1


@pytest.mark.slow
def test_regime_and_anomalies_are_the_desks_own(client: TestClient) -> None:
    regime = get(client, f"/regime/{SYMBOL}", as_of=NOON)
    assert regime["regime"]["regime"] in {"bull", "bear", "ranging", "volatile"}
    assert sum(regime["regime"]["probs"].values()) == pytest.approx(1.0, abs=1e-3)
    assert get(client, f"/anomalies/{SYMBOL}", as_of=NOON, count=20)["unknown"] == []


@pytest.mark.slow
def test_the_risk_of_a_desk_is_smaller_than_that_of_all_only_where_its_book_is(client: TestClient) -> None:
    whole = get(client, "/risk/report")
    assert {row["desk"] for row in whole["desks"]} == {"momentum", "equalweight"}
    one = get(client, "/risk/report", desk="equalweight", horizon="4h", as_of=NOON)
    assert one["as_of"] == NOON
    assert one["horizon_s"] == 4 * 3600
    assert [row["desk"] for row in one["desks"]] == ["equalweight"]
    assert 0 < one["var"]["historical"]["0.95"] < one["var"]["historical"]["0.99"]


def test_memory_is_searched_as_it_was_known_then(client: TestClient, played: House) -> None:
    then = get(client, "/memory/search", text="rising over a day", as_of="2026-01-01T06:00:00Z", count=50)
    assert then["hits"]
    assert all(hit["decided_at"] < "2026-01-01T06:00:00Z" for hit in then["hits"])
    assert {hit["run_id"] for hit in then["hits"]} == {played.run_id}
    assert get(client, "/memory/search", text="x", as_of="1990-01-01T00:00:00Z")["hits"] == []
    assert client.get("/api/v1/memory/search", params={"text": "   ", "as_of": NOON}).status_code == 422
