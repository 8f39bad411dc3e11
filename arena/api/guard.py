"""What every request passes first: it must name this machine, and a write must come from our page or from a program.

A page elsewhere can make a browser send requests to loopback, directly or through a name that it points there (DNS
rebinding). The first is told by ``Origin``, the second by ``Host``.
"""

import json
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access.caller import LOCAL, SCOPE_KEY

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
PROGRAM_HEADER = "x-tradefloor"

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Gradio builds its components' scripts from text in the page, which needs inline code and eval.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class LoopbackGuard:
    """ASGI middleware that refuses foreign hosts and foreign writes, and sets the security headers on every answer."""

    def __init__(self, app: ASGIApp, *, names: frozenset[str] = LOOPBACK_NAMES) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes an HTTP request on, or answers it with 400 or 403; websockets are refused, nothing here uses them."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is None:
            scope[SCOPE_KEY] = LOCAL
            await self._app(scope, receive, guarded)
        else:
            await _answer(guarded, *refusal)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self._names:
            return 400, f"Host {host!r} is not this machine: open it as http://127.0.0.1 or http://localhost"
        if scope["method"] not in _WRITES:
            return None
        origin = headers.get("origin")
        if origin is not None:
            if urlsplit(origin).netloc == host:
                return None
            return 403, f"Origin {origin!r} may not write here: only this page may"
        if scope["path"].startswith("/api/") and PROGRAM_HEADER not in headers:
            return 403, "a write without Origin needs the header X-Tradefloor: 1, which no foreign page can send"
        return None


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"type": "about:blank", "title": "refused", "status": status, "detail": detail}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
