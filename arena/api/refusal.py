"""The answer to a request that goes no further: problem details (RFC 9457), written before any route is found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Send

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A status, what it means, why, and headers that go with it."""

    status: int
    detail: str
    title: str = "refused"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """The whole answer."""
        problem = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        body = json.dumps(problem).encode()
        given = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **self.headers}
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """An answer that sends a browser to another page of ours. ``path`` has been quoted."""

    path: str

    async def send(self, send: Send) -> None:
        """The whole answer."""
        headers = [
            (b"location", self.path.encode("latin-1")),
            (b"content-length", b"0"),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
