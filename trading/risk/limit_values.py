"""Values of limits as text and back, and which of two is the tighter."""

from decimal import Decimal
from typing import Any

from trading.domain.errors import ConfigError, RequestError
from trading.domain.money import money_text
from trading.risk.limits import Limits


def parsed(house: Limits, name: str, value: str) -> Any:
    """A value as the limit's own type. Raises RequestError for an unknown limit or a value that is none."""
    if name not in type(house).model_fields:
        known = ", ".join(type(house).model_fields)
        raise RequestError(f"{name!r}: no such limit; the limits are {known}")
    given: Any = value.strip()
    if isinstance(getattr(house, name), tuple):
        given = tuple(part.strip() for part in given.split(",") if part.strip())
    elif isinstance(getattr(house, name), int):
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            raise RequestError(f"{name} = {value[:40]!r}: expected a whole number")
        given = int(given)
    try:
        return getattr(house.checked({name: given}), name)
    except ConfigError as error:
        raise RequestError(str(error)) from error


def limit_text(value: Any) -> str:
    """A limit in plain digits, names with commas between them."""
    if isinstance(value, tuple):
        return ",".join(value)
    return money_text(value) if isinstance(value, Decimal) else str(value)


def looser(wanted: Any, current: Any) -> bool:
    """Whether ``wanted`` admits something that ``current`` does not."""
    if isinstance(current, tuple):
        return bool(current) and (not wanted or not set(wanted) <= set(current))
    return bool(wanted > current)


def tighter(base: Any, live: Any) -> Any:
    """What both values admit."""
    if isinstance(base, tuple):
        if not base or not live:
            return base or live
        # Nothing in common admits nothing: a name that no instrument has, since an empty list would admit all.
        return tuple(name for name in base if name in live) or ("nothing",)
    return min(base, live)
