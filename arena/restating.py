"""Corrections of results: a run is taken out of the leaderboard, or put back, with a reason that stays visible.

No result is ever changed or removed: the file is only added to, and the last word on a run counts.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from trading.domain.clock import SystemClock
from trading.domain.errors import RequestError
from trading.domain.instants import iso

_FILE = "restatements.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """One correction: ``excluded`` from ``at`` (ISO 8601, by the wall clock) on, or counted again."""

    at: str
    run: str
    excluded: bool
    reason: str

    def to_json(self) -> dict[str, object]:
        """The entry of ``restatements``."""
        return asdict(self)


def restate(home: Path, run: str, *, reason: str, excluded: bool) -> Restatement:
    """Add a correction. Raises RequestError for an empty reason or where nothing would change."""
    said = " ".join(reason.split())
    if not said:
        raise RequestError("--reason is empty: say why the result is corrected")
    if (run in excluded_runs(home)) == excluded:
        raise RequestError(f"{run} {'is left out' if excluded else 'counts'} already; `tradefloor leaderboard` says so")
    made = Restatement(at=iso(SystemClock().now_ms()), run=run, excluded=excluded, reason=said)
    with (home / _FILE).open("ab") as file:
        file.write(orjson.dumps(made.to_json()) + b"\n")
    return made


def restatements(home: Path) -> list[Restatement]:
    """Every correction, oldest first. Raises RequestError for a file that is damaged."""
    path = home / _FILE
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(Restatement(**orjson.loads(line)))
        except (ValueError, TypeError):
            raise RequestError(f"{path}: line {number} is no restatement; put the file back as it was") from None
    return found


def excluded_runs(home: Path) -> dict[str, Restatement]:
    """The runs that are left out now, with why."""
    latest = {one.run: one for one in restatements(home)}
    return {run: one for run, one in latest.items() if one.excluded}
