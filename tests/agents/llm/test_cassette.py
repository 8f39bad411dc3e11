"""Cassettes: what came back once comes back again, failures included, and nothing is made up for what did not."""

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import Attempt, Cassette, CassetteStore, Completion, ToolRequest
from agents.llm.outcome import outcome_json, read_outcome
from tests.agents.llm.asking import answer, asked
from trading.domain.errors import CassetteMiss, ConfigError, JournalError, ModelFailure, ModelUnavailable

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
USAGE = st.none() | st.integers(0, 10**9)
DOLLARS = st.none() | st.floats(0, 100, allow_nan=False)
ATTEMPTS = st.lists(
    st.builds(Attempt, model=TEXT, outcome=TEXT, model_answered=st.none() | TEXT, tokens_in=USAGE, usd=DOLLARS),
    max_size=3,
).map(tuple)
ANSWERS = st.builds(
    Completion,
    content=TEXT,
    tool_requests=st.lists(st.builds(ToolRequest, call_id=TEXT, name=TEXT, arguments_json=TEXT), max_size=2).map(tuple),
    finish_reason=TEXT,
    refusal=st.none() | TEXT,
    model_answered=st.none() | TEXT,
    tokens_in=USAGE,
    tokens_out=USAGE,
    usd=DOLLARS,
    attempts=ATTEMPTS,
    substitute=st.none() | TEXT,
)


class Inner:
    """Answers each request differently from the last one, or fails."""

    def __init__(self, *failures: ModelFailure) -> None:
        self.failures = list(failures)
        self.requests = []

    async def __call__(self, request):
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return answer(f'{{"number": {len(self.requests)}}}')


async def nobody(request):
    raise AssertionError("a model was asked")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "cassette.sqlite"


async def play(path: Path, mode: str, inner, *requests, **more):
    """What a cassette answers to the requests, one after the other; failures as they were raised."""
    with CassetteStore(path, writable=mode != "replay") as store:
        cassette = Cassette(inner, store, mode, **more)
        outcomes = []
        for request in requests:
            try:
                outcomes.append(await cassette.complete(request))
            except ModelFailure as failure:
                outcomes.append(failure)
        return outcomes


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_written(completion):
    assert read_outcome(outcome_json(completion)) == completion


@given(TEXT, TEXT, st.booleans(), ATTEMPTS)
def test_so_is_a_failure(message, reason, unavailable, attempts):
    kind = ModelUnavailable if unavailable else ModelFailure
    found = read_outcome(outcome_json(kind(message, reason=reason, status=429, retry_after_s=1.5, attempts=attempts)))
    assert isinstance(found, ModelFailure)
    assert (type(found), str(found), found.reason, found.attempts) == (kind, message, reason, attempts)
    assert (found.status, found.retry_after_s) == (429, 1.5)


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"{}", b'{"answer": {}}', b'{"answer": 3}', b'{"failure": {}}'])
def test_an_outcome_of_another_version_is_refused(rubbish):
    with pytest.raises(JournalError, match="record it again"):
        read_outcome(rubbish)


@pytest.mark.asyncio
async def test_what_was_recorded_is_replayed_whole_and_nobody_is_asked(path):
    failure = ModelUnavailable("no answer", reason="timeout", attempts=(Attempt(model="m", outcome="timeout"),))
    first = await play(path, "auto", Inner(failure), asked("a"), asked("b"))
    again = await play(path, "replay", nobody, asked("a"), asked("b"))
    assert again[1] == first[1]
    assert first[1].attempts[0].outcome == "rate_limited"
    assert (type(again[0]), str(again[0]), again[0].attempts) == (type(failure), str(failure), failure.attempts)


@pytest.mark.asyncio
async def test_auto_asks_only_what_is_new_and_record_asks_everything_once(path):
    inner = Inner()
    first = await play(path, "auto", inner, asked("a"), asked("a"))
    assert first[0] == first[1]
    assert len(inner.requests) == 1
    await play(path, "auto", inner, asked("a"), asked("b"))
    assert [request.messages[1]["content"] for request in inner.requests] == ["a", "b"]
    anew = await play(path, "record", inner, asked("a"), asked("a"))
    assert len(inner.requests) == 3
    assert anew[0] == anew[1] != first[0]
    assert await play(path, "replay", nobody, asked("a")) == anew[:1]


@pytest.mark.asyncio
async def test_equal_requests_at_the_same_time_end_with_one_outcome(path):
    with CassetteStore(path, writable=True) as store:
        cassette = Cassette(Inner(), store, "auto")
        found = await asyncio.gather(*(cassette.complete(asked("a")) for _ in range(5)))
    assert len(set(found)) == 1
    assert await play(path, "replay", nobody, asked("a")) == found[:1]


@pytest.mark.parametrize(
    "other",
    [
        asked("a", model="maker/other"),
        asked("b"),
        asked("a", tools_sha256="another"),
        asked("a", tool_choice="none"),
        asked("a", method="text"),
        asked("a", seed=8),
        asked("a", max_tokens=10),
        asked("a", fallbacks=("maker/other",)),
        asked("a", desk="two"),
        asked("a", as_of="2026-01-01T01:00:00Z"),
    ],
)
def test_the_key_covers_all_that_an_answer_may_depend_on(other):
    assert other.cassette_key != asked("a").cassette_key


