"""What every request passes first: it must name this house, and a write must come from our page or from a program.

A page elsewhere can make a browser send requests here, directly or through a name that it points here (DNS rebinding).
The first is told by ``Origin`` and ``Sec-Fetch-Site``, the second by ``Host``.
"""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.access.caller import LOCAL, SCOPE_KEY
from arena.access.door import LOOPBACK, Door
from arena.api.policy import Headed
from arena.api.refusal import Refusal

PROGRAM_HEADER = "x-tradefloor"
REQUEST_ID = "tradefloor.request_id"
"""Where the guard leaves the name of a request in its scope (ASGI). The answer has it as ``X-Request-Id``."""

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_OURS = Refusal(status=500, title="error", detail="an error of ours; the log says more at this instant")
_OF_A_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class LoopbackGuard:
    """ASGI middleware that refuses foreign hosts and foreign writes, and sets the security headers on every answer.

    Behind the ``door`` of loopback whoever comes is this machine; behind any other the doorkeeper finds out who it is.
    """

    def __init__(self, app: ASGIApp, *, door: Door = LOOPBACK) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes an HTTP request on, or answers it with 400 or 403; websockets are refused, nothing here uses them."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        scope[REQUEST_ID] = secrets.token_hex(8)
        headed = Headed(
            send,
            request_id=scope[REQUEST_ID],
            is_private=self._door.asks_login,
            is_https=self._door.is_https or scope["scheme"] == "https",
        )
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal.send(headed)
            return
        if not self._door.asks_login:
            scope[SCOPE_KEY] = LOCAL
        try:
            await self._app(scope, receive, headed)
        except Exception:  # the HTTP border: what is told has our headers, too; the log gets the rest
            if not headed.has_begun:
                await _OURS.send(headed)
            raise

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if _name(host) not in self._door.names:
            return Refusal(status=400, detail=f"Host {host!r} is not this house: {self._remedy()}")
        if not self._door.asks_login and any(name in headers for name in _OF_A_PROXY):
            return Refusal(
                status=403,
                detail="the request came through a proxy, and this house asks for no login: start it with --login",
            )
        return _foreign_write(scope, headers, host) if scope["method"] in WRITES else None

    def _remedy(self) -> str:
        if self._door.asks_login:
            return "start it with --allow-host and that name where it is meant to be"
        return "open it as http://127.0.0.1 or http://localhost"


def _foreign_write(scope: Scope, headers: Headers, host: str) -> Refusal | None:
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != host:
        return Refusal(status=403, detail=f"Origin {origin!r} may not write here: only this page may")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return Refusal(status=403, detail="another page may not write here: only this page may")
    is_program = PROGRAM_HEADER in headers or headers.get("authorization", "").lower().startswith("bearer ")
    if origin is None and not is_program and scope["path"].startswith("/api/"):
        return Refusal(
            status=403, detail="a write without Origin needs the header X-Tradefloor: 1, which no foreign page can send"
        )
    return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
