"""A caller: a name and a role, as the border found them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from arena.access.refusals import Forbidden

SCOPE_KEY = "tradefloor.caller"
"""Where the border leaves the caller in the scope of a request (ASGI)."""


class Role(IntEnum):
    """What a caller may do; each role may do what the ones before it may."""

    VIEWER = 1
    """Read everything that is not a secret, and talk to desks."""

    TRADER = 2
    """Halt and resume, answer proposals, place and cancel orders by hand, run evals."""

    ADMIN = 3
    """Change limits, modes and prompts, reset the floor, manage access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. ``name`` stands in the audit and beside acts on pages."""

    name: str
    role: Role

    def check(self, role: Role) -> None:
        """Raise Forbidden where the caller has less than ``role``."""
        if self.role < role:
            raise Forbidden(
                f"{self.name} is a {self.role.name.lower()}; this needs a {role.name.lower()}: "
                "ask an administrator, or log in as somebody else"
            )


LOCAL = Caller(name="this machine", role=Role.ADMIN)
"""Whoever asks over loopback where no login is asked for."""


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """The caller whom the border found for this request.

    Raises Forbidden where no border was passed: such a request must never be served as anybody.
    """
    found = scope.get(SCOPE_KEY)
    if not isinstance(found, Caller):
        raise Forbidden("the request passed no border, so nobody knows who asks")
    return found
