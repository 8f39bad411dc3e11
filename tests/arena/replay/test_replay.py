"""A decision asked again: it sits where it sat, word for word, answers the same, and nothing leaves."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arena.jobs import Jobs, JobStatus
from arena.replay import Answer, Replay, Replayer
from arena.replay.replay import compared
from arena.seasons.rulefile import load_rules
from arena.seasons.rules import SeasonRules
from arena.settings import CONFIG, Settings
from arena.tickets import TicketBoard
from arena.tickets.order import order_ticket
from arena.traces import Trace, TraceArchive
from arena.ui.decision.replay import replay_panel
from prompts import use_prompts
from prompts.library import add_version, point_alias, text_of
from tests.arena.autonomous.followed import Follower, rules_of
from tests.arena.played import SEASON, play
from tests.arena.ui.hostile import PAYLOADS
from trading.domain.errors import RequestError
from trading.risk import LimitBoard, Limits
from trading.storage.runs import RunFolder, Runs

RICH = (
    SEASON.replace('name = "played"', 'name = "rich"').replace(
        "[stops]",
        """[memory]
mode = "on"
shared = true

[limits]
max_leverage = 1

[stops]""",
    )
    + """
[[desk]]
name = "momentum"
model = "house/momentum"
context = true

[[desk]]
name = "recaller"
model = "house/recall"

