"""Our client order ids in the form that an exchange takes, and back."""

import re
from collections.abc import Callable
from typing import NamedTuple

from trading.domain.errors import RequestError

_OURS = re.compile(r"tf-([0-9a-f]{20})")
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{1,36}")
_TAG = "74660000" + "4000"  # "tf"; the 4 stands where a random UUID keeps its version


class _Form(NamedTuple):
    to_wire: Callable[[str], str]
    from_wire: Callable[[str], str]


def _hex(client_order_id: str) -> str:
    found = _OURS.fullmatch(client_order_id)
    if found is None:
        raise RequestError(f"client order id {client_order_id!r}: expected tf- and 20 hexadecimal digits")
    return _TAG + found[1]


def _from_hex(digits: str) -> str:
    return f"tf-{digits[len(_TAG) :]}" if digits.startswith(_TAG) and len(digits) == 32 else ""


def _plain(client_order_id: str) -> str:
    if _PLAIN.fullmatch(client_order_id) is None:
        raise RequestError(f"client order id {client_order_id!r}: expected at most 36 letters, digits and ._:/-")
    return client_order_id


def _uuid(client_order_id: str) -> str:
    digits = _hex(client_order_id)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_FORMS = {
    "plain": _Form(_plain, lambda told: told),
    "hex128": _Form(lambda ours: "0x" + _hex(ours), lambda told: _from_hex(told.removeprefix("0x").lower()) or told),
    "uuid": _Form(_uuid, lambda told: _from_hex(told.replace("-", "").lower()) or told),
}


def to_wire(client_order_id: str, form: str) -> str:
    """The id as it is sent: ``plain`` as it is, ``hex128`` as 16 bytes in hexadecimal, ``uuid`` with hyphens.

    Raises RequestError for an id that has no such form; the ids of :mod:`trading.domain.ids` have all of them.
    """
    return _FORMS[form].to_wire(client_order_id)


def from_wire(told: str | None, form: str) -> str:
    """The id by which the house knows an order; what is not of the house stays as it is told."""
    return _FORMS[form].from_wire(told or "")
