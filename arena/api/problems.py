"""What goes wrong, as problem documents (RFC 9457): one shape for every refusal of the API."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import fastapi
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from arena.access import Forbidden
from trading.domain.errors import (
    ConfigError,
    DataError,
    RequestError,
    ToolFailure,
    TradefloorError,
    TradingHalted,
)

MEDIA_TYPE = "application/problem+json"
_READS = frozenset({"GET", "HEAD"})
_MOST_COMPLAINTS = 10

log = logging.getLogger("tradefloor")


class Complaint(BaseModel):
    """One value that was refused: where it stands in the request, and what is wrong with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str = Field(examples=["query.limit"])
    what: str = Field(examples=["Input should be less than or equal to 500"])


class Problem(BaseModel):
    """Why a request was refused. ``detail`` says what was found, what was expected and what to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(examples=["no run 'demo-2'; the runs are: demo-1"])
    errors: tuple[Complaint, ...] | None = None


class NotFound(TradefloorError):
    """What was asked for is not there."""


def problem(
    status: int, detail: str, *, errors: Sequence[Complaint] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal as a response."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=tuple(errors) or None)
    return Response(
        body.model_dump_json(exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def answer_problems(app: fastapi.FastAPI) -> None:
    """Let every refusal of ``app`` be a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TradefloorError, _refused)
    app.add_exception_handler(Exception, _failed)


def status_of(error: TradefloorError, method: str) -> int:
    """The status that tells of ``error``.

    What a read asks for and is not there is 404, a write that the state does not allow is 409; what lies under the home
    folder and cannot be read is 503.
    """
    match error:
        case Forbidden():
            return 403
        case NotFound():
            return 404
        case TradingHalted():
            return 409
        case ConfigError() | DataError():
            return 503 if method in _READS else 409
        case RequestError() | ToolFailure():
            return 404 if method in _READS else 409
        case _:
            return 503


def _http(_request: fastapi.Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


def _invalid(_request: fastapi.Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    complaints = [
        Complaint(where=".".join(str(part) for part in item["loc"]), what=str(item["msg"]))
        for item in error.errors()[:_MOST_COMPLAINTS]
    ]
    first = complaints[0] if complaints else Complaint(where="request", what="not understood")
    return problem(422, f"{first.where}: {first.what}", errors=complaints)


def _refused(request: fastapi.Request, error: Exception) -> Response:
    assert isinstance(error, TradefloorError)
    return problem(status_of(error, request.method), str(error))


def _failed(_request: fastapi.Request, error: Exception) -> Response:
    log.error("a request failed on an error of ours: %s", type(error).__name__)
    return problem(500, "an error of ours; the log has the details")