def test_the_key_does_not_cover_the_time_that_was_left():
    assert replace(asked("a"), timeout_s=0.1).cassette_key == asked("a").cassette_key


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (asked("the price is 80.3"), ("message 2 of 2 (user) changed", "80.2", "80.3")),
        (asked("the price is 80.2", said=("hm",)), ("the recorded conversation has 2 messages, the one asked 3",)),
        (asked("the price is 80.2", model="maker/other"), ("model changed: recorded 'maker/model'", "'maker/other'")),
        (asked("the price is 80.2", seed=8), ("seed changed: recorded 7, asked 8",)),
        (asked("the price is 80.2", as_of="2026-02-01T00:00:00Z"), ("one@2026-01-01T00:00:00Z", "another desk")),
        (asked("the price is 80.2", desk="two"), ("the analyst of two@", "holds no call of this desk and role")),
        (asked("the price is 80.2", role="risk"), ("the risk of one@", "no call of this desk and role")),
    ],
)
async def test_a_miss_says_what_changed(path, request_, said):
    await play(path, "auto", Inner(), asked("the price is 80.2"), asked("the price is 7", as_of="2026-01-02T00:00:00Z"))
    with pytest.raises(CassetteMiss) as caught:
        await play(path, "replay", nobody, request_)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == 2
    for words in (str(path), "--cassette auto", *said):
        assert words in line


@pytest.mark.asyncio
async def test_the_difference_is_shown_where_it_is_in_a_long_message(path):
    prices = ", ".join(str(number) for number in range(5_000))
    await play(path, "auto", Inner(), asked(prices))
    with pytest.raises(CassetteMiss, match="changed") as caught:
        await play(path, "replay", nobody, asked(prices.replace("2500,", "2600,")))
    assert "2499, 2500, 2501" in str(caught.value)
    assert "2499, 2600, 2501" in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.asyncio
async def test_a_refusal_to_pay_counts_only_under_the_limits_it_was_made_under(path):
    refusal = ModelFailure("no money", reason="season_budget")
    poor = await play(path, "auto", Inner(refusal), asked("a"), terms="budget of $1")
    assert poor[0].reason == "season_budget"
    assert (await play(path, "replay", nobody, asked("a"), terms="budget of $1"))[0].reason == "season_budget"
    rich = await play(path, "auto", Inner(), asked("a"), terms="budget of $2")
    assert rich[0].content == '{"number": 1}'
    assert (await play(path, "replay", nobody, asked("a"), terms="budget of $1"))[0].reason == "season_budget"
    assert await play(path, "replay", nobody, asked("a"), terms="budget of $2") == rich


@pytest.mark.asyncio
async def test_outcomes_that_were_not_asked_for_are_told(path):
    told = []
    for _ in range(2):
        await play(path, "auto", Inner(), asked("a"), replayed=lambda *pair: told.append(pair))
    assert [(request.messages[1]["content"], outcome.usd) for request, outcome in told] == [("a", 0.25)]


@pytest.mark.asyncio
async def test_a_cancelled_call_leaves_nothing(path):
    async def hang(_):
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(play(path, "auto", hang, asked("a")), timeout=0.05)
    with CassetteStore(path, writable=False) as store:
        assert len(store) == 0


def test_a_second_writer_is_refused_while_the_first_is_there(path):
    with CassetteStore(path, writable=True) as store:
        store.keep("k", asked("a"), answer())
        with pytest.raises(JournalError, match="another process records on it"):
            CassetteStore(path, writable=True)
    with CassetteStore(path, writable=True) as store:
        assert len(store) == 1


def test_a_closed_cassette_is_one_file_that_can_be_read_without_the_right_to_write(path):
    with CassetteStore(path, writable=True) as store:
        store.keep("k", asked("a"), answer())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with CassetteStore(path, writable=False) as store:
            assert store.find("k") == answer()
    finally:
        path.parent.chmod(0o755)


@pytest.mark.parametrize("writable", [True, False])
def test_what_is_no_cassette_is_refused_and_left_as_it_is(tmp_path, writable):
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"not a database, but as long as one would have to be to have a header" * 20)
    other = tmp_path / "other"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE calls (key TEXT)")
    db.close()
    for path in (rubbish, other):
        before = path.read_bytes()
        with pytest.raises(ConfigError, match="no cassette"):
            CassetteStore(path, writable=writable)
        assert path.read_bytes() == before


def test_nothing_to_replay_is_said_and_not_made(path):
    with pytest.raises(ConfigError, match="nothing to replay"):
        CassetteStore(path, writable=False)
    assert not path.exists()


def test_what_was_kept_survives_the_process_being_killed(path):
    program = (
        "import os, signal, sys; from pathlib import Path; from agents.llm import CassetteStore;"
        "from tests.agents.llm.asking import answer, asked;"
        "store = CassetteStore(Path(sys.argv[1]), writable=True);"
        "store.keep('k', asked('a'), answer()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", program, str(path)]
    ended = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, check=False)
    assert ended.returncode == -9
    for writable in (False, True):
        with CassetteStore(path, writable=writable) as store:
            assert store.find("k") == answer()
