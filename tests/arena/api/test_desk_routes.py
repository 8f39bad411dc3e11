"""Decisions and the leaderboard over the API: whole where they are known, 404 or 503 with a sentence where not."""

import csv
import io
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_app
from arena.boards import board_office
from arena.seasons.snapshot import FloorSnapshot
from arena.traces import Transcripts
from tests.arena.conftest import SampleFloor, sample_snapshot
from tests.arena.housing import house
from tests.arena.played import ROUNDS, play
from trading.storage.runs import RunFolder

HERE = "http://127.0.0.1:7860"
PROGRAM = {"X-Tradefloor": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> RunFolder:
    return play(home)


@pytest.fixture(scope="module")
def client(home: Path, run: RunFolder) -> TestClient:
    floor = SampleFloor(sample_snapshot())
    return TestClient(create_app(house(floor, home=home, transcripts=Transcripts())), base_url=HERE)


def decisions_of(client: TestClient, run: RunFolder) -> list[str]:
    """The ids of a desk's decisions, oldest first."""
    listed = client.get("/api/v1/decisions", params={"desk": "random", "limit": 100, "run": run.run_id}).json()
    return [row["decision_id"] for row in listed["items"]]


def test_a_decision_with_the_words_of_its_models(client: TestClient, run: RunFolder) -> None:
    made = decisions_of(client, run)
    assert len(made) == ROUNDS
    path = f"/api/v1/decisions/{made[0]}/words"
    found = client.get(path, params={"run": run.run_id})
    assert found.json()["decision_id"] == made[0]
    assert found.json()["missing_words"]
    assert "content-disposition" not in found.headers
    kept = client.get(path, params={"run": run.run_id, "download": True})
    assert kept.headers["content-disposition"] == f'attachment; filename="{made[0]}.json"'


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/decisions/d-unknown/words", 404),
        ("/api/v1/decisions/%00%1b/words", 404),
        ("/api/v1/decisions/d-unknown/words?run=../../etc", 422),
        ("/api/v1/leaderboard?of=rubbish", 422),
        ("/api/v1/leaderboard?format=exe", 422),
    ],
)
def test_rubbish_is_refused_with_a_sentence(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_case_is_made_by_a_write_of_ours_alone(client: TestClient, run: RunFolder, home: Path) -> None:
    identity, *_, late = decisions_of(client, run)
    path = f"/api/v1/decisions/{identity}/case?run={run.run_id}"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"Origin": "http://evil.example"}).status_code == 403
    made = client.post(path, headers=PROGRAM)
    assert made.status_code == 200, made.text
    assert made.json()["case"] == f"own-{identity}"
    assert [file.name for file in (home / "evals" / "cases").glob("*.json")] == [f"own-{identity}.json"]
    refused = client.post(f"/api/v1/decisions/{late}/case?run={run.run_id}", headers=PROGRAM)
    assert refused.status_code == 409
    assert "the case needs" in refused.json()["detail"], "what comes after the end of the season is not known"
    assert client.post(f"/api/v1/decisions/nothing/case?run={run.run_id}", headers=PROGRAM).status_code == 404


def test_a_decision_is_asked_again_as_a_job_and_its_answer_kept(client: TestClient, run: RunFolder, home: Path) -> None:
    identity = decisions_of(client, run)[0]
    path = f"/api/v1/decisions/{identity}/replay?run={run.run_id}"
    assert (client.get(path).json()["job"], client.get(path).json()["replay"]) == (None, None)
    assert client.post(path).status_code == 403
    started = client.post(path, headers=PROGRAM)
    assert (started.status_code, started.json()["decision_id"]) == (202, identity)
    deadline = time.monotonic() + 200
    while client.get(path).json()["job"]["status"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    row = client.get(path).json()
    assert (row["job"]["status"], row["replay"]["identical"], row["replay"]["traded"]) == ("done", True, False)
    assert row["replay"]["differences"] == []
    assert row["replay"]["by"] == "this machine"
    assert row["said"] == row["replay"]["verdict"]
    ended = client.post(path.replace("/replay", "/replay/cancel"), headers=PROGRAM)
    assert (ended.status_code, "nothing to cancel" in ended.json()["detail"]) == (409, True)
    for body in ({"cap_usd": -1}, {"cap_usd": "much"}, {"model": "x"}, []):
        assert client.post(path, json=body, headers=PROGRAM).status_code == 422
    for act in ("", "/cancel"):
        assert client.post(f"/api/v1/decisions/nothing/replay{act}", headers=PROGRAM).status_code == 404
    shown = client.get(f"/live/decision?at-id={identity}&at-run={run.run_id}").json()
    assert "Every prompt was word for word that of then" in shown["tf-replay"][1]


def test_the_season_as_json_and_csv(client: TestClient, snapshot: FloorSnapshot) -> None:
    document = client.get("/api/v1/leaderboard").json()
    assert len(document["desks"]) == len(snapshot.desks)
    assert document["pairs"] is None
    table = client.get("/api/v1/leaderboard?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["desk"] for row in rows] == [row["desk"] for row in document["desks"]]


def test_all_seasons_are_computed_beside(client: TestClient, home: Path, monkeypatch: Any) -> None:
    import time

    from arena.settings import Settings

    monkeypatch.setattr("arena.boards.LOOK_EVERY_S", 0.0)
    first = client.get("/api/v1/leaderboard?of=all")
    assert first.status_code == 503
    assert "being computed" in first.json()["detail"]
    deadline = time.monotonic() + 240
    while board_office(Settings.load({"home": home})).latest().board is None and time.monotonic() < deadline:
        time.sleep(0.1)
    document = client.get("/api/v1/leaderboard?of=all").json()
    assert {row["desk"] for row in document["desks"]} == {"random", "buyhold"}
    assert all(row["rank"] is None for row in document["desks"]), "too few days to rank"
    assert client.get("/api/v1/leaderboard?of=all&format=csv").text.startswith("desk")


def test_the_old_address_leads_to_the_leaderboard(client: TestClient) -> None:
    moved = client.get("/standings", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (308, "/leaderboard")
    assert client.get("/leaderboard").status_code == 200
    assert client.get("/decision").status_code == 200
    assert client.get("/desk").status_code == 200
