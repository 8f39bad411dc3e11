"""One season file played several times: over several windows of time, and with several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from arena.refusal import one_line
from arena.seasons.rules import SeasonRules
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import iso, parse_instant, to_ms
from trading.storage.runs import RunFolder, Runs

MOST_SEASONS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One of the seasons: the ``number``-th try, from 0, of a window."""

    rules: SeasonRules
    window: str
    number: int


def read_window(text: str) -> tuple[datetime, datetime]:
    """The two instants of ``START..END``. Raises ConfigError."""
    start, dots, end = text.partition("..")
    if not dots:
        raise ConfigError(f"--window {text!r}: expected START..END, such as 2025-10-17T00:00:00Z..2025-10-24T00:00:00Z")
    try:
        return parse_instant(start), parse_instant(end)
    except RequestError as error:
        raise ConfigError(f"--window {text!r}: {error}") from None


def repeats(rules: SeasonRules, windows: Sequence[str], count: int, *, mask: int | None = None) -> list[Repeat]:
    """The seasons of ``rules``: each window ``count`` times, the seed one higher each time.

    Without windows it is the file's own. ``mask`` is the mask of the first try, and one higher each time like the seed.
    What differs between desks of one season is theirs alone: all of a season play the same window, seed and mask.
    Raises ConfigError for a window that is none or that the rules refuse.
    """
    spans = [read_window(text) for text in windows] or [(rules.season.start, rules.season.end)]
    if len(spans) * count > MOST_SEASONS:
        raise ConfigError(f"{len(spans)} windows times {count} are more than {MOST_SEASONS} seasons; ask for fewer")
    return [
        Repeat(
            rules=_changed(rules, start, end, number, mask),
            window=f"{iso(to_ms(start))}..{iso(to_ms(end))}",
            number=number,
        )
        for start, end in spans
        for number in range(count)
    ]


def finished(home: Path, content_sha256: str) -> RunFolder | None:
    """The last finished run of exactly this content, None where there is none."""
    runs = Runs(home).all() if home.is_dir() else []
    done = [run for run in runs if run.is_finished and run.manifest.get("content_sha256") == content_sha256]
    return done[-1] if done else None


def _changed(rules: SeasonRules, start: datetime, end: datetime, number: int, mask: int | None) -> SeasonRules:
    table = rules.model_dump(by_alias=True)
    table["season"] |= {"start": start, "end": end, "seed": rules.season.seed + number}
    if mask is not None:
        table["market"]["mask"] = mask + number
    try:
        changed = SeasonRules.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"window {iso(to_ms(start))}..{iso(to_ms(end))}: {one_line(error, SeasonRules)}") from error
    return changed.model_copy(update={"cassette": rules.cassette})
