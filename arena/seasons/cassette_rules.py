"""``[cassette]``: where the answers of models are kept, and whether they are asked again."""

from pathlib import Path
from typing import Literal, Self

from arena.seasons.fields import Table
from trading.domain.errors import ConfigError

Mode = Literal["off", "record", "replay", "auto"]
_MODES = ("off", "record", "replay", "auto")


class CassetteRules(Table):
    """``auto`` answers from the cassette what it has and asks and records the rest; ``record`` asks everything anew.

    ``replay`` asks nobody. Without a ``path`` the cassette lies in the run's folder. A relative path starts at the
    working folder.
    """

    mode: Mode = "auto"
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``MODE`` or ``MODE:PATH``, as on the command line. Raises ConfigError."""
        mode, colon, path = text.partition(":")
        if mode not in _MODES or (colon and not path):
            raise ConfigError(f"--cassette {text}: expected {', '.join(_MODES)}, or one of them with :PATH")
        return cls.model_validate({"mode": mode, "path": path or None})
