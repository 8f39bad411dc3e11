"""The one place where text becomes markup: whatever is not markup already is escaped, once."""

import html
import re
from collections.abc import Iterable

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_VOID = frozenset({"br", "line", "path", "rect", "polyline", "meta", "input", "link"})


class Html(str):
    """Markup that was built by :func:`element` and needs no more escaping."""

    __slots__ = ()


def plain(text: str) -> str:
    """``text`` without terminal sequences, control characters and direction overrides."""
    return _CONTROL.sub("", text)


def escape(text: str) -> Html:
    """Any text as inert markup, and as :func:`plain` text."""
    return Html(html.escape(plain(text), quote=True))


def join(parts: Iterable[str | None], separator: str = "") -> Html:
    """The parts in order, text escaped and markup as it is; None is left out."""
    return Html(escape(separator).join(_child(part) for part in parts if part is not None))


def element(name: str, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element. Text children and attribute values are escaped; an attribute of None or False is left out.

    Attribute names are written with underscores: ``class_``, ``aria_label``, ``stroke_width``.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def _child(part: str) -> str:
    return part if isinstance(part, Html) else escape(part)


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = "viewBox" if key == "viewBox" else key.rstrip("_").replace("_", "-")
    if name == "preserveaspectratio":
        name = "preserveAspectRatio"
    if value is True:
        return f" {name}"
    return f' {name}="{escape(f"{value:g}" if isinstance(value, float) else str(value))}"'
