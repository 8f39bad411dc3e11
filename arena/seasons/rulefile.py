"""From a season file, and what the command line sets over it, to rules that hold together."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from arena.refusal import one_line
from arena.seasons.rules import SeasonRules
from trading.domain.errors import ConfigError


def load_rules(path: Path, overrides: Sequence[str] = ()) -> SeasonRules:
    """The rules of the season file at ``path``.

    An override is ``key=value``: a dotted key, with a desk by its name or position (``season.seed=8``,
    ``desk.momentum.model=house/meanrev``), and a TOML value; what is not TOML is taken as text. Raises ConfigError in
    one line that names file and key.
    """
    table = _read(path)
    for override in overrides:
        _set(table, override)
    try:
        return SeasonRules.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{path}: {one_line(error, SeasonRules)}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file, expected a season file, such as config/seasons/demo.toml") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _set(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not last or not all(parents):
        raise ConfigError(f"--set {override}: expected key=value, such as season.seed=8")
    place: Any = table
    for part in parents:
        place = _step(place, part, override)
    if not isinstance(place, dict):
        raise ConfigError(f"--set {override}: {'.'.join(parents)} is not a table, so nothing can be set in it")
    place[last] = _value(text.strip())


def _step(place: Any, part: str, override: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list):
        for index, row in enumerate(place):
            if part == str(index) or (isinstance(row, dict) and row.get("name") == part):
                return row
        raise ConfigError(f"--set {override}: found no {part!r} in the list, expected a name or a position in it")
    raise ConfigError(f"--set {override}: {part!r} lies inside a value that is not a table")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
