"""Limits over a real Redis: another home folder, as on another machine, sees a change within a second."""

import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.trading.markets import HOUSE
from trading.domain.errors import ConfigError
from trading.risk import LimitBoard
from trading.risk.limit_bus import CHANNEL, shared_limits

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server here")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory) -> Iterator[str]:
    from redis import Redis, RedisError

    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with Redis.from_url(url) as client:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except RedisError:
                    time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def until(board: LimitBoard, value: int) -> bool:
    started = time.monotonic()
    while time.monotonic() - started < 1:
        if board.effective(HOUSE).max_leverage == value:
            return True
        time.sleep(0.01)
    return False


def test_a_change_is_seen_elsewhere_within_a_second_and_survives_there(redis_url, tmp_path):
    here, there = LimitBoard(tmp_path / "here", HOUSE), LimitBoard(tmp_path / "there", HOUSE)
    with shared_limits(here, redis_url), shared_limits(there, redis_url):
        here.set("max_leverage", "2", who="ada", reason="x")
        assert until(there, 2)
    assert LimitBoard(tmp_path / "there", HOUSE).effective(HOUSE).max_leverage == 2
    late = LimitBoard(tmp_path / "late", HOUSE)
    with shared_limits(late, redis_url):
        assert late.effective(HOUSE).max_leverage == 2, "who comes late is told what was changed before"
    assert [change.who for change in late.changes()] == ["ada"]


def test_rubbish_on_the_channel_is_not_taken(redis_url, tmp_path, caplog):
    from redis import Redis

    board = LimitBoard(tmp_path, HOUSE)
    with shared_limits(board, redis_url), Redis.from_url(redis_url) as client, caplog.at_level(logging.WARNING):
        before = board.effective(HOUSE)
        for text in ("", "[]", "{}", '{"kind": "loosen"}', "\x00", '"NaN"'):
            client.publish(CHANNEL, text)
        started = time.monotonic()
        while len(caplog.records) < 6 and time.monotonic() - started < 5:
            time.sleep(0.02)
    assert len(caplog.records) == 6
    assert board.effective(HOUSE) == before


def test_without_redis_the_reason_is_one_line(tmp_path):
    with (
        pytest.raises(ConfigError, match="Redis does not answer"),
        shared_limits(LimitBoard(tmp_path, HOUSE), f"redis://127.0.0.1:{free_port()}/0"),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="TRADEFLOOR_REDIS_URL"),
        shared_limits(LimitBoard(tmp_path, HOUSE), "no url at all"),
    ):
        pass


def test_without_a_url_the_board_is_alone(tmp_path):
    board = LimitBoard(tmp_path, HOUSE)
    with shared_limits(board, None) as same:
        assert same is board
