"""What systemd is told: that the service is up, that it lives, that it stops. Elsewhere it says nothing."""

import os
import socket


def tell_service_manager(state: str) -> bool:
    """Send ``state`` (``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``); whether somebody listens. See sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaking:
            speaking.sendto(state.encode(), address)
    except OSError:
        return False  # a manager that is gone must not stop a run that trades
    return True
