"""What stands behind the web app, the API and the MCP server: one value, made once, handed to whoever serves.

What lies under the home folder (runs, limits, approvals, memory, evals) is opened from there by whoever needs it.
"""

from dataclasses import dataclass, field
from pathlib import Path

from arena.floor import Floor
from arena.jobs import Jobs
from arena.meters import Meters
from arena.seasons.reception import Reception
from arena.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """A served house: the season on the floor, whoever speaks for its desks, and the settings it was started with.

    Without a ``reception`` no desk can be spoken to; without ``meters`` nothing is counted.
    """

    floor: Floor
    settings: Settings
    reception: Reception | None = None
    meters: Meters | None = None
    jobs: Jobs = field(default_factory=Jobs)

    @property
    def home(self) -> Path:
        """The folder of everything that is kept."""
        return self.settings.home
