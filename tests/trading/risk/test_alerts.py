"""Alerts: two channels, five seconds, nobody answering, channels that fail, files that are damaged."""

import json
import time

import pytest

from trading.domain import Event, EventKind
from trading.domain.errors import ConfigError, RequestError
from trading.risk import KillSwitch
from trading.risk.alerts import AlertDesk, AlertWatch, AppriseChannel, FileChannel, LogChannel
from trading.risk.key_rights import KeyRights, refuse_dangerous_key


class Hand:
    """A clock that is set by hand."""

    at = 1_000_000

    def now_ms(self) -> int:
        return self.at


class Broken:
    """A channel that is down."""

    name = "broken"

    def send(self, alert) -> None:
        raise OSError("no line")


def tripped(state: str = "halted", rule: str = "arena_drawdown") -> Event:
    payload = {"scope": "arena", "rule": rule, "state": state, "value": "0.16", "limit": "0.15"}
    return Event(ts_ms=7, kind=EventKind.BREAKER_TRIPPED, payload=payload)


def opened() -> Event:
    return Event(ts_ms=8, kind=EventKind.ROUND_OPENED, payload={"round": 0})


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def desk(tmp_path, clock) -> AlertDesk:
    return AlertDesk(tmp_path, (LogChannel(), FileChannel(tmp_path)), clock, patience_ms=60_000)


def test_a_breach_reaches_two_channels_within_five_seconds(tmp_path, caplog):
    desk = AlertDesk(tmp_path, (LogChannel(), FileChannel(tmp_path)))
    begun = time.monotonic()
    AlertWatch("r-1", desk).apply(tripped())
    assert time.monotonic() - begun < 5
    (line,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert "arena_drawdown at 0.16 of 0.15" in json.loads(line)["text"]
    assert "arena_drawdown at 0.16 of 0.15" in caplog.text


def test_one_channel_is_not_enough(tmp_path):
    with pytest.raises(ConfigError, match="two channels"):
        AlertDesk(tmp_path, (LogChannel(),))


def test_a_channel_that_fails_does_not_silence_the_other(tmp_path, caplog):
    desk = AlertDesk(tmp_path, (Broken(), FileChannel(tmp_path)))
    assert desk.raise_alert("fire", critical=True) == {"broken": False, "file": True}
    assert "channel broken" in caplog.text
    assert len(desk.waiting()) == 1


def test_nobody_answering_a_critical_alert_halts_everything(desk, clock, tmp_path):
    desk.raise_alert("fire", critical=True)
    clock.at += 59_999
    assert desk.escalate() is None
    assert KillSwitch(tmp_path).state() is None
    clock.at += 1
    assert desk.escalate().text == "fire"
    assert "nobody answered for 60 s: fire" in KillSwitch(tmp_path).state().reason


def test_a_round_looks_for_what_nobody_answered(desk, clock, tmp_path):
    watch = AlertWatch("r-1", desk)
    watch.apply(tripped())
    watch.apply(opened())
    assert KillSwitch(tmp_path).state() is None
    clock.at += 60_000
    watch.apply(opened())
    assert KillSwitch(tmp_path).state() is not None


def test_an_answered_alert_and_a_note_halt_nothing(desk, clock, tmp_path):
    desk.raise_alert("fire", critical=True)
    desk.raise_alert("smoke", critical=False)
    fire = next(alert for alert in desk.waiting() if alert.is_critical)
    desk.acknowledge(fire.alert_id, who="ada")
    clock.at += 10**9
    assert desk.escalate() is None
    assert [alert.text for alert in desk.waiting()] == ["smoke"]


def test_what_waits_already_is_not_sent_again(desk, tmp_path):
    watch = AlertWatch("r-1", desk)
    watch.apply(tripped())
    watch.apply(tripped())
    assert len(desk.waiting()) == 1
    assert len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(("alert", "who"), [("a-none", "ada"), ("", "ada"), ("../halts", "ada")])
def test_an_alert_that_does_not_wait_cannot_be_answered(desk, alert, who):
    with pytest.raises(RequestError, match="not waiting"):
        desk.acknowledge(alert, who=who)


def test_nobody_cannot_answer(desk):
    desk.raise_alert("fire", critical=True)
    with pytest.raises(RequestError, match="nobody named"):
        desk.acknowledge(desk.waiting()[0].alert_id, who=" ")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"alert_id": 1}', "null"])
def test_a_damaged_alert_is_taken_for_the_worst(desk, tmp_path, content):
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "a-x.json").write_text(content)
    assert desk.escalate() is not None
    assert KillSwitch(tmp_path).state() is not None


def test_apprise_takes_a_url_it_knows_and_no_other(tmp_path):
    with pytest.raises(ConfigError, match="none that Apprise knows"):
        AppriseChannel("nothing://at all?secret=tok")
    assert AppriseChannel("json://127.0.0.1:9/").name == "apprise"


@pytest.mark.parametrize(
    ("rights", "message"),
    [
        (KeyRights(trade=True, withdraw=True), "can withdraw"),
        (KeyRights(trade=True, withdraw=None), "does not say"),
        (KeyRights(trade=True, withdraw=False, transfer=True), "move money"),
        (KeyRights(trade=False, withdraw=False), "cannot trade"),
    ],
)
def test_a_key_that_can_do_harm_is_refused(rights, message):
    with pytest.raises(ConfigError, match=message):
        refuse_dangerous_key("kraken", rights)


def test_a_key_that_can_only_trade_is_taken():
    refuse_dangerous_key("kraken", KeyRights(trade=True, withdraw=False))
    refuse_dangerous_key("kraken", KeyRights(trade=None, withdraw=False, transfer=False))
