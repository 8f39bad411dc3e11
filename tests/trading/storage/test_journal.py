"""The journal: its chain, its one writer, its commits, and what it says of every kind of damage."""

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import USUAL, engine_on, play, random_tape
from trading.domain import Event, EventKind
from trading.domain.errors import JournalError
from trading.ledger import audit_journal
from trading.storage.journal import GENESIS, Journal, canonical_json, event_hash, read_events, verify_chain
from trading.storage.journal.reader import last_seq, seal_path

ROOT = Path(__file__).parents[3]


def note(text: str, ts_ms: int = 0) -> Event:
    return Event(ts_ms=ts_ms, kind=EventKind.DECIDED, payload={"text": text}, decision_id="d-1")


def write(path: Path, texts: list[str]) -> str:
    journal = Journal(path)
    for text in texts:
        journal.append(note(text))
    journal.commit()
    head = journal.head
    journal.close()
    return head


def texts(path: Path) -> list[str]:
    return [stored.event().payload["text"] for stored in read_events(path)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The sealed journal of a played season: several hundred events over many pages."""
    path = tmp_path_factory.mktemp("finished") / "journal.sqlite"
    journal = Journal(path)
    play(engine_on(random_tape(11, bars=60, volatility=0.02), desks=("a", "b"), costs=USUAL, journal=journal), seed=11)
    journal.seal()
    journal.close()
    assert audit_journal(path).problem is None
    return path


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The finished journal and its seal, free to be damaged."""
    for file in (finished, seal_path(finished)):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / finished.name


def edit(path: Path, *statements: tuple[str, tuple]) -> None:
    db = sqlite3.connect(path)
    with db:
        for statement, values in statements:
            db.execute(statement, values)
    db.close()


# -- chain and text ----------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5), st.randoms())
def test_the_order_of_keys_does_not_matter_and_nothing_else_is_lost(payload, chance):
    pairs = list(payload.items())
    chance.shuffle(pairs)
    text = canonical_json(payload)
    assert canonical_json(dict(pairs)) == text
    assert orjson.loads(text) == payload
    assert "\n" not in text


def test_canonical_json_is_what_it_was_yesterday():
    text = canonical_json({"b": [1, 2.5, None], "a": {"z": "é\n", "y": True}})
    assert text == '{"a":{"y":true,"z":"é\\n"},"b":[1,2.5,null]}'


def test_the_hash_of_an_event_by_hand():
    text = f'{GENESIS}\n1\n7\ndecided\nd-1\n{{"text":"x"}}'
    assert event_hash(GENESIS, 1, 7, "decided", "d-1", '{"text":"x"}') == hashlib.sha256(text.encode()).hexdigest()


@given(st.sampled_from(range(6)))
def test_every_field_of_an_event_is_in_its_hash(changed):
    fields = [GENESIS, 1, 7, "decided", "d-1", "{}"]
    others = ["1" * 64, 2, 8, "held", "d-2", "[]"]
    assert event_hash(*fields) != event_hash(*fields[:changed], others[changed], *fields[changed + 1 :])


# -- writing -----------------------------------------------------------------------------------------------------------


def test_what_was_committed_is_read_back_and_what_was_not_is_dropped(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.append(note("kept"))
    journal.commit()
    head = journal.head
    journal.append(note("dropped"))
    assert journal.events == 2
    assert texts(path) == ["kept"], "nobody reads what is not committed"
    journal.close()
    journal = Journal(path)
    assert (journal.events, journal.head) == (1, head)
    journal.append(note("after"))
    journal.commit()
    journal.close()
    assert texts(path) == ["kept", "after"]
    assert verify_chain(path).problem is None


def test_the_same_events_give_the_same_head_whatever_the_commits(tmp_path):
    head = write(tmp_path / "one.sqlite", ["a", "b", "c"])
    for text in ("a", "b", "c"):
        other = write(tmp_path / "two.sqlite", [text])
    assert other == head
    assert write(tmp_path / "three.sqlite", ["a", "c", "b"]) != head


def test_a_commit_writes_all_or_nothing(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.append(note("first"))
    journal.commit()
    for text in ("second", "third", "fourth"):
        journal.append(note(text))
    thief = sqlite3.connect(path)
    thief.execute("INSERT INTO events SELECT 4, ts, kind, decision_id, payload_json, prev_hash, hash FROM events")
    thief.commit()
    with pytest.raises(JournalError, match="nothing of this round was recorded"):
        journal.commit()
    thief.execute("DELETE FROM events WHERE seq = 4")
    thief.commit()
    thief.close()
    assert texts(path) == ["first"]
    journal.commit()
    assert texts(path) == ["first", "second", "third", "fourth"]
    journal.close()


def test_an_event_that_is_no_json_is_not_half_appended(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    before = journal.head
    with pytest.raises(TypeError):
        journal.append(Event(ts_ms=0, kind=EventKind.DECIDED, payload={"text": object()}))
    assert (journal.head, journal.events) == (before, 0)
    journal.append(note("fine"))
    journal.commit()
    journal.close()
    assert verify_chain(path).problem is None


def test_a_second_writer_is_refused_in_this_process(tmp_path):
    path = tmp_path / "run" / "journal.sqlite"
    first = Journal(path)
    with pytest.raises(JournalError, match="another process is writing this run"):
        Journal(path)
    first.close()
    Journal(path).close()


def python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_second_writer_is_refused_in_another_process(tmp_path):
    path = tmp_path / "journal.sqlite"
    code = "import sys, pathlib; from trading.storage.journal import Journal; Journal(pathlib.Path(sys.argv[1]))"
    first = Journal(path)
    first.append(note("mine"))
    refused = python(code, path)
    assert refused.returncode == 1
    assert "JournalError" in refused.stderr
    first.commit()
    first.close()
    assert python(code, path).returncode == 0
    assert texts(path) == ["mine"]


def test_a_killed_writer_leaves_what_it_committed_and_frees_the_lock(tmp_path):
    path = tmp_path / "journal.sqlite"
    code = """
import os, pathlib, signal, sys
from trading.domain import Event, EventKind
from trading.storage.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]))
for number in range(3):
    journal.append(Event(ts_ms=number, kind=EventKind.DECIDED, payload={"text": str(number)}))
    if number < 2:
        journal.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert python(code, path).returncode == -9
    assert texts(path) == ["0", "1"]
    journal = Journal(path)
    assert journal.events == 2
    journal.close()
    assert verify_chain(path).problem is None


def test_a_changed_byte_in_the_log_of_an_unfinished_run_is_noticed(tmp_path):
    path, log = tmp_path / "journal.sqlite", tmp_path / "journal.sqlite-wal"
    journal = Journal(path)
    play(engine_on(random_tape(2, bars=30), costs=USUAL, journal=journal), rounds=20)
    honest = [file.read_bytes() for file in (path, log)]
    head = journal.head
    journal.close()
    frames = 4096 + 24
    assert len(honest[1]) > 20 * frames
    chance = random.Random(5)

    def audit_with(content: bytes) -> str | None:
        path.write_bytes(honest[0])
        log.write_bytes(content)
        (tmp_path / "journal.sqlite-shm").unlink(missing_ok=True)
        report = audit_journal(path)
        assert report.problem is not None or report.head == head or len(content) < len(honest[1])
        return report.problem

    assert audit_with(honest[1]) is None
    assert audit_with(honest[1][:-100]) is None, "a killed writer may leave a torn end"
    for offset in [*range(32), *(chance.randrange(len(honest[1]) - frames) for _ in range(80))]:
        bad = bytearray(honest[1])
        bad[offset] ^= 1 << chance.randrange(8)
        problem = audit_with(bytes(bad))
        assert problem is not None, offset
        assert "event " in problem


def test_a_finished_run_takes_no_more_events(copy):
    before = copy.read_bytes()
    with pytest.raises(JournalError, match="finished and sealed"):
        Journal(copy)
    assert copy.read_bytes() == before
    assert audit_journal(copy).problem is None


@pytest.mark.parametrize("name", ["journal.sqlite", "journal.lock"])
def test_a_text_file_in_its_place_is_one_clear_error(tmp_path, name):
    (tmp_path / name).write_text("this is no database, but long enough to be taken for one\n" * 50)
    with pytest.raises(JournalError, match=name):
        Journal(tmp_path / "journal.sqlite")


def test_a_folder_in_its_place_is_one_clear_error(tmp_path):
    (tmp_path / "journal.sqlite").mkdir()
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        Journal(tmp_path / "journal.sqlite")


def test_a_reader_in_the_way_of_the_seal_is_told_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("trading.storage.journal.writer._PATIENCE_S", 0.1)
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.append(note("kept"))
    journal.commit()
    journal._db.execute("PRAGMA busy_timeout=50")
    reader = sqlite3.connect(path)
    rows = reader.execute("SELECT * FROM events UNION ALL SELECT * FROM events")
    rows.fetchone()
    with pytest.raises(JournalError, match="cannot be sealed"):
        journal.seal()
    rows.close()
    reader.close()
    journal.seal()
    journal.close()
    assert audit_journal(path).problem is None
    assert seal_path(path).exists()


# -- reading and checking ----------------------------------------------------------------------------------------------


def test_reading_a_finished_run_changes_no_byte_and_leaves_no_file(copy):
    before = copy.read_bytes()
    report = audit_journal(copy)
    assert report.problem is None
    assert report.events == sum(1 for _ in read_events(copy)) == verify_chain(copy).events
    assert report.marks == 2 * (59 + 1)
    assert copy.read_bytes() == before
    assert sorted(file.name for file in copy.parent.iterdir()) == ["journal.seal", "journal.sqlite"]


def test_reading_a_run_that_is_being_written_changes_no_byte(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.append(note("a"))
    journal.commit()
    before = [(tmp_path / name).read_bytes() for name in ("journal.sqlite", "journal.sqlite-wal")]
    assert texts(path) == ["a"]
    assert [(tmp_path / name).read_bytes() for name in ("journal.sqlite", "journal.sqlite-wal")] == before
    journal.close()


def test_events_can_be_read_from_where_one_stopped(copy):
    last = verify_chain(copy).events
    assert [stored.seq for stored in read_events(copy, after=last - 3)] == [last - 2, last - 1, last]


def test_any_flipped_byte_is_noticed(finished, tmp_path):
    good = finished.read_bytes()
    path = tmp_path / finished.name
    shutil.copy(seal_path(finished), seal_path(path))
    chance = random.Random(3)
    for offset in [*range(0, 110, 3), *(chance.randrange(len(good)) for _ in range(260))]:
        bad = bytearray(good)
        bad[offset] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        report = audit_journal(path)
        assert report.problem is not None, offset
        assert "event " in report.problem, (offset, report.problem)
        assert "\n" not in report.problem


def test_a_flipped_byte_of_an_event_names_that_event(finished, tmp_path):
    good = finished.read_bytes()
    path = tmp_path / finished.name
    shutil.copy(seal_path(finished), seal_path(path))
    chance = random.Random(4)
    flipped = 0
    for stored in chance.sample(list(read_events(finished)), 60):
        ends = stored.prev_hash + stored.hash
        # A long payload runs over into other pages and cannot be found whole.
        needle = next(text for text in (stored.payload_json + ends, ends, "") if text.encode() in good)
        if not needle:
            continue
        bad = bytearray(good)
        bad[good.find(needle.encode()) + chance.randrange(len(needle))] ^= 1
        path.write_bytes(bad)
        problem = audit_journal(path).problem
        assert problem is not None
        assert f"event {stored.seq} " in problem
        flipped += 1
    assert flipped > 40


def flipped_in_seal(path: Path) -> None:
    seal = bytearray(seal_path(path).read_bytes())
    seal[len(seal) // 2] ^= 1
    seal_path(path).write_bytes(seal)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -4096 * 3])


def cut_within_a_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced_by_text(path: Path) -> None:
    path.write_text("nothing to see here\n" * 1000)


def removed(path: Path) -> None:
    path.unlink()


def without_table(path: Path) -> None:
    edit(path, ("DROP TABLE events", ()))


def middle_deleted(path: Path) -> None:
    edit(path, ("DELETE FROM events WHERE seq = 40", ()))


def first_deleted(path: Path) -> None:
    edit(path, ("DELETE FROM events WHERE seq = 1", ()))


def last_deleted(path: Path) -> None:
    edit(path, ("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)", ()))


def all_deleted(path: Path) -> None:
    edit(path, ("DELETE FROM events", ()))


def swapped(path: Path) -> None:
    edit(
        path,
        ("UPDATE events SET seq = -1 WHERE seq = 30", ()),
        ("UPDATE events SET seq = 30 WHERE seq = 31", ()),
        ("UPDATE events SET seq = 31 WHERE seq = -1", ()),
    )


def forged_at_the_end(path: Path) -> None:
    *_, last = read_events(path)
    payload = canonical_json({"desk": "a", "amount": "1000000"})
    digest = event_hash(last.hash, last.seq + 1, last.ts_ms, "deposited", "", payload)
    row = (last.seq + 1, last.ts_ms, "deposited", "", payload, last.hash, digest)
    edit(path, ("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row))


def forged_in_the_middle(path: Path) -> None:
    filled = next(stored for stored in read_events(path) if stored.kind == "filled" and stored.seq > 30)
    payload = canonical_json(dict(filled.event().payload) | {"fee": "0"})
    digest = event_hash(filled.prev_hash, filled.seq, filled.ts_ms, filled.kind, filled.decision_id, payload)
    edit(path, ("UPDATE events SET payload_json = ?, hash = ? WHERE seq = ?", (payload, digest, filled.seq)))


def payload_edited(path: Path) -> None:
    edit(path, ("UPDATE events SET payload_json = replace(payload_json, 'buy', 'sell') WHERE kind = 'filled'", ()))


def time_edited(path: Path) -> None:
    edit(path, ("UPDATE events SET ts = ts + 1 WHERE seq = 50", ()))


@pytest.mark.parametrize(
    "damage",
    [
        flipped_in_seal,
        cut_short,
        cut_within_a_page,
        grown,
        emptied,
        replaced_by_text,
        removed,
        without_table,
        middle_deleted,
        first_deleted,
        last_deleted,
        all_deleted,
        swapped,
        forged_at_the_end,
        forged_in_the_middle,
        payload_edited,
        time_edited,
    ],
    ids=lambda damage: damage.__name__,
)
def test_damage_is_reported_in_one_line(copy, damage: Callable[[Path], None]):
    damage(copy)
    report = audit_journal(copy)
    assert report.problem
    assert "\n" not in report.problem
    assert verify_chain(copy).problem
    assert report.events <= 10**5


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (middle_deleted, "event 40 is missing"),
        (first_deleted, "event 1 is missing"),
        (swapped, "event 30 "),
        (time_edited, "event 50 "),
        (all_deleted, "event 1 is missing"),
    ],
)
def test_damage_names_the_first_event_that_does_not_fit(copy, damage, named):
    damage(copy)
    assert named in audit_journal(copy).problem


def rechained(path: Path, change: Callable[[str, dict], dict]) -> None:
    """Somebody who rewrites payloads and the whole chain after them, and has no seal to fear."""
    seal_path(path).unlink()
    head, rows = GENESIS, []
    for stored in list(read_events(path)):
        payload = canonical_json(change(stored.kind, dict(stored.event().payload)))
        digest = event_hash(head, stored.seq, stored.ts_ms, stored.kind, stored.decision_id, payload)
        update = "UPDATE events SET payload_json = ?, prev_hash = ?, hash = ? WHERE seq = ?"
        rows.append((update, (payload, head, digest, stored.seq)))
        head = digest
    edit(path, *rows)
    assert verify_chain(path).problem is None, "the chain alone is whole again"


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("filled", "fee", "0"),
        ("filled", "quantity", "1"),
        ("filled", "price", "1"),
        ("filled", "desk", "nobody"),
        ("filled", "side", "sideways"),
        ("filled", "price", "rubbish"),
        ("funded", "paid", "0"),
        ("deposited", "amount", "20000"),
        ("round_opened", "prices", "none"),
        ("marked", "desks", []),
    ],
)
def test_a_rewritten_chain_still_has_to_agree_with_its_marks(copy, kind, name, value):
    rechained(copy, lambda found, payload: payload | {name: value} if found == kind else payload)
    problem = audit_journal(copy).problem
    assert problem is not None
    assert "event " in problem
    assert "\n" not in problem


def test_a_rewritten_chain_without_a_change_is_whole(copy):
    rechained(copy, lambda kind, payload: payload)
    assert audit_journal(copy).problem is None


def test_whoever_reads_does_not_keep_a_run_from_being_sealed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    for _ in range(200):
        journal.append(Event(ts_ms=0, kind=EventKind.DECIDED, payload={"desk": "a"}))
    journal.commit()
    stop, counts, failures = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            try:
                counts.add(sum(1 for _ in read_events(path)))
            except JournalError as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    journal.seal()
    stop.set()
    for reader in readers:
        reader.join()
    journal.close()
    assert failures == []
    assert counts == {200}
    assert verify_chain(path).problem is None
    assert [one.seq for one in read_events(path, after=190, kinds=("decided",))] == list(range(191, 201))
    assert list(read_events(path, kinds=("filled",))) == []
    assert last_seq(path) == 200
