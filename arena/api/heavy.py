"""Answers that take the processor seconds: one at a time, and whoever would wait too long is told to come back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import fastapi

PATIENCE_S = 20.0

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def heavy() -> Iterator[None]:
    """Hold the turn. Answers 429 where it does not come in time."""
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE_S):
        detail = "other computations are under way; ask again in a moment"
        raise fastapi.HTTPException(429, detail, {"retry-after": "10"})
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()
