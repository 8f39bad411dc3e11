"""Who asks, and what they may do: the border decides it once for each request, everything behind it only looks.

People, tokens, sessions, limits on tries and rates, and the audit lie here; that requests come over HTTP does not.
"""

from arena.access.audit import Audit, Trail, Written, trail_of
from arena.access.caller import LOCAL, Caller, Role, caller_of
from arena.access.door import LOOPBACK, Door, door_for
from arena.access.people import People, Person
from arena.access.refusals import Forbidden
from arena.access.sessions import Sessions

__all__ = [
    "LOCAL",
    "LOOPBACK",
    "Audit",
    "Caller",
    "Door",
    "Forbidden",
    "People",
    "Person",
    "Role",
    "Sessions",
    "Trail",
    "Written",
    "caller_of",
    "door_for",
    "trail_of",
]
