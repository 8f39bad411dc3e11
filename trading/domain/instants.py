"""Instants and durations: UTC, milliseconds inside, ISO 8601 with zone outside."""

import re
from datetime import UTC, datetime

from trading.domain.errors import RequestError

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"([1-9]\d{0,5})([smhdw])")


def duration_ms(text: str) -> int:
    """Milliseconds in a duration such as ``"15m"``, ``"1h"`` or ``"7d"``."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise RequestError(f"duration {text!r}: expected a whole number and one of s, m, h, d, w, such as 15m or 4h")
    return int(found[1]) * _UNIT_MS[found[2]]


def duration_text(ms: int) -> str:
    """The shortest text that :func:`duration_ms` reads back: ``3_600_000`` gives ``"1h"``."""
    for unit in ("d", "h", "m", "s"):
        if ms > 0 and ms % _UNIT_MS[unit] == 0:
            return f"{ms // _UNIT_MS[unit]}{unit}"
    raise ValueError(f"{ms} ms is not a whole number of seconds above zero")


def parse_instant(text: str) -> datetime:
    """An aware UTC instant from ISO 8601 text; a text without zone is refused."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            raise RequestError(f"time {text!r} has no zone: write 2025-10-17T00:00:00Z or an offset")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RequestError(f"time {text!r}: expected ISO 8601 with zone, such as 2025-10-17T00:00:00Z") from None


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no zone")
    return round(instant.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def iso(ms: int) -> str:
    """ISO 8601 in UTC, with milliseconds only where there are any: ``2025-10-17T00:00:00Z``."""
    seconds, rest = divmod(ms, 1000)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"