[[desk]]
name = "you"
person = true
"""
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> RunFolder:
    """A season whose desks remember, are told their record, and hold what the house guards."""
    return play(home, text=RICH)


@pytest.fixture
def replayer(home: Path) -> Replayer:
    return Replayer(Settings.load({"home": home}), Jobs())


def traces(home: Path, run: RunFolder, desk: str) -> list[Trace]:
    archive = TraceArchive(home)
    return [archive.trace(run.run_id, entry.decision_id) for entry in archive.newest(run.run_id, desk, 100)[0]]


def ask(replayer: Replayer, trace: Trace, **given: Any) -> Replay:
    return replayer.replay(trace, **{"by": "ann", "cap_usd": Decimal(0), "on_call": lambda done: None, **given})


@pytest.mark.parametrize("desk", ["random", "buyhold", "momentum", "recaller"])
def test_a_desk_is_asked_word_for_word_what_it_was_asked_and_answers_the_same(
    home: Path, run: RunFolder, replayer: Replayer, desk: str
) -> None:
    made = traces(home, run, desk)
    for trace in [made[0], *(one for one in made[1:] if one.status == "acted"), made[-1]]:
        found = ask(replayer, trace)
        assert found.differences == ()
        assert found.calls == found.as_then == found.computed == len({call.cassette_key for call in trace.calls})
        assert (found.live, found.recorded, found.usd, found.remarks) == (0, 0, 0.0, ())
        assert found.then == found.now.model_copy(update={"wanted": found.then.wanted})
        assert [leg.line for leg in found.then.wanted] == [leg.line for leg in found.now.wanted]


def test_nothing_is_written_beside_the_replay_itself(home: Path, run: RunFolder, replayer: Replayer) -> None:
    trace = next(one for one in traces(home, run, "buyhold") if one.status == "acted")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    found = ask(replayer, trace)
    assert found.now.wanted, "it wanted to trade again"
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert replayer.kept(run.run_id, trace.decision_id) == found


def test_the_prompts_are_those_of_then_although_production_moved(
    home: Path, run: RunFolder, replayer: Replayer
) -> None:
    trace = traces(home, run, "momentum")[0]
    use_prompts(home / "prompts")
    try:
        head = text_of("executor/production")
        added = add_version("executor/other", head + "\nBe brief.\n", author="ann", message="brief")
        point_alias("executor/production", added.reference)
        found = ask(replayer, trace)
        assert (found.differences, found.as_then, found.remarks) == ((), found.calls, ())
    finally:
        (home / "prompts" / "aliases.toml").unlink(missing_ok=True)
        use_prompts(None)


def test_the_limits_are_those_of_then_although_they_were_tightened_since(
    home: Path, run: RunFolder, replayer: Replayer
) -> None:
    trace = next(one for one in traces(home, run, "buyhold") if one.status == "acted")
    board = LimitBoard(home, Limits.load(CONFIG / "limits.toml"))
    board.set("max_order_value", "1", who="ann", reason="a calm week")
    try:
        found = ask(replayer, trace)
        assert (found.differences, found.as_then) == ((), found.calls)
        assert [leg.gate for leg in found.now.wanted] == [leg.gate for leg in found.then.wanted]
    finally:
        (home / "limits.sqlite").unlink()


def test_a_job_tells_how_it_goes_and_keeps_the_answer(home: Path, run: RunFolder) -> None:
    jobs = Jobs()
    replayer, trace = Replayer(Settings.load({"home": home}), jobs), traces(home, run, "random")[3]
    replayer.start(trace, by="ann")
    job = jobs.wait(f"replay-{run.run_id}-{trace.decision_id}", 200)
    assert job is not None
    assert (job.status, job.done) == (JobStatus.DONE, len(trace.calls) - 1)
    assert job.said.startswith("The same answer.")
    shown = replay_panel(replayer, run.run_id, trace.decision_id)
    for words in ("nothing traded", "identical", "On record", "Asked again", "word for word", "asked by ann"):
        assert words in shown


def test_a_damaged_or_strange_replay_is_none(home: Path, run: RunFolder, replayer: Replayer) -> None:
    trace = traces(home, run, "random")[4]
    ask(replayer, trace)
    file = home / "replays" / run.run_id / f"{trace.decision_id}.json"
    file.write_text('{"verdict": 7', "utf-8")
    assert replayer.kept(run.run_id, trace.decision_id) is None
    for run_id, decision_id in (("../..", "x"), (run.run_id, "../../run"), ("", ""), ("\x00", "d")):
        assert replayer.kept(run_id, decision_id) is None
        assert replay_panel(replayer, run_id, decision_id) == ""


def test_a_run_without_its_rules_is_refused(home: Path, run: RunFolder, replayer: Replayer) -> None:
    trace = traces(home, run, "random")[0]
    file = run.path / "run.json"
    kept = file.read_bytes()
    try:
        file.write_text(json.dumps({**json.loads(kept), "rules": {"season": {}, "market": {}}}), "utf-8")
        with pytest.raises(RequestError, match=r"cannot be read from its run\.json"):
            ask(replayer, trace)
    finally:
        file.write_bytes(kept)


def test_what_no_model_decided_cannot_be_asked_again(tmp_path: Path) -> None:
    text = RICH.replace('name = "rich"', 'name = "hand"').replace("T20:00", "T03:00")
    path = tmp_path / "hand.toml"
    path.write_text(text, "utf-8")
    from arena import wiring

    settings = Settings.load({"home": tmp_path})
    folder = wiring.open_run(wiring.prepare(load_rules(path), settings), settings)
    order = order_ticket(instrument="BTC-USDT-PERP", side="buy", quantity="0.01")
    TicketBoard(tmp_path).place(run_id=folder.run_id, desk="you", who="ann", order=order)
    run = play(tmp_path, text=text)
    assert run.run_id == folder.run_id
    (mine,) = traces(tmp_path, run, "you")
    with pytest.raises(RequestError, match="traded by hand"):
        Replayer(settings, Jobs()).start(mine, by="ann")


def test_the_rules_of_a_run_read_back_are_its_rules(run: RunFolder, tmp_path: Path) -> None:
    assert SeasonRules.on_record(run.manifest["rules"]).rules_sha256 == run.manifest["rules_sha256"]
    for file in sorted((CONFIG / "seasons").glob("*.toml")):
        rules = load_rules(file)
        kept = json.loads(json.dumps(rules.model_dump(mode="json", by_alias=True)))
        assert SeasonRules.on_record(kept).rules_sha256 == rules.rules_sha256
    assert Runs(tmp_path).all() == []


def answer(**given: Any) -> Answer:
    whole = {"status": "held", "abstain_reason": None, "confidence": 0.5, "rationale": "calm", "wanted": (),
             "forecasts": (), "notes": ()}  # fmt: skip
    return Answer.model_validate({**whole, **given})


def test_each_difference_has_its_name_and_both_sides() -> None:
    leg = {"instrument": "BTC", "side": "buy", "quantity": "1", "order_type": "market", "limit_price": None,
           "stop_loss": None, "take_profit": None, "gate": "allowed"}  # fmt: skip
    one, other = answer(status="acted", wanted=(leg,)), answer(status="acted", wanted=({**leg, "quantity": "2"},))
    same, found = compared(one, other)
    assert [row.what for row in found] == ["size", "terms"]
    assert (found[0].then, found[0].now) == ("1 BTC", "2 BTC")
    assert same == ("action", "confidence", "forecasts", "words", "notes of the roles")
    assert compared(one, answer(status="acted", wanted=({**leg, "gate": "refused by x: y"},)))[1] == ()
    _, found = compared(answer(), answer(status="abstained", abstain_reason="executor: timeout", confidence=None))
    assert [(row.what, row.now) for row in found] == [
        ("action", "abstained (executor: timeout)"),
        ("confidence", "not stated"),
    ]


def test_what_models_say_stays_text(home: Path, run: RunFolder, replayer: Replayer) -> None:
    trace = traces(home, run, "random")[5]
    found = ask(replayer, trace)
    now = found.now.model_copy(update={"rationale": " ".join(PAYLOADS)})
    hostile = found.model_copy(update={"now": now, "differences": compared(found.then, now)[1]})
    replayer._keep(hostile)
    shown = replay_panel(replayer, run.run_id, trace.decision_id)
    assert "differs" in shown
    for mark in ("<script", "<img", "<svg", "<iframe", "\x1b"):
        assert mark not in shown


@pytest.mark.asyncio
async def test_on_a_market_that_was_followed_the_record_holds_all_that_was_seen(tmp_path: Path) -> None:
    follower = Follower(rules_of(rounds=6), tmp_path)
    await follower.play()
    (run,) = Runs(tmp_path).all()
    replayer = Replayer(follower.settings, Jobs())
    for desk in TraceArchive(tmp_path).folder(run.run_id).manifest["rules"]["desk"]:
        for trace in traces(tmp_path, run, desk["name"])[::3]:
            found = await asyncio.to_thread(ask, replayer, trace)
            assert (found.differences, found.as_then, found.live) == ((), found.calls, 0)
