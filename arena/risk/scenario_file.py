"""A scenario of one's own, from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena.refusal import one_line
from trading.domain.errors import ConfigError
from trading.risk.simulation import Scenario

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Move = Annotated[float, Field(gt=-1, allow_inf_nan=False)]


class ScenarioFile(BaseModel):
    """``name``, and what the world of that name is like; see :class:`trading.risk.simulation.Scenario`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    drift: _Finite = 0.0
    volatility: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    correlation: Annotated[float, Field(ge=0, le=1)] = 0.0
    shock: _Move = 0.0
    shock_by_base: Annotated[dict[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")], _Move], Field(max_length=200)] = (
        Field(default_factory=dict)
    )


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file. Raises ConfigError in one line, which names the file and the key."""
    try:
        found = ScenarioFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file, expected a scenario in TOML") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {one_line(error, ScenarioFile)}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return Scenario(**found.model_dump())
