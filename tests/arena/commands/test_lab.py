"""The lab, prompts and restatements from the outside."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

SEASON = """
[season]
name = "short"
seed = 1
start = 2025-01-01T00:00:00Z
end = 2025-01-02T12:00:00Z
every = "4h"
capital = 10000
[market]
kind = "simulated"
step = "1h"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]
[[desk]]
name = "a"
model = "house/momentum"
[[desk]]
name = "b"
model = "house/random"
"""


@pytest.fixture(scope="module")
def played(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> "Played":
    """A home folder with one short season."""
    home = tmp_path_factory.mktemp("home")
    path = home / "season.toml"
    path.write_text(SEASON, "utf-8")
    assert lab.call("run", path, "--home", home).code == 0
    return Played(lab, home)


class Played:
    def __init__(self, lab: Any, home: Path) -> None:
        self.lab, self.home = lab, home
        self.run = lab.call("runs", "--home", home, "--json").document["runs"][0]["run_id"]

    def call(self, *words: object) -> Any:
        return self.lab.call(*words, "--home", self.home)

    def events(self, kind: str) -> list[Any]:
        from trading.storage.journal.reader import read_events

        journal = self.home / "runs" / self.run / "journal.sqlite"
        return [stored.event() for stored in read_events(journal) if stored.kind == kind]


def test_what_is_played_is_registered_in_the_first_event(played: Played) -> None:
    from arena.registration import code_sha256
    from prompts import load_prompt

    opened = played.events("season_opened")[0].payload
    assert opened["code_sha256"] == code_sha256()
    roles = ("analyst", "forecaster", "risk", "executor")
    expected = {role: load_prompt(f"{role}/production").sha256 for role in roles}
    assert [desk["prompts"] for desk in opened["desks"]] == [expected, expected]
    assert opened["desks"][0]["models"]["executor"] == "house/momentum"
    assert len(opened["rules_sha256"]) == 64
    assert [row["symbol"] for row in opened["instruments"]] == ["BTC-USDT-PERP", "ETH-USDT-PERP"]


def test_another_prompt_makes_another_run(played: Played, tmp_path: Path) -> None:
    text = tmp_path / "mine.md"
    shown = played.call("prompts", "show", "executor/production").out
    text.write_text(shown.replace("\n=== user ===", "\nWait.\n\n=== user ==="), "utf-8")
    other = tmp_path / "other"
    lab = played.lab
    assert (
        lab.call("prompts", "add", "executor/mine", text, "--author", "A", "--message", "m", "--home", other).code == 0
    )
    path = tmp_path / "season.toml"
    path.write_text(
        SEASON.replace('name = "b"\n', 'name = "b"\nprompts = { executor = "executor/mine.v1" }\n'), "utf-8"
    )
    said = lab.call("run", path, "--home", other, "--json")
    assert said.code == 0
    assert said.document["run_id"] != played.run
    bad = tmp_path / "bad.toml"
    bad.write_text(SEASON.replace('name = "b"\n', 'name = "b"\nprompts = { executor = "executor/no.v1" }\n'), "utf-8")
    said = lab.call("run", bad, "--home", other)
    assert (said.code, "no file" in said.err) == (2, True)


def test_a_decision_becomes_a_case_in_which_the_desk_decides_the_same(played: Played) -> None:
    decided = [one for one in played.events("decided") if one.payload["desk"] == "a"]
    acted = next(one for one in decided[1:] if one.payload["status"] == "acted")
    words = ("lab", "add-case", played.run, acted.decision_id, "--horizon", "8h")
    said = played.call(*words, "--json")
    assert said.code == 0
    case = json.loads(Path(said.document["path"]).read_text("utf-8"))
    assert case["at"]
    assert case["market"]["begin"]
    assert played.call(*words, "--json").document == said.document
    again = played.call("lab", "add-case", played.run, acted.decision_id, "--horizon", "12h")
    assert (again.code, "another case" in again.err) == (2, True)
    found = played.call("lab", "own", "--variant", "a=house/momentum", "--json").document
    wanted = {
        (intent.payload["side"], intent.payload["instrument"])
        for intent in played.events("intended")
        if intent.decision_id == acted.decision_id
    }
    did = found["matrix"][0]["cells"][0]["did"][0]
    assert wanted
    assert did == ", ".join(sorted(f"{side} {instrument}" for side, instrument in wanted))


def test_the_lab_compares_and_shows_what_is_asked(played: Played) -> None:
    words = ("lab", "decisions", "--variant", "a=house/momentum", "--variant", "b=house/random", "--cases", "6")
    found = played.call(*words, "--baseline", "b", "--view", "different", "--json").document
    assert found["verdict"] in ("better", "worse", "not separable")
    assert found.keys() >= {"difference", "ci95", "p_value", "n", "n_needed", "wins", "ties", "losses"}
    assert (found["baseline"], found["n"], found["cases"]) == ("b", 6, 6)
    assert found["verdicts"][0]["first"] == "a"
    assert 0 < len(found["matrix"]) <= 6
    cell = found["matrix"][0]["cells"][0]
    assert cell["usd"] == 0.0
    assert cell["latency_ms"] > 0
    text = played.call(*words).out
    assert "6 of 6 cases" in text
    assert "rule-based" in text
    looked = played.call(*words[:-1], "4", "--split", "heldout", "--json").document
    assert looked["looks"] == {"a": 1, "b": 1}


def test_a_run_is_left_out_with_a_reason_and_the_note_stays(played: Played) -> None:
    board = played.call("leaderboard", "--json").document
    assert board["restatements"] == []
    assert board["runs"] == [played.run]
    assert played.call("leaderboard", "restate", played.run, "--reason", "wrong fees").code == 0
    board = played.call("leaderboard", "--json").document
    assert (board["runs"], board["trials"] >= 2) == ([], True)
    assert [(one["run"], one["reason"], one["excluded"]) for one in board["restatements"]] == [
        (played.run, "wrong fees", True)
    ]
    assert "wrong fees" in played.call("leaderboard").out
    assert played.call("leaderboard", "restate", played.run, "--reason", "again").code == 2
    assert played.call("leaderboard", "restate", played.run, "--reason", "they were right", "--undo").code == 0
    board = played.call("leaderboard", "--json").document
    assert (board["runs"], len(board["restatements"])) == ([played.run], 2)


def test_the_site_links_every_number_to_its_decisions(played: Played, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert played.call("leaderboard", "--html", site).code == 0
    page = (site / "index.html").read_text("utf-8")
    assert f'href="runs/{played.run}/index.html#desk-a"' in page
    assert "SIMULATED MARKET" in page
    assert "rule-based, no LLM" in page
    assert "http" not in page.replace("http-equiv", ""), "the site needs no network"
    run = (site / "runs" / played.run / "index.html").read_text("utf-8")
    opened = played.events("season_opened")[0].payload
    assert opened["code_sha256"] in run
    assert 'id="desk-a"' in run
    decisions = (site / "runs" / played.run / "decisions.csv").read_text("utf-8").splitlines()
    assert len(decisions) - 1 == len(played.events("decided"))
    assert json.loads((site / "leaderboard.json").read_text("utf-8"))["desks"]
    assert played.call("leaderboard", "--html", site).code == 0
    (tmp_path / "file").write_text("", "utf-8")
    assert played.call("leaderboard", "--html", tmp_path / "file").code == 2


def test_the_luck_table_is_that_of_the_formulas(played: Played) -> None:
    found = played.lab.call("leaderboard", "luck", "--json").document
    rows = {row["days"]: row for row in found["rows"]}
    assert round(rows[17]["half_width"], 1) == 9.1
    assert [round(value, 1) for value in rows[17]["best_of"].values()][:3] == [5.5, 7.3, 8.8]
    assert [round(value, 1) for value in rows[365]["best_of"].values()][:3] == [1.2, 1.6, 1.9]
    assert abs(found["days_for_sharpe_1"] - 988) <= 1
    printed = played.lab.call("leaderboard", "luck").out.partition("\n\n")[0]
    assert printed in (ROOT / "docs" / "evaluation.md").read_text("utf-8"), "`tradefloor leaderboard luck` goes there"


def test_prompts_are_listed_shown_compared_and_pointed_to(played: Played, tmp_path: Path) -> None:
    listed = played.call("prompts", "list", "--json").document["prompts"]
    assert {"executor/production", "executor/default"} <= {alias for one in listed for alias in one["aliases"]}
    text = tmp_path / "mine.md"
    text.write_text(played.call("prompts", "show", "risk/production").out.replace("You are", "You may be"), "utf-8")
    made = played.call("prompts", "add", "risk/mine", text, "--author", "A", "--message", "softer", "--json").document
    assert made["reference"] == "risk/mine.v1"
    assert "-You are" in played.call("prompts", "diff", "risk/production", "risk/mine.v1").out
    assert played.call("prompts", "alias", "risk/candidate", "risk/mine.v1", "--json").document["before"] is None
    assert played.call("prompts", "alias", "risk/candidate", "--json").document["means"] == "risk/mine.v1"
    assert played.call("prompts", "show", "risk/candidate", "--json").document["author"] == "A"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lab", "nonsense", "--variant", "house/momentum"], "no suite"),
        (["lab", "decisions", "--variant", "house/momentum", "--view", "pretty"], "--view"),
        (["lab", "decisions", "--variant", "house/momentum", "--baseline", "x"], "--baseline"),
        (["lab", "decisions", "--variant", "house/momentum", "--split", "secret"], "--split"),
        (["lab", "decisions", "--variant", "house/momentum", "--workers", "2", "--ray", "x"], "found both"),
        (["lab", "add-case", "no-such-run", "d-1"], "no run"),
        (["lab", "battle", "--variant", "house/momentum"], "two desks"),
        (
            ["lab", "optimise", "decisions", "--variant", "house/momentum", "--role", "boss", "--reflection", "x"],
            "--role",
        ),
        (["leaderboard", "restate", "no-such-run", "--reason", "x"], "no run"),
        (["prompts", "show", "../../etc/passwd"], "expected one of"),
        (["prompts", "diff", "risk/default", "nobody"], "expected one of"),
        (["prompts", "add", "risk/x", "/no/such/file", "--author", "a", "--message", "m"], "cannot be read"),
        (["prompts", "alias", "risk/candidate", "executor/default.v1"], "expected executor/"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(played: Played, words: list[str], said: str) -> None:
    found = played.call(*words)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_a_damaged_case_or_restatement_is_refused_by_its_file(played: Played, tmp_path: Path) -> None:
    home = tmp_path / "home"
    cases = home / "evals" / "cases"
    cases.mkdir(parents=True)
    (cases / "bad.json").write_text("{", "utf-8")
    said = played.lab.call("lab", "own", "--variant", "house/momentum", "--home", home)
    assert (said.code, "bad.json" in said.err) == (2, True)
    (home / "restatements.jsonl").write_text("rubbish\n", "utf-8")
    said = played.lab.call("leaderboard", "--home", home)
    assert (said.code, "line 1" in said.err) == (2, True)
