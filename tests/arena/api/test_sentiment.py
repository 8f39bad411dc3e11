"""Recorded sentiment and news over HTTP: what was known at the instant asked for, with its age, page by page."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_api
from arena.services import Services
from arena.settings import Settings
from tests.arena.conftest import SampleFloor
from tests.arena.houses import HERE, PROGRAM, House
from tests.arena.told import played_run, told_rules, told_settings, write_candles, write_index, write_news

LAST = "2026-01-06T06:00:00Z"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A house whose season of thirty hours was played and names both."""
    data = tmp_path_factory.mktemp("told") / "data"
    data.mkdir()
    write_candles(data)
    write_index(data)
    write_news(data)
    found = told_settings(data)
    played_run(told_rules(sentiment=["mood-1d.parquet"], news=["btc-news-*.parquet"]), found)
    return found


@pytest.fixture(scope="module")
def told(settings: Settings) -> TestClient:
    """A client over it."""
    return client_of(settings)


def client_of(settings: Settings) -> TestClient:
    services = Services(floor=SampleFloor(None), settings=settings)
    return TestClient(create_api(services), base_url=HERE, headers=PROGRAM)


def get(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_index_is_told_as_it_stood(told: TestClient) -> None:
    found = get(told, "/sentiment", limit=3)
    assert (found["index"], found["indices"], found["as_of"]) == ("mood", ["mood"], LAST)
    assert [row["day"] for row in found["items"]] == ["2026-01-05", "2026-01-04", "2026-01-03"]
    assert found["items"][0] == {
        "day": "2026-01-05",
        "known_at": "2026-01-06T00:00:00Z",
        "age_s": 6 * 3600,
        "value": 70.0,
        "word": "Greed",
    }
    assert (found["change_7d"], found["change_30d"]) == (7.0, 30.0)


def test_nothing_is_told_before_it_was_known(told: TestClient) -> None:
    before = get(told, "/sentiment", as_of="2026-01-05T23:59:59Z", limit=1)
    assert before["items"][0]["day"] == "2026-01-04"
    assert before["items"][0]["age_s"] == 86_399
    assert get(told, "/news", as_of="2026-01-05T23:59:59Z", limit=1)["items"][0]["day"] == "2026-01-04"
    assert get(told, "/news", as_of="2040-01-01T00:00:00Z") == get(told, "/news"), "nor what no round has seen yet"
    nothing = get(told, "/sentiment", as_of="2001-01-01T00:00:00Z")
    assert (nothing["items"], nothing["change_7d"], nothing["next"]) == ([], None, None)
    assert get(told, "/news", as_of="2001-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize(("path", "rows", "key"), [("/sentiment", 51, "day"), ("/news", 18, "id")])
def test_rows_come_in_pages_newest_first(told: TestClient, path: str, rows: int, key: str) -> None:
    whole = get(told, path, limit=500)["items"]
    assert len({row[key] for row in whole}) == rows
    assert [row["known_at"] for row in whole] == sorted((row["known_at"] for row in whole), reverse=True)
    read, after = [], None
    while True:
        page = get(told, path, limit=7, **({} if after is None else {"after": after}))
        read += page["items"]
        after = page["next"]
        if after is None:
            break
    assert read == whole


def test_news_can_be_asked_by_asset_and_label(told: TestClient) -> None:
    negative = get(told, "/news", label="negative", asset="BTC")["items"]
    assert {row["label"] for row in negative} == {"negative"}
    assert len(negative) == 6
    assert get(told, "/news", asset="DOGE")["items"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sentiment?index=%3Cimg%3E", 404),
        ("/sentiment?after=2026-02-30", 404),
        ("/news?after=nobody", 404),
        ("/news?label=great", 422),
        ("/news?as_of=soon", 422),
        ("/sentiment?limit=0", 422),
        ("/news?run=nobody", 404),
    ],
)
def test_rubbish_is_refused_as_a_problem(told: TestClient, path: str, status: int) -> None:
    answer = told.get(f"/api/v1{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_season_without_a_source_says_so(client: TestClient, played: House) -> None:
    for path, words in (("/sentiment", "names no source of sentiment"), ("/news", "names no source of news")):
        answer = client.get(f"/api/v1{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"{played.run_id} {words}" in answer.json()["detail"]


def test_files_that_are_gone_or_others_are_said(settings: Settings, tmp_path: Path) -> None:
    assert settings.data_root is not None
    data, home = tmp_path / "data", tmp_path / "home"
    shutil.copytree(settings.data_root, data)
    shutil.copytree(settings.home, home)
    (data / "mood-1d.parquet").unlink()
    moved = client_of(Settings.load({"home": home, "data_root": data}))
    for path in ("/sentiment", "/news"):
        answer = moved.get(f"/api/v1{path}")
        assert answer.status_code == 503
        assert "names no file" in answer.json()["detail"]
    write_index(data, last=8)
    assert "played on other sentiment or news" in moved.get("/api/v1/sentiment").json()["detail"]
