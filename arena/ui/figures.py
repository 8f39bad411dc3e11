"""Numbers as the pages print them: a real minus, a no-break space before the unit, ``n/a`` for what is not known."""

import math
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
UNKNOWN = "n/a"


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """``1,234.50``; with ``signed`` the sign is always shown, except on what rounds to zero."""
    if value is None or not _known(value):
        return UNKNOWN
    rounded = round(value, digits)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{digits}f}"


def percent(fraction: float | None, digits: int = 1, *, signed: bool = True) -> str:
    """A fraction as ``+3.1 %``."""
    if fraction is None or not _known(fraction):
        return UNKNOWN
    return f"{number(fraction * 100, digits, signed=signed)}{NBSP}%"


def dollars(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """``$1,234.50`` or ``+$3.10``."""
    text = number(value, digits, signed=signed)
    if text == UNKNOWN:
        return text
    sign, bare = (text[0], text[1:]) if text[0] in f"+{MINUS}" else ("", text)
    return f"{sign}${bare}"


def price(value: float | None) -> str:
    """A price with as many digits as its size asks for: ``64,210.5``, ``1.2345``, ``0.00012345``."""
    if value is None or not _known(value):
        return UNKNOWN
    if value == 0:
        return "0"
    digits = 4 - math.floor(math.log10(abs(value)))
    return number(value, min(max(digits, 1), 10))


def span(interval: tuple[float, float] | None, digits: int = 1) -> str:
    """An interval of fractions in words: ``−2.1 % to +4.0 %``."""
    if interval is None:
        return UNKNOWN
    return f"{percent(interval[0], digits)} to {percent(interval[1], digits)}"


def rank(first: int, last: int) -> str:
    """A rank with its tie: ``1`` or ``1–3``."""
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"


def excludes_zero(interval: tuple[float, float] | None) -> bool:
    """True where an interval says that the sign is known."""
    return interval is not None and (interval[0] > 0 or interval[1] < 0)


def clock(ts_ms: int) -> str:
    """``23:42:07``, UTC."""
    return datetime.fromtimestamp(ts_ms / 1000, tz=UTC).strftime("%H:%M:%S")


def clock_short(ts_ms: int) -> str:
    """``23:42``, UTC."""
    return datetime.fromtimestamp(ts_ms / 1000, tz=UTC).strftime("%H:%M")


def day(ts_ms: int) -> str:
    """``17 Oct 2025``, UTC."""
    return datetime.fromtimestamp(ts_ms / 1000, tz=UTC).strftime("%d %b %Y").lstrip("0")


def day_clock(ts_ms: int) -> str:
    """``17 Oct 23:42``, UTC."""
    return datetime.fromtimestamp(ts_ms / 1000, tz=UTC).strftime("%d %b %H:%M").lstrip("0")


def duration(ms: float) -> str:
    """A length of time in its natural unit: ``12 ms``, ``4.2 s``, ``3 min``, ``5.5 h``, ``12 days``."""
    if ms < 1_000:
        return f"{number(ms, 0)}{NBSP}ms"
    seconds = ms / 1_000
    if seconds < 120:
        return f"{number(seconds, 1 if seconds < 10 else 0)}{NBSP}s"
    if seconds < 3_600:
        return f"{number(seconds / 60, 0)}{NBSP}min"
    if seconds < 172_800:
        hours = round(seconds / 3_600, 1)
        return f"{number(hours, 0 if hours.is_integer() else 1)}{NBSP}h"
    return f"{number(seconds / 86_400, 0)}{NBSP}days"


def count(value: int, one: str, many: str) -> str:
    """``1 desk``, ``8 desks``, ``no desks``."""
    if value == 0:
        return f"no {many}"
    return f"{value:,}{NBSP}{one if value == 1 else many}"
