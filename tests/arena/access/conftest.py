"""Passwords that are hashed fast: how hard the work is has a test of its own."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from arena.access import passwords


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The least that argon2 takes."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()
