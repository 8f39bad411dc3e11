"""A house to serve in tests: a floor, and settings over a folder of its own."""

import tempfile
from pathlib import Path
from typing import Any

from arena.services import Services
from arena.settings import Settings


def house(floor: Any, *, home: Path | None = None, **parts: Any) -> Services:
    """Services over ``floor``. Without a ``home`` it is a folder that is not there, under the system's own."""
    folder = home or Path(tempfile.gettempdir()) / "tradefloor-no-home"
    return Services(floor=floor, settings=Settings.load({"home": folder}), **parts)
