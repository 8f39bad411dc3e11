"""What stands behind the web app, the API and the MCP server: one value, made once, handed to whoever serves.

What lies under the home folder (runs, limits, approvals, memory, evals) is opened from there by whoever needs it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from arena.floor import Floor
from arena.jobs import Jobs
from arena.meters import Meters
from arena.seasons.floor_mind import FloorMind
from arena.seasons.next_mode import Mode
from arena.seasons.reception import Reception
from arena.settings import Settings
from arena.tickets.counter import Counter
from arena.traces.transcripts import Transcripts


class Beginner(Protocol):
    """Who can begin the season on the floor anew."""

    @property
    def can_reset(self) -> bool:
        """Whether it can be now."""
        ...

    def reset(self, reason: str) -> None:
        """End the run and start another one on the same rules. Raises RequestError where that cannot be."""
        ...

    @property
    def next_mode(self) -> Mode | None:
        """The mode chosen for the next run, None where it is that of this one."""
        ...

    def choose_mode(self, mode: Mode, *, who: str, reason: str) -> None:
        """Let the next run be in ``mode``. Raises RequestError where that cannot be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """A served house: the season on the floor, whoever speaks for its desks, and the settings it was started with.

    Without a ``reception`` no desk can be spoken to; without an ``assistant`` that of the floor is a rule; without
    ``meters`` nothing is counted; without a ``counter`` nobody trades by hand; without the ``season`` on the floor
    nobody can begin it anew; without ``transcripts`` what models said is known from cassettes alone.
    """

    floor: Floor
    settings: Settings
    reception: Reception | None = None
    assistant: FloorMind | None = None
    meters: Meters | None = None
    season: Beginner | None = None
    transcripts: Transcripts | None = None
    counter: Counter | None = None
    jobs: Jobs = field(default_factory=Jobs)

    @property
    def home(self) -> Path:
        """The folder of everything that is kept."""
        return self.settings.home
