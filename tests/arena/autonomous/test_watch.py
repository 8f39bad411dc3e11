"""The watch over a run: watchdog, heartbeat, alerts by webhook, log files, and what the service manager is told."""

import http.server
import json
import logging
import socket
import threading
import time

import pytest
from pydantic import SecretStr

from arena.autonomous.heartbeat import FILE, read_heartbeat
from arena.autonomous.logfile import logging_to
from arena.autonomous.notices import open_alerts
from arena.autonomous.service_manager import tell_service_manager
from arena.autonomous.supervisor import Supervisor
from arena.autonomous.watchdog import Patience, Watchdog
from trading.domain.errors import ConfigError, RequestError
from trading.risk import KillSwitch


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


STALE = {"BTC-USDT": "stale", "ETH-USDT": "stale"}


def watched():
    seconds, halts = Seconds(), []
    patience = Patience(loop_s=30, desks_s=100, feed_s=60)
    return Watchdog(halts.append, patience, monotonic=seconds), seconds, halts


def test_each_part_that_goes_quiet_halts_once():
    dog, seconds, halts = watched()
    for seconds.now in range(0, 30, 5):
        dog.looked({}, 2)
        dog.look()
    assert (halts, dog.is_live) == ([], True)
    seconds.now = 56.0
    dog.look()
    dog.look()
    assert not dog.is_live
    assert halts == ["watchdog: the loop has not moved for 31 s"]
    dog.deciding()
    seconds.now += 99
    dog.look()
    assert dog.is_live
    seconds.now += 2
    dog.look()
    assert halts[1:] == ["watchdog: the desks have not answered for 101 s"]
    dog.decided()
    assert dog.is_live


def test_a_deaf_feed_halts_and_one_deaf_instrument_does_not():
    dog, seconds, halts = watched()
    for seconds.now in range(0, 200, 10):
        dog.looked({"BTC-USDT": "stale"}, 2)
        dog.look()
    assert halts == []
    for seconds.now in range(200, 271, 10):
        dog.looked(STALE, 2)
        dog.look()
    assert halts == ["watchdog: nothing was heard of any instrument for 70 s"]


def test_books_that_do_not_agree_halt_at_once():
    dog, _, halts = watched()
    dog.failed("the books do not agree")
    dog.look()
    assert halts == ["watchdog: the books do not agree"]


def test_a_hung_loop_is_halted_from_the_thread_with_heartbeat_and_alert(tmp_path):
    alerts = open_alerts(tmp_path, None)
    run = tmp_path / "run"
    run.mkdir()
    supervisor = Supervisor(
        home=tmp_path,
        folder=run,
        run_id="r-1",
        alerts=alerts,
        rounds=10,
        instruments=2,
        patience=Patience(loop_s=0.2, look_s=0.05),
    )
    with supervisor.watching():
        supervisor.on_look(1, {"BTC-USDT": "stale since noon"})
        time.sleep(0.6)  # the loop hangs: this thread is it
        halt = KillSwitch(tmp_path).state("r-1")
        beat = read_heartbeat(run)
    assert "the loop has not moved" in halt.reason
    assert KillSwitch(tmp_path).state() is None
    assert (beat.status, beat.looked_ms, beat.stale) == ("halted", 1, {"BTC-USDT": "stale since noon"})
    assert read_heartbeat(run).status == "stopped"
    assert [alert.is_critical for alert in alerts.waiting()] == [True]


@pytest.mark.parametrize("rubbish", [b"", b"[]", b'{"run_id": 1}', b"\xff\x00", b'{"unknown": 1}'])
def test_a_heartbeat_that_is_none_is_said(tmp_path, rubbish):
    assert read_heartbeat(tmp_path) is None
    (tmp_path / FILE).write_bytes(rubbish)
    with pytest.raises(RequestError, match="not a heartbeat"):
        read_heartbeat(tmp_path)


def test_alerts_reach_a_webhook_through_apprise(tmp_path):
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        alerts = open_alerts(tmp_path, SecretStr(f"json://127.0.0.1:{server.server_port}/"))
        began = time.monotonic()
        took = alerts.raise_alert("equity fell", critical=True)
        assert time.monotonic() - began < 5
        assert took == {"log": True, "file": True, "apprise": True}
        assert alerts._channels[-1].flush()
    finally:
        server.shutdown()
        server.server_close()
    assert [row["message"] for row in got] == ["equity fell"]


def test_an_address_that_is_none_is_refused_without_being_shown(tmp_path):
    with pytest.raises(ConfigError) as told:
        open_alerts(tmp_path, SecretStr("nonsense://topsecret"))
    assert "topsecret" not in str(told.value)


def test_logs_turn_over_and_never_grow_beyond_their_share(tmp_path):
    log = logging.getLogger("tradefloor.test")
    with logging_to(tmp_path, max_bytes=2_000, files=5) as path:
        for number in range(500):
            log.info("line %d of a long night", number)
    files = sorted(path.parent.iterdir())
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) <= 10_000
    assert "line 499" in path.read_text("utf-8")
    size = path.stat().st_size
    log.warning("after the end")
    assert path.stat().st_size == size


def test_the_service_manager_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell_service_manager("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        assert tell_service_manager("WATCHDOG=1")
        assert heard.recv(100) == b"WATCHDOG=1"
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not tell_service_manager("WATCHDOG=1")
