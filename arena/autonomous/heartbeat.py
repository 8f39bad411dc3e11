"""The heartbeat file of a run: what any other program needs to see whether it lives, without asking it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trading.domain.errors import RequestError

FILE = "heartbeat.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """How a run stood when this was written. Instants are wall clock, milliseconds since 1970.

    ``status`` is ``waiting``, ``deciding``, ``halted`` or ``stopped``; ``looked_ms`` is when its loop last did
    anything. ``stale`` holds what is not heard, with words that say since when.
    """

    run_id: str
    pid: int
    status: str
    written_ms: int
    looked_ms: int
    round_index: int
    rounds: int
    stale: dict[str, str] = field(default_factory=dict)
    halted: str | None = None


def write_heartbeat(folder: Path, beat: Heartbeat) -> None:
    """Put the file in place whole: a reader sees the one before or this one."""
    partial = folder / f"heartbeat.{os.getpid()}.partial"
    partial.write_text(json.dumps(asdict(beat)), encoding="utf-8")
    partial.replace(folder / FILE)


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """The last heartbeat of a run folder; None where there is none. RequestError for a file that is none."""
    try:
        return Heartbeat(**json.loads((folder / FILE).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(f"{folder / FILE}: not a heartbeat ({type(error).__name__})") from error
