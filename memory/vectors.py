"""Where text vectors are kept and searched: Chroma in a folder, a Chroma server by URL, or a twin in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from memory.embedding import Vectors
from trading.domain.errors import ConfigError, MemoryUnavailable

MAX_BATCH = 2000
"""Chroma takes at most 5,461 rows at once; smaller batches hold less in memory and lose less when killed."""


class VectorIndex(Protocol):
    """Vectors of length one by id, with the desk and the instant of each."""

    def upsert(self, ids: Sequence[str], vectors: Vectors, desks: Sequence[str], decided_ms: Sequence[int]) -> None:
        """Put vectors in, in place of those with the same ids."""
        ...

    def query(
        self, vector: Vectors, count: int, *, desk: str | None = None, before_ms: int | None = None
    ) -> list[tuple[str, float]]:
        """Ids and cosines of the ``count`` nearest, nearest first; with bounds only of those within them."""
        ...

    def count(self) -> int:
        """How many vectors there are."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class MemoryVectors:
    """The twin: everything in memory, every search exact."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Vectors, str, int]] = {}

    def upsert(self, ids: Sequence[str], vectors: Vectors, desks: Sequence[str], decided_ms: Sequence[int]) -> None:
        """Put vectors in."""
        self._rows |= zip(ids, zip(vectors, desks, decided_ms, strict=True), strict=True)

    def query(
        self, vector: Vectors, count: int, *, desk: str | None = None, before_ms: int | None = None
    ) -> list[tuple[str, float]]:
        """The nearest ones."""
        found = [
            (key, float(row @ vector))
            for key, (row, owner, at) in self._rows.items()
            if (desk is None or owner == desk) and (before_ms is None or at < before_ms)
        ]
        return sorted(found, key=lambda item: (-item[1], item[0]))[:count]

    def count(self) -> int:
        """How many there are."""
        return len(self._rows)

    def close(self) -> None:
        """There is nothing to let go of."""


class ChromaVectors:
    """A collection of Chroma. Every failure of the library is a MemoryUnavailable."""

    def __init__(self, client: Any, name: str, where: str) -> None:
        self._client = client
        self._where = where
        with _border(where):
            self._collection = client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            if self._collection.count():  # a damaged index is found out now, not in the middle of a season
                self._collection.peek(1)

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> "ChromaVectors":
        """Chroma embedded in this process. One process at a time may have a folder open: the caller holds a lock."""
        with _border(str(folder)):
            import chromadb
            from chromadb.config import Settings

            client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        return cls(client, name, str(folder))

    @classmethod
    def at_server(cls, url: str, name: str) -> "ChromaVectors":
        """A Chroma server. Raises ConfigError for what is no URL, MemoryUnavailable where none answers."""
        host, port, tls = server_address(url)
        with _border(url):
            import chromadb
            from chromadb.config import Settings

            client = chromadb.HttpClient(host=host, port=port, ssl=tls, settings=Settings(anonymized_telemetry=False))
        return cls(client, name, url)

    def upsert(self, ids: Sequence[str], vectors: Vectors, desks: Sequence[str], decided_ms: Sequence[int]) -> None:
        """Put vectors in."""
        rows: list[Mapping[str, Any]] = [
            {"desk": desk, "decided_ms": at} for desk, at in zip(desks, decided_ms, strict=True)
        ]
        with _border(self._where):
            for begin in range(0, len(ids), MAX_BATCH):
                part = slice(begin, begin + MAX_BATCH)
                self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part], metadatas=rows[part])

    def query(
        self, vector: Vectors, count: int, *, desk: str | None = None, before_ms: int | None = None
    ) -> list[tuple[str, float]]:
        """The nearest ones."""
        bounds: list[dict[str, Any]] = []
        if desk is not None:
            bounds.append({"desk": desk})
        if before_ms is not None:
            bounds.append({"decided_ms": {"$lt": before_ms}})
        where = None if not bounds else bounds[0] if len(bounds) == 1 else {"$and": bounds}
        with _border(self._where):
            if not self._collection.count():
                return []
            found = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=count, where=where, include=["distances"]
            )
        # Rounded, so that equal texts are equal wherever they lie in the graph.
        pairs = zip(found["ids"][0], (round(1.0 - gap, 6) for gap in found["distances"][0]), strict=True)
        return sorted(pairs, key=lambda item: (-item[1], item[0]))

    def count(self) -> int:
        """How many there are."""
        with _border(self._where):
            return int(self._collection.count())

    def close(self) -> None:
        """Let go of the client."""
        with _border(self._where):
            self._client.close()
            _hang_up(self._client)


def server_address(url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is https. Raises ConfigError for anything else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"chroma_url {url!r}: expected a URL such as http://127.0.0.1:8000")
    tls = parts.scheme == "https"
    return host, port or (443 if tls else 8000), tls


@contextmanager
def _border(where: str) -> Iterator[None]:
    """The border to Chroma, whose errors have many types; a panic of its core is no Exception at all."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryUnavailable):
        raise
    except BaseException as error:
        _forget_clients()
        text = str(error).splitlines() or [""]
        raise MemoryUnavailable(
            f"trade memory at {where}: Chroma cannot be used ({type(error).__name__}: {text[0][:200]}); "
            "`tradefloor memory rebuild` makes it anew from the journal",
            short="Chroma cannot be used",
        ) from error


def _hang_up(client: Any) -> None:
    """Close the connections to a server, which Chroma leaves open; clients of one server share them until the last."""
    from chromadb.api.shared_system_client import SharedSystemClient

    shared = SharedSystemClient._identifier_to_system  # noqa: SLF001  (nothing public says who else is connected)
    for one in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(one, "_server", None), "_session", None)
        if session is not None and getattr(one, "_identifier", None) not in shared:
            session.close()


def _forget_clients() -> None:
    """Chroma keeps one client a path, a broken one too; without this it could not be opened again once mended."""
    try:
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()
    except Exception:  # noqa: BLE001, S110  (what cannot be imported has no clients to forget)
        pass
