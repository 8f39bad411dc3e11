"""Logging in and out on the web page: forms that work without a script."""

import hmac
import secrets
from typing import Annotated
from urllib.parse import parse_qs

import fastapi
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from arena.access.audit import Audit
from arena.access.caller import SCOPE_KEY
from arena.access.door import Door
from arena.access.lockout import Lockout, TooManyTries
from arena.access.people import People
from arena.access.sessions import Sessions
from arena.api.cookie import form_in, give_form, give_session, session_in, take_session
from arena.api.doorkeeper import address_of, is_https
from arena.api.guard import REQUEST_ID
from arena.api.policy import PLAIN_PAGE
from arena.ui.login import STYLE_URL, login_page, login_style

MAX_BODY_BYTES = 4_096
WRONG = "The name or the password is wrong."

_HEADERS = {"content-security-policy": PLAIN_PAGE, "cache-control": "no-store"}
_HOME = "/"


class LoginDesk:
    """Checks names and passwords, at the pace that the lock-out allows, and begins sessions."""

    def __init__(self, people: People, sessions: Sessions, audit: Audit, lockout: Lockout) -> None:
        self._people = people
        self._sessions = sessions
        self._audit = audit
        self._lockout = lockout

    def log_in(self, name: str, password: str, *, address: str, request_id: str) -> str | None:
        """The secret of a new session, or None where name or password is wrong. Raises TooManyTries."""
        self._lockout.begin(name, address)
        caller = self._people.by_password(name, password)
        if caller is None:
            self._record("somebody", "none", 401, request_id)
            return None
        self._lockout.succeeded(name, address)
        self._record(caller.name, caller.role.name.lower(), 303, request_id)
        return self._sessions.begin(caller.name)

    def log_out(self, secret: str) -> None:
        """End a session."""
        self._sessions.end(secret)

    def _record(self, caller: str, role: str, status: int, request_id: str) -> None:
        self._audit.record(caller=caller, role=role, method="POST", path="/login", status=status, request_id=request_id)


def login_routes(desk: LoginDesk, door: Door) -> fastapi.APIRouter:
    """The routes of one house. Where nobody has to log in they lead to the floor."""
    router = fastapi.APIRouter(include_in_schema=False)

    @router.get(STYLE_URL)
    def style() -> Response:
        """The style sheet of the page."""
        return Response(login_style(), media_type="text/css", headers={"cache-control": "public, max-age=300"})

    @router.get("/login")
    def show(request: fastapi.Request, onward: Annotated[str, fastapi.Query(alias="next")] = _HOME) -> Response:
        """The form, or the floor for who is known already."""
        if not door.asks_login or SCOPE_KEY in request.scope:
            return RedirectResponse(_ours(onward), status_code=303)
        return _page(request, door, onward=_ours(onward))

    @router.post("/login")
    async def log_in(request: fastapi.Request) -> Response:
        """The session of whoever gave a right name and password; else the form again."""
        given = await _form(request)
        name, onward = given.get("name", "").strip().lower(), _ours(given.get("next", _HOME))
        if not door.asks_login:
            return RedirectResponse(onward, status_code=303)
        if not _gave_back(request, door, given.get("form", "")):
            return _page(request, door, onward=onward, complaint="The form was too old. Try again.", status=403)
        asked = {"address": address_of(request.scope), "request_id": request.scope[REQUEST_ID]}
        try:
            secret = await run_in_threadpool(desk.log_in, name, given.get("password", ""), **asked)
        except TooManyTries as error:
            words = f"Too many tries. Wait {error.wait_s} s, then try again."
            answer = _page(request, door, onward=onward, name=name, complaint=words, status=429)
            answer.headers["retry-after"] = str(error.wait_s)
            return answer
        if secret is None:
            return _page(request, door, onward=onward, name=name, complaint=WRONG, status=401)
        await run_in_threadpool(_end_session, request, desk, door)
        answer = RedirectResponse(onward, status_code=303, headers={"cache-control": "no-store"})
        give_session(answer, secret, is_https=is_https(request.scope, door))
        return answer

    @router.get("/logout")
    def log_out_by_post(request: fastapi.Request) -> Response:
        """A link must not log anybody out."""
        return RedirectResponse(_HOME, status_code=303)

    @router.post("/logout")
    def log_out(request: fastapi.Request) -> Response:
        """Ends the session that the browser names."""
        _end_session(request, desk, door)
        answer = RedirectResponse("/login" if door.asks_login else _HOME, status_code=303)
        take_session(answer, is_https=is_https(request.scope, door))
        return answer

    return router


def _page(
    request: fastapi.Request, door: Door, *, onward: str, name: str = "", complaint: str = "", status: int = 200
) -> Response:
    https = is_https(request.scope, door)
    form = form_in(request.headers, is_https=https) or secrets.token_urlsafe(32)
    page = login_page(form=form, onward=onward, name=name[:64], complaint=complaint)
    answer = HTMLResponse(page, status_code=status, headers=_HEADERS)
    give_form(answer, form, is_https=https)
    return answer


def _gave_back(request: fastapi.Request, door: Door, form: str) -> bool:
    kept = form_in(request.headers, is_https=is_https(request.scope, door))
    return kept is not None and hmac.compare_digest(kept.encode(), form.encode())


def _end_session(request: fastapi.Request, desk: LoginDesk, door: Door) -> None:
    secret = session_in(request.headers, is_https=is_https(request.scope, door))
    if secret is not None:
        desk.log_out(secret)


async def _form(request: fastapi.Request) -> dict[str, str]:
    """The fields of a form; none where it is too long or no form."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return {}
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=16)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def _ours(onward: str) -> str:
    """``onward`` where it is a path of this house, else the floor: a login leads nowhere else."""
    is_path = onward.startswith("/") and onward[1:2] not in {"/", "\\"} and onward.isprintable()
    return onward if is_path and onward.isascii() and len(onward) <= 2_000 else _HOME
