"""Who asks: the doorkeeper finds it out once for each request, holds callers to their rates, audits their writes."""

from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access.audit import SCOPE_KEY as TRAIL_KEY
from arena.access.audit import Audit, Trail
from arena.access.caller import SCOPE_KEY, Caller
from arena.access.door import Door
from arena.access.people import People
from arena.access.rates import KNOWN, STRANGER, WRITE_COST, Rates
from arena.access.sessions import Sessions
from arena.api.cookie import session_in
from arena.api.guard import PROGRAM_HEADER, REQUEST_ID, WRITES
from arena.api.refusal import Elsewhere, Refusal

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login", "/login/style.css", "/logout"})
"""What anybody may ask for. A health check must not wait in line, so it has no rate either."""

UNLIMITED = frozenset({"/healthz", "/readyz"})

_PAGES = "/gradio_api/"


class Doorkeeper:
    """ASGI middleware behind the guard: nobody passes it unknown, but to the open paths."""

    def __init__(
        self, app: ASGIApp, *, door: Door, people: People, sessions: Sessions, audit: Audit, rates: Rates
    ) -> None:
        self._app = app
        self._door = door
        self._people = people
        self._sessions = sessions
        self._audit = audit
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on with its caller, or answers it with 401, 403, 429 or the way to the login page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._door.asks_login:
            scope.pop(SCOPE_KEY, None)
            caller, refusal = await run_in_threadpool(self._known, scope, headers)
            if caller is not None:
                scope[SCOPE_KEY] = caller
        else:
            caller, refusal = scope[SCOPE_KEY], None
        refusal = self._too_fast(scope, caller) or refusal
        if refusal is not None:
            await refusal.send(send)
        elif caller is not None and scope["method"] in WRITES:
            await self._audited(scope, receive, send, caller)
        else:
            await self._app(scope, receive, send)

    # -- who asks --------------------------------------------------------------------------------------------------

    def _known(self, scope: Scope, headers: Headers) -> tuple[Caller | None, Refusal | Elsewhere | None]:
        """The caller, or what is answered where there has to be one."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            caller = self._people.by_token(token.strip())
            return caller, None if caller or scope["path"] in OPEN_PATHS else _unknown("the token opens nothing here")
        secret = session_in(headers, is_https=is_https(scope, self._door))
        caller = self._sessions.caller(secret) if secret is not None else None
        if scope["path"] in OPEN_PATHS:
            return caller, None
        if caller is None:
            return None, _way_in(scope, headers)
        if scope["method"] in WRITES and not _is_from_our_page(headers):
            detail = "a write with the cookie of a login must come from our page; programs send a token"
            return caller, Refusal(status=403, detail=detail)
        return caller, None

    def _too_fast(self, scope: Scope, caller: Caller | None) -> Refusal | None:
        if scope["path"] in UNLIMITED:
            return None
        key = f"caller {caller.name}" if caller is not None else f"address {address_of(scope)}"
        cost = WRITE_COST if scope["method"] in WRITES else 1
        wait_s = self._rates.wait_s(key, cost, STRANGER if caller is None else KNOWN)
        if not wait_s:
            return None
        detail = f"too many requests: wait {wait_s} s, then ask less often"
        return Refusal(status=429, title="too many requests", detail=detail, headers={"retry-after": str(wait_s)})

    # -- what was written ------------------------------------------------------------------------------------------

    async def _audited(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """Passes a write on. Its line is on the disk before the answer leaves; no line holds up a halt."""
        trail = Trail(
            self._audit,
            caller,
            method=scope["method"],
            path=scope["path"],
            request_id=scope[REQUEST_ID],
            by_act=scope["path"].startswith(_PAGES),
        )
        scope[TRAIL_KEY] = trail
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await run_in_threadpool(trail.close, status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            trail.close(status)


def is_https(scope: Any, door: Door) -> bool:
    """Whether the browser came over https, by itself or before a proxy that is trusted."""
    return door.is_https or scope["scheme"] == "https"


def address_of(scope: Any) -> str:
    """Where the request comes from, as far as a trusted proxy or the connection tells."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def _is_from_our_page(headers: Headers) -> bool:
    """The guard has refused other origins; here ours must be named, or a header sent that only a script can set."""
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin" or PROGRAM_HEADER in headers


def _way_in(scope: Scope, headers: Headers) -> Refusal | Elsewhere:
    """Browsers that ask for a page are shown the login; everybody else is told."""
    if scope["method"] in {"GET", "HEAD"} and "text/html" in headers.get("accept", ""):
        query = scope.get("query_string", b"").decode("latin-1")
        asked = scope["path"] + (f"?{query}" if query else "")
        return Elsewhere(path=f"/login?next={quote(asked, safe='')}" if asked != "/" else "/login")
    return _unknown("log in at /login, or send a token as Authorization: Bearer")


def _unknown(detail: str) -> Refusal:
    return Refusal(status=401, title="login needed", detail=detail, headers={"www-authenticate": "Bearer"})
