"""A comparison: variants of a desk that are tried on the same cases, kept as a file so that it can be gone on with."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena.evaluating import eval_folder
from arena.refusal import one_line
from arena.settings import Settings
from evals.variant import Variant, read_variants
from trading.domain.errors import RequestError

_Text = Annotated[str, Field(min_length=1, max_length=300)]
MOST_CASES = 1000
MOST_CANDIDATES = 6


class Comparison(BaseModel):
    """What is asked of the lab: ``candidates`` against the ``baseline``, variants as the command line writes them.

    ``cases`` are the first so many of the suite's dev cases; ``cap_usd`` is what may be spent on models at most.
    ``by`` asked for it at ``at_ms`` (wall clock).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: Annotated[str, Field(pattern=r"^[a-z_]{1,60}$")]
    baseline: _Text
    candidates: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=MOST_CANDIDATES)]
    cases: Annotated[int, Field(ge=1, le=MOST_CASES)]
    cap_usd: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 0.0
    by: Annotated[str, Field(max_length=120)] = ""
    at_ms: int = 0

    @property
    def comparison_id(self) -> str:
        """The same for the same variants and suite, however many cases."""
        parts = (self.suite, self.baseline, *self.candidates)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def variants(self) -> list[Variant]:
        """The baseline, then the candidates. Raises ConfigError in one line."""
        return read_variants((self.baseline, *self.candidates))


def variant_text(model: str, role: str, prompt: str) -> str:
    """A desk of one model with one prompt of its own, as the command line writes it."""
    return f"{prompt} with {model}={model},{role}:{prompt}"


def checked_comparison(**given: object) -> Comparison:
    """A comparison of what a person filled in. Raises RequestError, in one line, for what does not fit."""
    try:
        return Comparison.model_validate(given)
    except ValidationError as error:
        raise RequestError(one_line(error, Comparison)) from None


class ComparisonShelf:
    """The comparisons under ``<home>/evals/comparisons``, a file each."""

    def __init__(self, settings: Settings) -> None:
        self._folder = eval_folder(settings) / "comparisons"

    def stamp(self) -> int:
        """Another number whenever a comparison was added or changed."""
        return self._folder.stat().st_mtime_ns if self._folder.is_dir() else 0

    def all(self) -> Sequence[Comparison]:
        """Every comparison that can be read, the newest first."""
        found = [self._read(path) for path in self._folder.glob("*.json")] if self._folder.is_dir() else []
        return sorted((one for one in found if one is not None), key=lambda one: (-one.at_ms, one.comparison_id))

    def get(self, comparison_id: str) -> Comparison | None:
        """A comparison by its id, the newest for an empty one; None where there is none."""
        return next((one for one in self.all() if comparison_id in ("", one.comparison_id)), None)

    def put(self, comparison: Comparison) -> None:
        """Keep a comparison; one of the same variants and suite gives way to it."""
        path = self._folder / f"{comparison.comparison_id}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_text(comparison.model_dump_json(indent=2) + "\n", "utf-8")
            partial.replace(path)
        except OSError as error:
            raise RequestError(f"{path}: cannot be written ({error.strerror})") from error

    @staticmethod
    def _read(path: Path) -> Comparison | None:
        try:
            found = Comparison.model_validate(json.loads(path.read_bytes()))
        except (OSError, ValueError):
            return None
        return found if found.comparison_id == path.stem else None
