"""The register of runs: what is found again, what is new, and what is said of rubbish."""

import os

import pytest

from trading.domain.errors import RequestError
from trading.storage.runs import Runs

SHA = "ab" * 32


def test_the_same_content_is_the_same_run_until_it_is_finished(tmp_path):
    runs = Runs(tmp_path)
    first = runs.open("demo", SHA, {"market": "replay"})
    assert first.run_id == "demo-abababab-1"
    assert runs.open("demo", SHA, {"market": "other"}).path == first.path
    assert runs.get(first.run_id).manifest["market"] == "replay"
    assert runs.open("demo", "cd" * 32, {}).run_id == "demo-cdcdcdcd-1"
    (first.path / "journal.seal").write_text("{}")
    assert runs.get(first.run_id).is_finished
    assert runs.open("demo", SHA, {}).run_id == "demo-abababab-2"


def test_a_run_killed_before_its_facts_were_written_is_taken_up(tmp_path):
    (tmp_path / "runs" / "demo-abababab-1").mkdir(parents=True)
    run = Runs(tmp_path).open("demo", SHA, {"market": "replay"})
    assert (run.run_id, run.manifest["market"]) == ("demo-abababab-1", "replay")
    assert Runs(tmp_path).get(run.run_id).manifest == run.manifest


def test_the_run_worked_on_last_is_the_latest(tmp_path):
    runs = Runs(tmp_path)
    older, newer = runs.open("a", SHA, {}), runs.open("b", SHA, {})
    for at, run in ((100, newer), (200, older)):
        for path in (*run.path.iterdir(), run.path):
            os.utime(path, (at, at))
    assert runs.latest().run_id == older.run_id
    assert [run.run_id for run in runs.all()] == [newer.run_id, older.run_id]


@pytest.mark.parametrize("run_id", ["", "..", "../secret", "nope", "UPPER", "a" * 500, "a/b", "a\nb", "."])
def test_an_unknown_run_is_one_line_that_names_the_known_ones(tmp_path, run_id):
    (tmp_path / "secret").mkdir()
    runs = Runs(tmp_path)
    with pytest.raises(RequestError, match="none yet"):
        runs.get(run_id)
    runs.open("demo", SHA, {})
    with pytest.raises(RequestError, match="demo-abababab-1") as refused:
        runs.get(run_id)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_no_run_at_all_says_how_to_start_one(tmp_path):
    assert Runs(tmp_path).all() == []
    with pytest.raises(RequestError, match="tradefloor run"):
        Runs(tmp_path).latest()


@pytest.mark.parametrize("name", [".cache", "Old Runs", "a b", "x" * 90])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, name):
    runs = Runs(tmp_path)
    run = runs.open("demo", SHA, {})
    (tmp_path / "runs" / name).mkdir()
    (tmp_path / "runs" / "note.txt").write_text("mine")
    assert [one.run_id for one in runs.all()] == [run.run_id]
    with pytest.raises(RequestError, match="no run"):
        runs.get(name)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "\udcff"])
def test_damaged_facts_are_one_clear_error(tmp_path, text):
    runs = Runs(tmp_path)
    run = runs.open("demo", SHA, {})
    (run.path / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RequestError, match=r"run\.json") as refused:
        runs.get(run.run_id)
    assert "\n" not in str(refused.value)
    with pytest.raises(RequestError, match="no run"):
        runs.get("another")
