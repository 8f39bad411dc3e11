"""Telling people: an alert goes out on every channel at once, and one that nobody answers halts everything.

Knight Capital's 97 warnings of 1 August 2012 went unread (SEC release 34-70694): a warning that nobody acknowledges is
treated as a reason to stop.
"""

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.domain.event import Event, EventKind
from trading.risk.kill_switch import KillSwitch
from trading.risk.surveillance import Surveillance

PATIENCE_MS = 300_000
"""How long a critical alert may wait for somebody before everything halts."""

_LOG = logging.getLogger("tradefloor.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person must know. ``raised_ms`` is wall clock; ``is_critical`` ones escalate when unanswered."""

    alert_id: str
    text: str
    raised_ms: int
    is_critical: bool


class Channel(Protocol):
    """A way to reach somebody."""

    name: str

    def send(self, alert: Alert) -> None:
        """Deliver, or raise."""
        ...


class LogChannel:
    """The log of the process."""

    name = "log"

    def send(self, alert: Alert) -> None:
        """Write a line."""
        _LOG.log(logging.CRITICAL if alert.is_critical else logging.WARNING, "%s: %s", alert.alert_id, alert.text)


class FileChannel:
    """One line of JSON an alert in ``<home>/alerts.jsonl``, for whatever watches files."""

    name = "file"

    def __init__(self, home: Path) -> None:
        self._path = home / "alerts.jsonl"

    def send(self, alert: Alert) -> None:
        """Append, and wait until it is on the disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(alert), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


class AppriseChannel:
    """Mail, chat or phone by an Apprise URL, which may hold a secret and is never shown."""

    name = "apprise"

    def __init__(self, url: str) -> None:
        with warnings.catch_warnings():
            # Its plugins still import modules that newer Pythons deprecate.
            warnings.simplefilter("ignore", DeprecationWarning)
            from apprise import Apprise

            self._apprise = Apprise()
            added = self._apprise.add(url)
        if not added:
            raise ConfigError("the alert URL is none that Apprise knows; see its list of services")

    def send(self, alert: Alert) -> None:
        """Notify; OSError when the service did not take it."""
        if not self._apprise.notify(title="Tradefloor", body=alert.text):
            raise OSError("the service did not take the alert")


class AlertDesk:
    """Raises alerts on at least two channels and remembers, under ``<home>/alerts``, which nobody has acknowledged.

    A channel that fails is passed over and named in the log; the others still deliver.
    """

    def __init__(
        self, home: Path, channels: Sequence[Channel], clock: Clock | None = None, *, patience_ms: int = PATIENCE_MS
    ) -> None:
        if len(channels) < 2:
            raise ConfigError(f"alerts need two channels, found {len(channels)}: one may fail when it matters")
        self._folder = home / "alerts"
        self._switch = KillSwitch(home, clock)
        self._channels = tuple(channels)
        self._clock = clock or SystemClock()
        self._patience_ms = patience_ms

    def raise_alert(self, text: str, *, critical: bool, key: str = "") -> dict[str, bool]:
        """Send an alert on every channel: whether each took it. What waits already under its ``key`` is not sent."""
        alert_id = "a-" + hashlib.sha256((key or f"{text} {self._clock.now_ms()}").encode()).hexdigest()[:12]
        file = self._folder / f"{alert_id}.json"
        if file.exists():
            return {}
        told = " ".join(text.split())[:500]
        alert = Alert(alert_id=alert_id, text=told, raised_ms=self._clock.now_ms(), is_critical=critical)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(asdict(alert)), encoding="utf-8")
        partial.replace(file)
        return {channel.name: self._send(channel, alert) for channel in self._channels}

    def waiting(self) -> list[Alert]:
        """Alerts that nobody has acknowledged, oldest first."""
        files = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        return sorted((self._read(file) for file in files), key=lambda alert: alert.raised_ms)

    def acknowledge(self, alert_id: str, *, who: str) -> Alert:
        """Take an alert off the list. Raises RequestError when it is not on it, or nobody says who they are."""
        who = " ".join(who.split())[:200]
        found = next((alert for alert in self.waiting() if alert.alert_id == alert_id), None)
        if found is None or not who:
            raise RequestError(f"alert {alert_id!r}: not waiting, or nobody named; see `tradefloor alerts list`")
        (self._folder / f"{alert_id}.json").unlink(missing_ok=True)
        _LOG.warning("%s was acknowledged by %s", alert_id, who)
        return found

    def escalate(self) -> Alert | None:
        """Halt everything when a critical alert has waited too long; the alert that did it."""
        now_ms = self._clock.now_ms()
        for alert in self.waiting():
            if alert.is_critical and now_ms - alert.raised_ms >= self._patience_ms:
                self._switch.halt(f"nobody answered for {self._patience_ms // 1000} s: {alert.text}")
                return alert
        return None

    def _send(self, channel: Channel, alert: Alert) -> bool:
        try:
            channel.send(alert)
        except Exception as error:  # noqa: BLE001  (the named border: a channel that fails must not silence the others)
            _LOG.error("channel %s did not take alert %s: %s", channel.name, alert.alert_id, type(error).__name__)
            return False
        return True

    @staticmethod
    def _read(file: Path) -> Alert:
        try:
            found = json.loads(file.read_bytes())
            return Alert(
                alert_id=str(found["alert_id"]),
                text=str(found["text"]),
                raised_ms=int(found["raised_ms"]),
                is_critical=bool(found["is_critical"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            # What cannot be read is taken for the worst, since when nobody knows.
            return Alert(alert_id=file.stem, text="an alert that cannot be read", raised_ms=0, is_critical=True)


def alert_of(event: Event) -> tuple[str, bool] | None:
    """What to tell people of an event, and whether somebody must answer; None where nothing."""
    payload: Mapping[str, str] = event.payload
    if event.kind is EventKind.BREAKER_TRIPPED:
        critical = payload["state"] == "halted" or payload["rule"] == "post_trade"
        text = f"{payload['scope']}: {payload['rule']} at {payload['value']} of {payload['limit']}, {payload['state']}"
        return text, critical
    if event.kind is EventKind.LIQUIDATED:
        return f"{payload['desk']} was liquidated", True
    if event.kind is EventKind.HALTED:
        return f"everything is halted: {payload['reason']}", False
    return None


class AlertWatch:
    """Raises the alerts of a run as its events are written; a fold to be added once the run has been restored.

    ``patterns`` sees every event before this does; what it flags from here on is told, and needs no answer.
    """

    def __init__(self, run_id: str, desk: AlertDesk, patterns: Surveillance | None = None) -> None:
        self._run_id = run_id
        self._desk = desk
        self._patterns = patterns
        self._told = len(patterns.flags()) if patterns is not None else 0

    def apply(self, event: Event) -> None:
        """Take an event in; unanswered alerts are looked at with every round."""
        found = alert_of(event)
        if found is not None:
            text, critical = found
            self._desk.raise_alert(text, critical=critical, key=f"{self._run_id} {event.ts_ms} {text}")
        self._tell_patterns()
        if event.kind is EventKind.ROUND_OPENED:
            self._desk.escalate()

    def _tell_patterns(self) -> None:
        flags = self._patterns.flags() if self._patterns is not None else ()
        for flag in flags[self._told :]:
            text = f"{flag.pattern.value} in {flag.instrument} by {', '.join(flag.desks)}: {flag.evidence}"
            self._desk.raise_alert(text, critical=False, key=f"{self._run_id} {flag.ts_ms} {text}")
        self._told = len(flags)
