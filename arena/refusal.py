"""What a person reads when a file or a setting is refused: the key, what was found, what was expected, in one line."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_INSTANT = "a time with zone, such as 2025-10-17T00:00:00Z"
_EXPECTED = {
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "string_pattern_mismatch": "lower-case letters and digits, joined by hyphens",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "list_type": "a list",
    "too_short": "at least one",
}
_LONGEST_VALUE = 80


class Refused(ValueError):
    """What a validator of a whole table raises, so that its message stands at the ``key`` that is to blame."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that ``model`` refused, as ``key: found ..., expected ...``, and how many more there are.

    Unknown keys come first: a misspelt one also shows up as a missing one.
    """
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    line = _problem(problems[0], model)
    return f"{line} (and {len(problems) - 1} more)" if len(problems) > 1 else line


def dotted(location: Sequence[str | int]) -> str:
    """A key as written with ``--set``: ``("desk", 0, "name")`` gives ``"desk.0.name"``."""
    return ".".join(str(part) for part in location)


def unknown_key(key: str, known: Sequence[str]) -> str:
    """What to say of a key that nobody asked for."""
    close = get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
    return f"unknown key; {hint}"


def _problem(problem: ErrorDetails, model: type[BaseModel]) -> str:
    location, kind, message = problem["loc"], problem["type"], problem["msg"]
    blamed = problem.get("ctx", {}).get("error")
    if isinstance(blamed, Refused):
        location = (*location, blamed.key)
    where = f"{dotted(location)}: " if location else ""
    if kind == "extra_forbidden":
        return where + unknown_key(str(location[-1]), _keys_at(model, location[:-1]))
    if kind == "missing":
        return f"{where}is missing"
    if kind == "value_error":  # our own validators already say what was found and expected
        return where + message.removeprefix("Value error, ")
    return f"{where}found {_shown(problem['input'])}, expected {_EXPECTED.get(kind) or _wording(message)}"


def _wording(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("a valid ").split(", unable")[0]


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float | list | tuple | dict) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that the table at ``location`` may have, as a file spells them."""
    for part in location:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        if field is not None:
            model = _table(field.annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _table(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _table(part))), None)
