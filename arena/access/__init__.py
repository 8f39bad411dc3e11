"""Who asks, and what they may do: the border decides it once for each request, everything behind it only looks."""

from arena.access.caller import LOCAL, Caller, Role, caller_of
from arena.access.refusals import Forbidden

__all__ = ["LOCAL", "Caller", "Forbidden", "Role", "caller_of"]
