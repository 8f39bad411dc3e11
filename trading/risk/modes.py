"""The modes of a season: from which stated confidence a decision opens in full, and whether a person approves first.

A mode moves this threshold and nothing else: every control stands in every mode.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trading.domain.errors import ConfigError
from trading.domain.event import Event, EventKind
from trading.risk.trade_results import LossStreaks

Probability = Annotated[Decimal, Field(gt=Decimal("0.5"), le=1, allow_inf_nan=False)]


class Tuning(BaseModel):
    """How an autonomous desk's threshold moves: up after a losing close, down after a winning one, within bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lowest: Probability
    highest: Probability
    after_loss: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"), allow_inf_nan=False)]
    after_win: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"), allow_inf_nan=False)]


class Mode(BaseModel):
    """One mode. ``full_confidence`` is the stated probability from which a decision opens in full.

    ``below`` says what becomes of what would open with less: ``cut`` in proportion to the claimed edge, or ``refuse``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_confidence: Probability
    below: Literal["cut", "refuse"]
    person_approves: Annotated[bool, Field(strict=True)]
    tuning: Tuning | None = None

    @model_validator(mode="after")
    def _tuning_fits(self) -> Self:
        tuning = self.tuning
        if tuning is not None and not tuning.lowest <= self.full_confidence <= tuning.highest:
            raise ValueError("full_confidence must lie between tuning.lowest and tuning.highest")
        return self


def load_modes(path: Path) -> Mapping[str, Mode]:
    """The modes of a TOML file by name. Raises ConfigError, in one line, when the file is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Mode.model_validate(table) for name, table in tables.items()}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where} = {first['input']!r}: {first['msg'].lower()}") from error


class Thresholds:
    """The threshold of each desk under a mode: fixed, or tuned by the desk's own closes. A fold over the journal."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self._results = LossStreaks()
        self._tuned: dict[str, Decimal] = {}

    def of(self, desk: str) -> Decimal:
        """The stated confidence from which this desk opens in full."""
        return self._tuned.get(desk, self.mode.full_confidence)

    def apply(self, event: Event) -> None:
        """Take an event in."""
        tuning = self.mode.tuning
        if tuning is None or event.kind is not EventKind.FILLED:
            return
        lost = self._results.take(event)
        if lost is not None:
            desk = event.payload["desk"]
            moved = self.of(desk) + (tuning.after_loss if lost else -tuning.after_win)
            self._tuned[desk] = min(tuning.highest, max(tuning.lowest, moved))
