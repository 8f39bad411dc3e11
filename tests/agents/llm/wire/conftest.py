"""Makers on 127.0.0.1 for LiteLLM's real provider code, and no network beyond it."""

import socket

import pytest
import pytest_asyncio

from agents.llm import close_connections
from tests.wire import FaultPlan, serve_makers

_CONNECT = socket.socket.connect
_NAMES = ("openai", "anthropic", "gemini", "ollama")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever connects to anything but this machine fails."""

    def connect(self, address):
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            raise AssertionError(f"a socket was connected: {address}")
        return _CONNECT(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="module")
def served():
    """One maker for each wire format, where the environment sends LiteLLM."""
    with serve_makers(*_NAMES) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connections():
    """The connections of the module's event loop, closed at its end."""
    yield
    await close_connections()


@pytest.fixture
def makers(served, connections):
    """The makers, with nothing on their books and nothing going wrong."""
    for maker in served.values():
        maker.faults = FaultPlan()
        maker.latency_s = 0.0
        maker.staging = list
        maker.ledger.clear()
    return served
