"""Every strategy of the house."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from agents.llm.house.strategies.strategy import Strategy


@cache
def discover_strategies() -> Mapping[str, Strategy]:
    """The ``STRATEGY`` of every module of this folder that has one, by name."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    found = [getattr(import_module(f"agents.llm.house.strategies.{name}"), "STRATEGY", None) for name in sorted(names)]
    return MappingProxyType({each.name: each for each in found if isinstance(each, Strategy)})
