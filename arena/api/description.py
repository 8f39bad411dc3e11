"""The description of the API (OpenAPI): what every operation shares is said here once."""

from http import HTTPStatus
from typing import Any

import fastapi
from fastapi.openapi.utils import get_openapi

from arena.api.area import PREFIX
from arena.api.guard import PROGRAM_HEADER
from arena.api.problems import MEDIA_TYPE, Problem
from arena.api.writes import KEY_HEADER

_WRITES = frozenset({"post", "put", "patch", "delete"})
_READ_PROBLEMS = (400, 401, 403, 404, 405, 422, 429, 500, 503)
_WRITE_PROBLEMS = (*_READ_PROBLEMS, 409, 413)
_INTRODUCTION = """Reads and acts of one house, as its pages show them.

Times are ISO 8601 in UTC. Money and quantities are decimal strings. What is not known is null. Lists come in pages:
send `next` as `after` to read on. Refusals are problem documents (RFC 9457). A write takes an `Idempotency-Key`: the
same key with the same request gives the same answer and does nothing twice, for a day and across restarts.
"""
_WRITE_HEADERS = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "A key of your own, such as a UUID: the request is done once, however often it is sent.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    },
    {
        "name": "X-Tradefloor",
        "in": "header",
        "required": False,
        "description": "Programs send 1 with every write: no foreign page can.",
        "schema": {"type": "string", "examples": ["1"]},
    },
)
assert {header["name"].lower() for header in _WRITE_HEADERS} == {KEY_HEADER, PROGRAM_HEADER}  # type: ignore[attr-defined]


def describe(app: fastapi.FastAPI) -> None:
    """Let ``app`` describe its API, and what every operation can refuse."""
    app.openapi = lambda: app.openapi_schema or _described(app)  # type: ignore[method-assign]


def _described(app: fastapi.FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Tradefloor", version="1", summary="An arena in which language models trade.",
        description=_INTRODUCTION, routes=app.routes,
    )  # fmt: skip
    document["paths"] = {path: found for path, found in document["paths"].items() if path.startswith(f"{PREFIX}/")}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(shape.pop("$defs", {}))
    schemas["Problem"] = shape
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _complete(operation, writes=method in _WRITES)
    app.openapi_schema = document
    return document


def _complete(operation: dict[str, Any], *, writes: bool) -> None:
    """Say which problems an operation can answer with, and which headers a write takes."""
    if writes:
        operation.setdefault("parameters", []).extend(dict(header) for header in _WRITE_HEADERS)
    for status in _WRITE_PROBLEMS if writes else _READ_PROBLEMS:
        found = operation["responses"].setdefault(str(status), {})
        found.setdefault("description", HTTPStatus(status).phrase)
        if status == 422:
            found["description"] = "The request is not as it is described here."
        found["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
