"""The latch before real orders: three keys that lie in three places, and a cap. Missing one is a refusal that names it.

The season file says ``kind = "live"``, the environment names the season, and a limits file lies in the home folder; a
copied command line, a copied file or a left-over variable alone opens nothing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from trading.domain.errors import ConfigError
from trading.risk import Limits

LIMITS_FILE = "live-limits.toml"
_ADOPT = "adopt"
_DEAD_MAN, DEAD_MAN_S = "dead_man_s", 60
_NEEDED = ("max_order_value", "max_gross_exposure")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTerms:
    """What the open latch allows: limits, the cap of what one order may be worth, and whether holdings are adopted.

    ``dead_man_s`` is how long the exchange waits for a sign of life before it cancels every order, protective ones too;
    0 leaves its switch alone.
    """

    limits: Limits
    max_notional: Decimal
    adopt: bool
    dead_man_s: int = DEAD_MAN_S


def open_latch(rules: SeasonRules, settings: Settings, limits: Limits) -> LiveTerms | None:
    """The terms of a live season; None for a season that is not live.

    Raises ConfigError that names every key that is missing, or the one that does not fit.
    """
    if rules.market.kind != "live":
        return None
    name, file = rules.season.name, settings.home / LIMITS_FILE
    missing = missing_keys(name, settings)
    if missing:
        raise ConfigError(
            f"season {name} is live and lacks {'; '.join(missing)}. Use kind = 'paper', or see docs/live.md"
        )
    assert settings.max_live_notional is not None, "it was looked for"
    table = _read(file)
    adopt = table.pop(_ADOPT, False)
    if not isinstance(adopt, bool):
        raise ConfigError(f"{file}: adopt = {adopt!r}: expected true or false")
    dead_man_s = table.pop(_DEAD_MAN, DEAD_MAN_S)
    if type(dead_man_s) is not int or not (dead_man_s == 0 or 20 <= dead_man_s <= 3600):
        raise ConfigError(f"{file}: dead_man_s = {dead_man_s!r}: expected 20 to 3600 seconds, or 0 for none")
    for key in _NEEDED:
        if key not in table:
            raise ConfigError(f"{file}: {key} is missing; a live season states it, at most {getattr(limits, key)}")
    return LiveTerms(
        limits=limits.tightened(table),
        max_notional=settings.max_live_notional,
        adopt=adopt,
        dead_man_s=dead_man_s,
    )


def missing_keys(season: str, settings: Settings) -> list[str]:
    """In words, what a live season of this name lacks besides its file: acknowledgement, limits file and cap."""
    file = settings.home / LIMITS_FILE
    missing = []
    if settings.live_acknowledged != season:
        missing.append(f"the acknowledgement TRADEFLOOR_LIVE_ACKNOWLEDGED={season} in the environment")
    if not file.is_file():
        missing.append(f"the limits file {file}")
    if settings.max_live_notional is None:
        missing.append("the cap --max-live-notional AMOUNT")
    return missing


def _read(file: Path) -> dict[str, Any]:
    try:
        table: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error
    return dict(table)
