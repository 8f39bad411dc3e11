"""Live limits: tightening at once, loosening slowly, overrides by two, models never loosening, others seeing."""

import multiprocessing
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import HOUSE
from trading.domain.errors import ConfigError, RequestError
from trading.risk import Actor, LimitBoard
from trading.risk.limit_values import looser, tighter

D = Decimal


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000

    def now_ms(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def board(tmp_path, clock) -> LimitBoard:
    return LimitBoard(tmp_path, HOUSE, clock)


def put(board: LimitBoard, value: str, name: str = "max_leverage", **more):
    return board.set(name, value, who="ada", reason="a test", **more)


def now(board: LimitBoard) -> Decimal:
    return board.effective(HOUSE).max_leverage


def test_without_a_change_the_declared_limits_stand(board, tmp_path):
    assert board.effective(HOUSE) is HOUSE
    assert not (tmp_path / "limits.sqlite").exists(), "reading leaves nothing behind"


def test_tightening_counts_at_once_and_says_who_from_what_to_what(board, clock):
    change = put(board, "2")
    assert now(board) == 2
    assert (change.old, change.value, change.who, change.reason, change.at_ms) == ("3", "2", "ada", "a test", clock.at)


def test_a_season_that_is_tighter_stays_so(board):
    put(board, "2")
    assert board.effective(HOUSE.model_copy(update={"max_leverage": D(1)})).max_leverage == 1


def test_loosening_needs_a_word_and_a_cool_down(board, clock):
    put(board, "1")
    with pytest.raises(RequestError, match="--confirm"):
        put(board, "2")
    put(board, "2", confirm=True)
    assert now(board) == 1
    clock.at += 299_999
    assert now(board) == 1
    clock.at += 1
    assert now(board) == 2


def test_a_tightening_takes_a_loosening_back_that_waits(board, clock):
    put(board, "1")
    put(board, "2", confirm=True)
    put(board, "0.5")
    clock.at += 10**6
    assert now(board) == D("0.5")


@pytest.mark.parametrize("confirm", [True, False])
def test_a_model_can_tighten_and_never_loosen(board, confirm):
    put(board, "1", actor=Actor.MODEL)
    with pytest.raises(RequestError, match="never loosen"):
        put(board, "2", actor=Actor.MODEL, confirm=confirm)
    assert now(board) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.decimals("0.1", 3, places=1), st.booleans()), min_size=1, max_size=6))
def test_whatever_a_model_asks_the_limit_never_rises(asked):
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        board = LimitBoard(Path(home), HOUSE, Hand())
        before = now(board)
        for value, confirm in asked:
            try:
                put(board, str(value), actor=Actor.MODEL, confirm=confirm)
            except RequestError:
                assert value > before
            assert now(board) <= before
            before = now(board)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_leverge", "1", "no such limit; the limits are"),
        ("max_leverage", "3.01", "looser than the house limit 3"),
        ("max_leverage", "0", "greater than 0"),
        ("max_leverage", "-1", "greater than 0"),
        ("max_leverage", "NaN", "max_leverage"),
        ("max_leverage", "inf", "max_leverage"),
        ("max_leverage", "much", "max_leverage"),
        ("max_leverage", "", "max_leverage"),
        ("max_orders_per_round", "1.5", "whole number"),
        ("max_orders_per_round", "-1", "whole number"),
        ("max_orders_per_round", "9" * 40, "whole number"),
        ("max_orders_per_round", "\N{FULLWIDTH DIGIT ONE}", "whole number"),
        ("price_collar", "2", "price_collar"),
    ],
)
def test_rubbish_is_refused_in_one_line_and_changes_nothing(board, name, value, message):
    with pytest.raises(RequestError, match=message) as refused:
        put(board, value, name)
    assert "\n" not in str(refused.value)
    assert board.effective(HOUSE) == HOUSE
    assert board.changes() == []


