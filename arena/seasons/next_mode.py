"""The mode that the next run of a served season is to play in: chosen by a person, kept in the home folder.

A run is registered with its mode and keeps it to its end. A choice belongs to the rules that the server was started
with: with other rules, or another mode on the command line, it says nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from arena.refusal import one_line
from arena.seasons.rules import SeasonRules
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.storage.runs import RunFolder, Runs

Mode = Literal["conservative", "balanced", "aggressive", "autonomous"]
MODES: tuple[Mode, ...] = get_args(Mode)


class Choice(BaseModel):
    """Who chose which mode, why, and when by the wall clock (milliseconds since 1970)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode
    who: str
    reason: str
    at_ms: int


_CHOICES = TypeAdapter(dict[str, Choice])


class NextModes:
    """The choices of one home folder, by the digest of the rules that they are for."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._home = home
        self._path = home / "modes.json"
        self._clock = clock or SystemClock()

    def of(self, rules: SeasonRules) -> Choice | None:
        """What was chosen last for ``rules``, None where nothing was. Raises ConfigError for a damaged file."""
        return self._all().get(rules.rules_sha256)

    def choose(self, rules: SeasonRules, mode: Mode, *, who: str, reason: str) -> Choice:
        """Let the next run of ``rules`` be in ``mode``. Raises RequestError where the rules do not allow it."""
        in_mode(rules, mode)
        chosen = Choice(
            mode=mode,
            who=" ".join(who.split())[:100],
            reason=" ".join(reason.split())[:200],
            at_ms=self._clock.now_ms(),
        )
        kept = {sha256: one.model_dump() for sha256, one in {**self._all(), rules.rules_sha256: chosen}.items()}
        partial = self._path.with_suffix(".partial")
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(kept, indent=2), "utf-8")
            partial.replace(self._path)
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be written ({error.strerror})") from error
        return chosen

    def to_play(self, rules: SeasonRules) -> Iterator[tuple[SeasonRules, RunFolder | None]]:
        """The rules to go on with, the best first: those of unfinished runs with the run, then those of a new one.

        Without a choice these are ``rules`` as they are.
        """
        chosen = self.of(rules)
        if chosen is not None:
            by_sha256 = {one.rules_sha256: one for one in _in_every_mode(rules)}
            for run in reversed(Runs(self._home).all()):
                found = by_sha256.get(str(run.manifest.get("rules_sha256")))
                if found is not None and not run.is_finished:
                    yield found, run
        yield rules if chosen is None else in_mode(rules, chosen.mode), None

    def _all(self) -> dict[str, Choice]:
        try:
            return _CHOICES.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise ConfigError(f"{self._path}: the chosen modes cannot be read; move the file away") from error


def in_mode(rules: SeasonRules, mode: Mode) -> SeasonRules:
    """The same season in another mode. Raises RequestError where a rule of it stands against that."""
    table = rules.model_dump(by_alias=True)
    table["season"]["mode"] = mode
    try:
        return SeasonRules.model_validate({**table, "cassette": rules.cassette})
    except ValidationError as error:
        raise RequestError(f"{rules.season.name} cannot be {mode}: {one_line(error, SeasonRules)}") from error


def _in_every_mode(rules: SeasonRules) -> Iterator[SeasonRules]:
    for mode in MODES:
        try:
            yield in_mode(rules, mode)
        except RequestError:
            continue  # a mode that its rules do not allow has no runs
