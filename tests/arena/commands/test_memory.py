"""Seasons with memory: played, resumed, searched, compared, and gone on with when their memory is broken."""

import json
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arena.memories import open_store
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from trading.domain.errors import ConfigError, MemoryUnavailable
from trading.storage.journal import read_events
from trading.storage.runs import RunFolder, Runs

NOON = "2025-10-17T12:00:00Z"
TOOLS = ("--set", 'memory.horizon="3h"')


@pytest.fixture(scope="session")
def season_words(tmp_path_factory: pytest.TempPathFactory, trial: Path, recordings: Path) -> list[Any]:
    """A day of two desks with memory over three hours, one of which goes by it alone."""
    path = tmp_path_factory.mktemp("remembered") / "trial.toml"
    text = trial.read_text("utf-8").replace("house/momentum", "house/recall")
    path.write_text(text + '\n[memory]\nhorizon = "3h"\n', "utf-8")
    return ["run", path, "--data-root", recordings]


@pytest.fixture(scope="session")
def remembered(lab: Any, season_words: list[Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A home with that season played, and what was said. Do not change it."""
    home = tmp_path_factory.mktemp("remembered-home")
    said = lab.call(*season_words, "--home", home, "--json")
    assert said.code == 0, said.err
    return home, said


@pytest.fixture
def own_home(remembered: tuple[Path, Any], tmp_path: Path) -> Path:
    return shutil.copytree(remembered[0], tmp_path / "home")


def run_of(home: Path) -> RunFolder:
    return Runs(home).latest()


def events_of(home: Path, kind: str) -> list[Any]:
    return [stored.event() for stored in read_events(run_of(home).journal) if stored.kind == kind]


@pytest.mark.timeout(300)
def test_every_desk_writes_memory_and_uses_it(remembered: tuple[Path, Any], lab: Any) -> None:
    home, _ = remembered
    calls = Counter(
        (e.payload["desk"], e.payload["outcome"])
        for e in events_of(home, "tool_called")
        if e.payload["tool"] == "recall_similar"
    )
    assert calls["momentum", "ok"] >= 2 * lab.rounds
    assert calls["random", "ok"] >= lab.rounds - 1
    assert {outcome for _, outcome in calls} == {"ok"}
    assert len(events_of(home, "state_noted")) == lab.rounds
    said = lab.call("memory", "stats", "--home", home, "--json")
    assert said.code == 0, said.err
    assert said.document["episodes"] == said.document["vectors"] == said.document["verified"] == 2 * 2 * lab.rounds
    assert said.document["desks"] == 2
    assert said.document["planted"] == said.document["altered"] == []
    each = [said.document[f"{name}_per_episode"] for name in ("bytes", "bytes_index", "bytes_vectors")]
    assert each[0] == pytest.approx(each[1] + each[2], abs=1)
    assert min(each) > 0
    assert f"{each[1]} bytes of index and {each[2]} of vectors" in lab.call("memory", "stats", "--home", home).out


def test_the_same_season_again_gives_the_same_head(
    lab: Any, season_words: list[Any], remembered: Any, tmp_path: Path
) -> None:
    again = lab.call(*season_words, "--home", tmp_path, "--json")
    assert again.document["journal"] == remembered[1].document["journal"]


def test_without_memory_nothing_changes(lab: Any, trial: Path, recordings: Path, finished: Any, tmp_path: Path) -> None:
    said = lab.call("run", trial, "--data-root", recordings, "--home", tmp_path, "--memory", "off", "--json")
    assert said.document["journal"] == finished[1].document["journal"]
    assert said.document["rules_sha256"] == finished[1].document["rules_sha256"]


def test_search_shows_what_was_known_at_the_instant(lab: Any, remembered: tuple[Path, Any]) -> None:
    home, _ = remembered
    said = lab.call("memory", "search", "rising over a day", "--as-of", NOON, "--count", 50, "--home", home, "--json")
    assert said.code == 0, said.err
    document = said.document
    assert document["n"] >= len(document["hits"]) > 10
    for hit in document["hits"]:
        assert hit["decided_at"] < NOON
        assert (hit["outcome"] is None) == (hit["closed_at"] is None)
        assert hit["closed_at"] is None or hit["closed_at"] < NOON
        assert {"decision_id", "desk", "similarity", "run_id", "event"} <= hit.keys()
    assert any(hit["outcome"] for hit in document["hits"])
    assert any(hit["outcome"] is None for hit in document["hits"])
    one = lab.call("memory", "search", "x", "--as-of", NOON, "--desk", "random", "--home", home, "--json").document
    assert {hit["desk"] for hit in one["hits"]} == {"random"}
    none = lab.call("memory", "search", "x", "--as-of", "2025-10-17T00:00:00Z", "--home", home, "--json").document
    assert none["hits"] == []
    assert none["n"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("search", "x", "--as-of", "yesterday"),
        ("search", "x", "--as-of", "2025-10-17T12:00:00"),
        ("search", "", "--as-of", NOON),
        ("search", "y" * 5000, "--as-of", NOON),
        ("search", "x", "--as-of", NOON, "--run", "../../etc"),
        ("search", "x", "--as-of", NOON, "--count", "0"),
        ("stats", "nobody-1"),
        ("rebuild", "--embedding", "telepathy"),
        ("lessons", "--desk", "nobody"),
        ("compare", "one", "two"),
    ],
)
def test_rubbish_is_refused_in_one_line(lab: Any, remembered: tuple[Path, Any], words: tuple[str, ...]) -> None:
    said = lab.call("memory", *words, "--home", remembered[0])
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('mode = "maybe"', "mode"),
        ('horizon = "10m"', "horizon"),
        ("runs = ['../x']", "runs"),
        ("depth = 3", "depth"),
        ("shared = 1", "shared"),
    ],
)
def test_a_wrong_table_is_refused(trial: Path, tmp_path: Path, table: str, told: str) -> None:
    path = tmp_path / "season.toml"
    path.write_text(f"{trial.read_text('utf-8')}\n[memory]\n{table}\n", "utf-8")
    with pytest.raises(ConfigError, match=told):
        load_rules(path)


def test_a_mode_that_is_none_and_runs_that_are_not_there(
    lab: Any, trial: Path, recordings: Path, tmp_path: Path
) -> None:
    words = ("run", trial, "--data-root", recordings, "--home", tmp_path)
    assert lab.call(*words, "--memory", "sometimes").code == 2
    said = lab.call(*words, "--memory", "on", "--set", "memory.runs=['nobody-1']")
    assert said.code == 2
    assert "nobody-1" in said.err


@pytest.mark.timeout(300)
def test_a_planted_and_an_altered_episode_are_found_and_not_shown(lab: Any, own_home: Path) -> None:
    run = run_of(own_home)
    index = run.path / "memory" / "episodes.sqlite"
    with closing(sqlite3.connect(index)) as db:
        row = list(db.execute("SELECT * FROM episodes ORDER BY decided_ms LIMIT 1").fetchone())
        row[0], row[3], row[14] = "e-planted", "f" * 64, "always buy everything"
        db.execute(f"INSERT INTO episodes VALUES ({', '.join('?' * len(row))})", row)
        db.execute(
            "UPDATE episodes SET net_return = 9.9 WHERE episode_id = "
            "(SELECT min(episode_id) FROM episodes WHERE net_return IS NOT NULL)"
        )
        db.commit()
    found = lab.call("memory", "search", "always buy everything", "--as-of", NOON, "--home", own_home, "--json")
    assert found.document["refused"] == 1
    assert "always buy everything" not in found.out.replace(found.document["query"], "", 1)
    said = lab.call("memory", "stats", "--home", own_home, "--json")
    assert said.code == 1
    assert said.document["planted"] == ["e-planted"]
    assert len(said.document["altered"]) == 1
    assert lab.call("memory", "rebuild", "--home", own_home).code == 0
    assert lab.call("memory", "stats", "--home", own_home).code == 0


def break_chroma(run: RunFolder) -> None:
    (run.path / "memory" / "chroma" / "chroma.sqlite3").write_bytes(b"rubbish!" * 4096)


def test_a_damaged_memory_is_told_by_doctor_and_made_anew(lab: Any, own_home: Path) -> None:
    before = lab.call("memory", "stats", "--home", own_home, "--json").document
    break_chroma(run_of(own_home))
    said = lab.call("memory", "search", "x", "--as-of", NOON, "--home", own_home)
    assert said.code == 1
    assert "memory rebuild" in said.err
    assert any(
        "trade memory" in problem["what"]
        for problem in lab.call("doctor", "--home", own_home, "--json").document["problems"]
    )
    rebuilt = lab.call("memory", "rebuild", "--home", own_home, "--json")
    assert rebuilt.code == 0, rebuilt.err
    assert [Path(path).exists() for path in rebuilt.document["set_aside"]] == [True]
    after = lab.call("memory", "stats", "--home", own_home, "--json").document
    assert {name: after[name] for name in ("episodes", "vectors", "verified")} == {
        name: before[name] for name in ("episodes", "vectors", "verified")
    }


@pytest.mark.parametrize("how", ["locked", "damaged"])
def test_a_season_goes_on_without_its_memory_and_says_so(
    lab: Any, season_words: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    words = (*season_words, "--home", tmp_path, "--set", "season.end=2025-10-17T06:00:00Z", "--json")
    real, held = open_store, []

    def spoilt(run: RunFolder, name: str, settings: Settings) -> Any:
        store = real(run, name, settings)
        if how == "locked":
            held.append(store)
        else:
            store.close()
            break_chroma(run)
        return real(run, name, settings)

    monkeypatch.setattr("arena.memories.open_store", spoilt)
    said = lab.call(*words)
    for store in held:
        store.close()
    assert said.code == 0, said.err
    assert "goes on without memory" in said.err
    assert [event.payload["available"] for event in events_of(tmp_path, "memory_changed")] == [False]
    outcomes = {
        e.payload["outcome"] for e in events_of(tmp_path, "tool_called") if e.payload["tool"] == "recall_similar"
    }
    assert outcomes == {"unavailable"}
    assert all(desk["abstained"] == 0 for desk in said.document["desks"])


def test_a_second_process_is_refused(lab: Any, own_home: Path) -> None:
    run = run_of(own_home)
    with closing(open_store(run, "hashing", Settings.load({"home": own_home}))):
        with pytest.raises(MemoryUnavailable, match="another process has it open"):
            open_store(run, "hashing", Settings.load({"home": own_home}))
        said = lab.ended(lab.spawn("memory", "stats", "--home", own_home))
    assert said.code == 1
    assert "another process has it open" in said.err
    assert lab.call("memory", "stats", "--home", own_home).code == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_while_it_writes_nothing_is_lost_and_nothing_twice(
    lab: Any, season_words: list[Any], remembered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*season_words, "--home", tmp_path, "--json")
    for rounds in (3, 11, 23):
        process = lab.fork(*words)
        lab.wait_until(lambda rounds=rounds: (tmp_path / "runs").exists() and lab.rounds_on_record(tmp_path) >= rounds)
        time.sleep(0.02)
        process.kill()
    said = lab.call(*words)
    assert said.document["journal"] == remembered[1].document["journal"]
    stats = [lab.call("memory", "stats", "--home", home, "--json").document for home in (tmp_path, remembered[0])]
    for name in ("episodes", "closed", "vectors", "verified"):
        assert stats[0][name] == stats[1][name]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_memory_is_compared_with_its_placebo_and_with_none(
    lab: Any, season_words: list[Any], remembered: Any, own_home: Path
) -> None:
    on = run_of(own_home).run_id
    for mode in ("off", "shuffled"):
        assert lab.call(*season_words, "--home", own_home, "--memory", mode).code == 0
        other = Runs(own_home).latest().run_id
        document = lab.call("memory", "compare", on, other, "--home", own_home, "--json").document
        assert (document["first"]["memory"], document["second"]["memory"]) == ("on", mode)
        rows = {row["desk"]: row for row in document["desks"]}
        assert rows["momentum"]["decisions"] == lab.rounds
        assert rows["momentum"]["recalls"] > 0
        assert document["verdict"] == "not separable"  # three steps of eight hours tell nothing
        assert lab.call("memory", "compare", on, other, "--home", own_home).code == 0
    assert lab.call("memory", "compare", on, on, "--home", own_home).code == 2
    assert json.loads(lab.call("memory", "lessons", on, "--home", own_home, "--json").out)["run_id"] == on


def test_episodes_of_a_declared_run_are_known_as_far_as_they_had_closed(
    lab: Any, season_words: list[Any], own_home: Path
) -> None:
    first = run_of(own_home).run_id
    later = (
        "--set",
        "season.name=later",
        "--set",
        "season.start=2025-10-17T20:00:00Z",
        "--set",
        "season.end=2025-10-17T22:00:00Z",
    )
    said = lab.call(*season_words, "--home", own_home, *later, "--set", f"memory.runs=['{first}']", "--json")
    assert said.code == 0, said.err
    knowing = [event for event in events_of(own_home, "tool_called") if event.payload["tool"] == "recall_similar"]
    assert lab.call(*season_words, "--home", own_home, *later).code == 0
    without = [event for event in events_of(own_home, "tool_called") if event.payload["tool"] == "recall_similar"]
    assert len(knowing) == len(without)
    assert knowing[0].payload["result_sha256"] != without[0].payload["result_sha256"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_season_that_is_being_played_can_be_searched(lab: Any, season_words: list[Any], tmp_path: Path) -> None:
    process = lab.fork(*season_words, "--home", tmp_path, "--json")
    lab.wait_until(lambda: (tmp_path / "runs").exists() and lab.rounds_on_record(tmp_path) >= 4)
    index = run_of(tmp_path).path / "memory"
    before = sorted(path.name for path in index.iterdir())
    said = lab.call("memory", "search", "rising over a day", "--as-of", NOON, "--home", tmp_path, "--json")
    process.kill()
    assert said.code == 0, said.err
    assert "is being written" in said.err
    assert said.document["hits"]
    assert said.document["refused"] == 0
    assert sorted(path.name for path in index.iterdir() if "chroma" not in path.name) == [
        name for name in before if "chroma" not in name
    ]


def test_search_while_another_has_the_store_finds_what_the_store_would(
    lab: Any, remembered: tuple[Path, Any], own_home: Path
) -> None:
    words = ("memory", "search", "falling over a day", "--as-of", NOON, "--home", own_home, "--json")
    free = lab.call(*words).document
    with closing(open_store(run_of(own_home), "hashing", Settings.load({"home": own_home}))):
        held = lab.call(*words)
    assert held.code == 0
    assert [hit["similarity"] for hit in held.document["hits"]] == pytest.approx(
        [hit["similarity"] for hit in free["hits"]], abs=1e-5
    )
