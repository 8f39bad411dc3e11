"""A limit with how much of it is used, as the gate shows it to desks and pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One hard limit. ``limit`` and ``used`` are plain texts in ``unit``; ``used`` is None where no use is known."""

    rule: str
    limit: str
    used: str | None
    unit: str
    description: str
