"""Every role there is."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from agents.spec import AgentSpec


@cache
def discover_roles() -> Mapping[str, AgentSpec]:
    """The ``SPEC`` of every module of this folder that has one, by role."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    found = [getattr(import_module(f"agents.roles.{name}"), "SPEC", None) for name in sorted(names)]
    return MappingProxyType({spec.role: spec for spec in found if isinstance(spec, AgentSpec)})