@pytest.mark.parametrize(("who", "reason"), [("", "x"), ("  ", "x"), ("ada", "\n")])
def test_nobody_changes_nothing_for_no_reason(board, who, reason):
    with pytest.raises(RequestError, match="is needed"):
        board.set("max_leverage", "1", who=who, reason=reason)


def test_an_override_needs_a_second_person_and_expires(board, clock):
    asked = board.ask_override("max_leverage", "4", who="ada", reason="a hedge", for_ms=60_000)
    assert now(board) == 3
    with pytest.raises(RequestError, match="second person"):
        board.approve(asked.origin, who="Ada")
    board.approve(asked.origin, who="grace")
    assert now(board) == 4
    assert board.why("max_leverage").approver == "grace"
    with pytest.raises(RequestError, match="waits for approval"):
        board.approve(asked.origin, who="linus")
    clock.at += 60_000
    assert now(board) == 3
    assert len(board.changes()) == 1, "it stays on the record"


@pytest.mark.parametrize(("value", "for_ms"), [("6.01", 1000), ("4", 0), ("4", 4 * 3_600_000 + 1)])
def test_an_override_has_bounds_of_its_own(board, value, for_ms):
    with pytest.raises(RequestError, match="override"):
        board.ask_override("max_leverage", value, who="ada", reason="x", for_ms=for_ms)


def test_an_unknown_override_cannot_be_approved(board):
    with pytest.raises(RequestError, match="waits for approval"):
        board.approve("nothing", who="ada")


def test_instruments_can_be_taken_away_and_given_back_slowly(board, clock):
    put(board, "BTC-USDT,ETH-USDT", "allowed_instruments")
    assert board.effective(HOUSE).allowed_instruments == ("BTC-USDT", "ETH-USDT")
    other = HOUSE.model_copy(update={"allowed_instruments": ("SOL-USDT",)})
    assert "SOL-USDT" not in board.effective(other).allowed_instruments
    assert board.effective(other).allowed_instruments, "an empty list would admit everything"
    with pytest.raises(RequestError, match="--confirm"):
        put(board, "", "allowed_instruments")


@given(st.integers(0, 9), st.integers(0, 9))
def test_the_tighter_of_two_is_never_looser_than_either(base, live):
    found = tighter(base, live)
    assert not looser(found, base)
    assert not looser(found, live)


@pytest.mark.parametrize("content", [b"", b"rubbish that is no database", b"SQLite format 3\x00" + b"\xff" * 200])
def test_a_damaged_record_stops_instead_of_loosening(tmp_path, content):
    (tmp_path / "limits.sqlite").write_bytes(content)
    board = LimitBoard(tmp_path, HOUSE)
    if content:
        with pytest.raises(ConfigError, match="cannot be read"):
            board.effective(HOUSE)
    else:
        assert board.effective(HOUSE) == HOUSE


def test_the_bus_of_the_process_tells_of_every_change(board):
    heard = []
    board.subscribe(heard.append)
    change = put(board, "1")
    assert heard == [change]


def _tighten(home: Path, number: int) -> None:
    LimitBoard(home, HOUSE).set("max_open_orders", str(39 - number), who=f"p{number}", reason="race", confirm=True)


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_tighten, args=(tmp_path, number)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [writer.exitcode for writer in writers] == [0] * 6
    changes = LimitBoard(tmp_path, HOUSE).changes()
    assert sorted(change.value for change in changes) == [str(39 - number) for number in range(5, -1, -1)]


CHANGE = """
import sys
from pathlib import Path
from trading.risk import LimitBoard, Limits
LimitBoard(Path(sys.argv[1]), Limits.load(Path("config/limits.toml"))).set("max_leverage", "1", who="ada", reason="x")
"""


def test_another_process_on_the_same_home_is_seen_within_a_second(tmp_path):
    board = LimitBoard(tmp_path, HOUSE)
    assert now(board) == 3
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", CHANGE, str(tmp_path)], cwd=root, check=True, timeout=60)
    ended = time.monotonic()
    while now(board) != 1:
        assert time.monotonic() - ended < 1, "a change must be seen within a second"
