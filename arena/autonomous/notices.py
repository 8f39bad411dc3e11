"""The channels on which people are told: the log and a file always, others by Apprise where they are set."""

import logging
import queue
import threading
from pathlib import Path

from pydantic import SecretStr

from trading.domain.clock import Clock
from trading.risk.alerts import PATIENCE_MS, Alert, AlertDesk, AppriseChannel, Channel, FileChannel, LogChannel

log = logging.getLogger("tradefloor.alerts")

_WAITING = 1000


class BackgroundChannel:
    """Sends over a slow channel from a thread of its own, so that no round waits for somebody's server."""

    def __init__(self, inner: Channel) -> None:
        self.name = inner.name
        self._inner = inner
        self._waiting: queue.Queue[Alert] = queue.Queue(maxsize=_WAITING)
        threading.Thread(target=self._deliver, name=f"alerts-{inner.name}", daemon=True).start()

    def send(self, alert: Alert) -> None:
        """Take the alert for delivery. Raises queue.Full when nothing gets through any more."""
        self._waiting.put_nowait(alert)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything was tried; whether it was."""
        done = threading.Thread(target=self._waiting.join, daemon=True)
        done.start()
        done.join(timeout_s)
        return not done.is_alive()

    def _deliver(self) -> None:
        while True:
            alert = self._waiting.get()
            try:
                self._inner.send(alert)
            except Exception as error:  # noqa: BLE001  (the named border: the other channels have delivered already)
                log.error("channel %s did not take alert %s: %s", self.name, alert.alert_id, type(error).__name__)
            finally:
                self._waiting.task_done()


def open_alerts(
    home: Path, urls: SecretStr | None, clock: Clock | None = None, *, patience_ms: int = PATIENCE_MS
) -> AlertDesk:
    """The alerts of a home folder. ``urls`` are Apprise addresses, split by spaces; what is critical and unseen after
    ``patience_ms`` halts.

    Raises ConfigError for an address that Apprise does not know; it is not shown, as it may hold a secret.
    """
    others = [] if urls is None else urls.get_secret_value().split()
    channels: list[Channel] = [LogChannel(), FileChannel(home)]
    channels += [BackgroundChannel(AppriseChannel(url)) for url in others]
    return AlertDesk(home, channels, clock, patience_ms=patience_ms)
