"""Text that a model wrote, made safe to show to another one: no markers of roles or fences, and not long."""

import re

MAX_CHARS = 400
"""No remembered text is longer."""

_MARKERS = re.compile(
    r"<\|[^|>]{0,40}\|>|\[/?INST\]|<<?/?SYS>>?|<[^<>]{0,80}>|```+|={3,}|#{2,}"
    r"|\b(?:system|assistant|user|developer|human|tool)\s*:",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """``text`` on one line without markers of roles or fences, cut to ``limit`` characters."""
    plain = _INVISIBLE.sub("", text[: 8 * limit])
    before = None
    while before != plain:  # what is left of a marker inside a marker may be one
        before, plain = plain, _MARKERS.sub(" ", plain)
    plain = _SPACE.sub(" ", plain.replace("<", " ").replace(">", " ")).strip()
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
