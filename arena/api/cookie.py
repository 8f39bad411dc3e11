"""The cookies of a login: what names the session, and what a form must give back."""

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

_SESSION = "tradefloor_session"
_FORM = "tradefloor_form"


def session_in(headers: Headers, *, is_https: bool) -> str | None:
    """The secret of the session that a browser names."""
    return _read(headers, _full(_SESSION, is_https))


def form_in(headers: Headers, *, is_https: bool) -> str | None:
    """What the form that we sent must give back."""
    return _read(headers, _full(_FORM, is_https))


def give_session(answer: Response, secret: str, *, is_https: bool) -> None:
    """Has the browser keep the session until it closes; over https it is sent nowhere else."""
    _give(answer, _full(_SESSION, is_https), secret, is_https)


def give_form(answer: Response, value: str, *, is_https: bool) -> None:
    """Has the browser keep what the form must give back."""
    _give(answer, _full(_FORM, is_https), value, is_https)


def take_session(answer: Response, *, is_https: bool) -> None:
    """Has the browser forget the session."""
    answer.delete_cookie(_full(_SESSION, is_https), path="/", secure=is_https, httponly=True, samesite="strict")


def _full(name: str, is_https: bool) -> str:
    """Under ``__Host-`` no other name of the domain can set it, and it needs https."""
    return f"__Host-{name}" if is_https else name


def _give(answer: Response, name: str, value: str, is_https: bool) -> None:
    answer.set_cookie(name, value, path="/", secure=is_https, httponly=True, samesite="strict")


def _read(headers: Headers, name: str) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(name) or None
