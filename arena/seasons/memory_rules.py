"""``[memory]``: whether desks remember, how far an outcome is followed, and what earlier runs they know."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from arena.seasons.fields import Duration, Switch, Table, Text, later, once_each
from trading.domain.errors import ConfigError
from trading.domain.instants import duration_ms

Mode = Literal["on", "off", "shuffled"]
_MODES = ("on", "off", "shuffled")

OFF, OWN = "off", "own"
_HOUSE = "house/"


def _who_looks_back(value: str) -> str:
    if value.startswith(_HOUSE):
        raise ValueError(f"found {value!r}; house models look back by rule: name a language model, {OWN!r} or {OFF!r}")
    return value


Reflection = Annotated[Text, AfterValidator(_who_looks_back)]
"""Who looks back for a desk: a model, ``own`` for the cheapest of the desk's own, ``off`` for the rule alone."""

RunId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,80}$")]


class MemoryRules(Table):
    """``shuffled`` is the placebo: every outcome is shown with another episode than its own.

    ``horizon`` is how far what was not traded is followed. ``shared`` lets every desk see every desk's episodes.
    ``runs`` are finished runs of the same home folder; their episodes are known as far as they had closed by then.
    ``embedding`` is how texts are indexed for ``memory search``; no decision depends on it, so it is no rule of the
    contest. ``reflection`` is who looks back for desks of language models, where a desk does not say otherwise.
    """

    mode: Mode = "on"
    horizon: Duration = "24h"
    shared: Switch = False
    runs: Annotated[tuple[RunId, ...], Field(max_length=20), AfterValidator(once_each)] = ()
    reflection: Reflection = later(OFF)
    embedding: Text = Field(default="hashing", exclude=True)

    @property
    def horizon_ms(self) -> int:
        """The horizon in milliseconds."""
        return duration_ms(self.horizon)


def named_model(reflection: str | None) -> tuple[str, ...]:
    """The model that a setting of ``reflection`` names, if it names one."""
    return () if reflection in (None, OFF, OWN) else (str(reflection),)


def parse_mode(text: str) -> Mode:
    """``--memory`` as it was typed. Raises ConfigError."""
    match text:
        case "on" | "off" | "shuffled":
            return text
    raise ConfigError(f"--memory {text}: expected {', '.join(_MODES)}")
