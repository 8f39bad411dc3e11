"""Markup rendered once for each snapshot and shared by all viewers."""

import hashlib
import json
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

from arena.seasons.snapshot import FloorSnapshot

MAX_ENTRIES = 512
"""Renderings kept of one snapshot: addresses are chosen by viewers, so there is no end to them."""


@dataclass(frozen=True)
class Rendered:
    """Content and a short name of it: a component is sent only where its ``etag`` is not the one last sent."""

    text: str
    etag: str

    @cached_property
    def json(self) -> bytes:
        """Name and content as a JSON array, written once for all viewers."""
        return json.dumps([self.etag, self.text], ensure_ascii=False).encode()


def rendered(text: str) -> Rendered:
    """Content with the name derived from it."""
    return Rendered(text, hashlib.blake2b(text.encode(), digest_size=8).hexdigest())


class RenderCache:
    """What was rendered of the newest snapshot. Entries of an older one go when a newer one is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edition: Hashable = None
        self._entries: dict[Hashable, Rendered] = {}

    def known(self, snapshot: FloorSnapshot | None, key: Hashable) -> Rendered | None:
        """The rendering of ``key`` for this snapshot, None where no viewer asked before."""
        edition = _edition(snapshot)
        with self._lock:
            if edition != self._edition:
                self._edition = edition
                self._entries = {}
            return self._entries.get(key)

    def get(self, snapshot: FloorSnapshot | None, key: Hashable, render: Callable[[], str]) -> Rendered:
        """The rendering of ``key`` for this snapshot, made by ``render`` if no viewer asked before.

        Two viewers that ask at the same moment may both render; the content is the same.
        """
        found = self.known(snapshot, key)
        if found is None:
            found = rendered(render())
            with self._lock:
                if _edition(snapshot) == self._edition:
                    if len(self._entries) >= MAX_ENTRIES:
                        self._entries.pop(next(iter(self._entries)))
                    self._entries[key] = found
        return found


def _edition(snapshot: FloorSnapshot | None) -> Hashable:
    return None if snapshot is None else (snapshot.run_id, snapshot.version)
