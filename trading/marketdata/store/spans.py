"""Stretches of time, and which of them are left."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """From ``begin_ms`` up to but without ``end_ms``, milliseconds since 1970."""

    begin_ms: int
    end_ms: int


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same times in order, with what touches or overlaps as one span; empty ones fall away."""
    found: list[Span] = []
    for span in sorted(each for each in spans if each.end_ms > each.begin_ms):
        if found and span.begin_ms <= found[-1].end_ms:
            found[-1] = Span(found[-1].begin_ms, max(found[-1].end_ms, span.end_ms))
        else:
            found.append(span)
    return tuple(found)


def without(wanted: Span, known: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of ``wanted`` that no span of ``known`` covers, in order."""
    left: list[Span] = []
    begin_ms = wanted.begin_ms
    for span in joined(known):
        if span.begin_ms > begin_ms:
            left.append(Span(begin_ms, min(span.begin_ms, wanted.end_ms)))
        begin_ms = max(begin_ms, span.end_ms)
    left.append(Span(begin_ms, wanted.end_ms))
    return joined(left)
