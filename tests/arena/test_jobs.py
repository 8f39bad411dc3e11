"""Jobs beside the app: they tell how far they are, end when told, and never take the app down."""

import threading

import pytest

from arena.beside import Beside
from arena.jobs import MOST_AT_ONCE, Jobs, JobStatus, Ticket
from trading.domain.errors import DataError, RequestError

PATIENCE_S = 30.0


def test_a_job_reports_and_ends() -> None:
    jobs = Jobs()
    before = jobs.version

    def work(ticket: Ticket) -> str:
        ticket.report(3, 7, "attempts")
        return "7 attempts were made"

    assert jobs.start("k", "Counting", work).is_running
    job = jobs.wait("k", PATIENCE_S)
    assert job is not None
    assert (job.status, job.done, job.total, job.said) == (JobStatus.DONE, 3, 7, "7 attempts were made")
    assert job.ended_ms is not None
    assert job.ended_ms >= job.started_ms
    assert jobs.version > before
    assert [each.key for each in jobs.all()] == ["k"]


def test_one_job_a_key_and_not_too_many_at_once() -> None:
    jobs, going = Jobs(), threading.Event()

    def work(_ticket: Ticket) -> str:
        going.wait(PATIENCE_S)
        return ""

    for number in range(MOST_AT_ONCE):
        jobs.start(f"k{number}", "Waiting", work)
    with pytest.raises(RequestError, match="already"):
        jobs.start("k0", "Waiting", work)
    with pytest.raises(RequestError, match="jobs are being done"):
        jobs.start("more", "Waiting", work)
    going.set()
    for number in range(MOST_AT_ONCE):
        jobs.wait(f"k{number}", PATIENCE_S)
    jobs.start("more", "Waiting", work)
    jobs.stop(PATIENCE_S)


def test_a_job_that_is_cancelled_wakes_and_ends() -> None:
    jobs, begun, woken = Jobs(), threading.Event(), threading.Event()

    def work(ticket: Ticket) -> str:
        ticket.on_cancel(woken.set)
        begun.set()
        woken.wait(PATIENCE_S)
        ticket.check()
        return "never said"

    with pytest.raises(RequestError, match="nothing to cancel"):
        jobs.cancel("k")
    jobs.start("k", "Waiting", work)
    assert begun.wait(PATIENCE_S)
    jobs.cancel("k")
    job = jobs.wait("k", PATIENCE_S)
    assert job is not None
    assert (job.status, job.said) == (JobStatus.CANCELLED, "cancelled; what was done is kept")
    with pytest.raises(RequestError):
        jobs.cancel("k")


@pytest.mark.parametrize(
    ("error", "said"),
    [(DataError("the file is gone"), "the file is gone"), (ZeroDivisionError("secret"), "an error of ours")],
)
def test_what_fails_is_told_in_a_line(error: Exception, said: str) -> None:
    jobs = Jobs()

    def work(_ticket: Ticket) -> str:
        raise error

    jobs.start("k", "Failing", work)
    job = jobs.wait("k", PATIENCE_S)
    assert job is not None
    assert job.status is JobStatus.FAILED
    assert said in job.said
    assert "secret" not in job.said


def test_a_value_is_made_once_for_each_edition_and_keeps_the_last_good_one() -> None:
    jobs = Jobs()
    board: Beside[int] = Beside("numbers", jobs)
    made: list[int] = []

    def make(value: int) -> int:
        made.append(value)
        if value == 2:
            raise DataError("two is no number")
        return value

    assert board.ask("k", lambda _t: make(1), edition=1).value is None
    jobs.wait("numbers:k", PATIENCE_S)
    for _ in range(3):
        assert board.ask("k", lambda _t: make(1), edition=1).value == 1
    assert made == [1]
    board.ask("k", lambda _t: make(2), edition=2)
    jobs.wait("numbers:k", PATIENCE_S)
    stale = board.ask("k", lambda _t: make(2), edition=2)
    assert (stale.value, stale.trouble) == (1, "two is no number")
    assert made == [1, 2], "what failed is not tried again and again"
    board.ask("k", lambda _t: make(3), edition=3)
    jobs.wait("numbers:k", PATIENCE_S)
    fresh = board.ask("k", lambda _t: make(3), edition=3)
    assert (fresh.value, fresh.trouble) == (3, "")
