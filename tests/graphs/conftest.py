"""A staged provider beside the house's, and no network."""

import os
import socket

import pytest

from agents.llm.runtime import litellm_module

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOG", "ERROR")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever connects to anything fails."""

    def refuse(*args):
        raise AssertionError(f"a socket was connected: {args[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def stage(monkeypatch):
    """The provider ``staged/...``, for models that do as a test says."""
    from tests.agents.staging import Stage

    litellm = litellm_module()
    found = Stage()
    rows = [*litellm.custom_provider_map, {"provider": "staged", "custom_handler": found}]
    monkeypatch.setattr(litellm, "custom_provider_map", rows)
    return found
