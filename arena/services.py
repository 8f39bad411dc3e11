"""What stands behind the web app, the API and the MCP server: one value, made once, handed to whoever serves.

What lies under the home folder (runs, limits, approvals, memory, evals) is opened from there by whoever needs it.
"""

from dataclasses import dataclass
from pathlib import Path

from arena.floor import Floor
from arena.meters import Meters
from arena.seasons.reception import Reception
from arena.settings import Settings
from arena.tickets.counter import Counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """A served house: the season on the floor, whoever speaks for its desks, and the settings it was started with.

    Without a ``reception`` no desk can be spoken to; without ``meters`` nothing is counted;
    without a ``counter`` nobody trades by hand.
    """

    floor: Floor
    settings: Settings
    reception: Reception | None = None
    meters: Meters | None = None
    counter: Counter | None = None

    @property
    def home(self) -> Path:
        """The folder of everything that is kept."""
        return self.settings.home
