"""Finding the controls: every module of this folder is looked through once."""

import importlib
import pkgutil
from pathlib import Path

from trading.risk.controls.control import Control


def discover() -> tuple[Control, ...]:
    """Every control, by rising stage. Raises ValueError where two share an id or a stage."""
    package = __name__.rpartition(".")[0]
    own = {"catalogue", "control", "discovery"}
    found: list[Control] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name not in own:
            names = vars(importlib.import_module(f"{package}.{module.name}")).values()
            found += [each for each in names if isinstance(each, Control)]
    for key in ("rule", "stage"):
        values = [getattr(each, key) for each in found]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"two controls have the {key} {twice[0]!r}")
    return tuple(sorted(found, key=lambda each: each.stage))


CONTROLS: tuple[Control, ...] = discover()
