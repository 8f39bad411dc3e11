"""What an answer cites: decisions by their ids, tools by their names, each with a number in the order of citing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from arena.seasons.heard import ToolEnded
from arena.seasons.snapshot import DecisionCard
from arena.ui.chat.answer import Answer

_MARK = re.compile(r"\[([A-Za-z0-9_.:-]{1,120})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A decision or a look-up that an answer rests on. ``number`` is None where it is not cited."""

    number: int | None
    decision: DecisionCard | None = None
    looked_up: ToolEnded | None = None


def sources_of(answer: Answer) -> dict[str, Source]:
    """What can be told of the sources of ``answer``, by what it writes in brackets: the cited ones first, numbered."""
    known = _known(answer)
    cited = dict.fromkeys(found for found in _MARK.findall(answer.text) if found in known)
    numbered = {key: _source(known[key], number) for number, key in enumerate(cited, start=1)}
    others = {key: _source(one, None) for key, one in known.items() if key not in cited and isinstance(one, ToolEnded)}
    return {**numbered, **others}


def marked(text: str, sources: dict[str, Source]) -> Iterator[tuple[str, Source | None]]:
    """``text`` in parts: words with None, and marks with the source they stand for."""
    at = 0
    for found in _MARK.finditer(text):
        source = sources.get(found[1])
        if source is None:
            continue
        yield text[at : found.start()], None
        yield found[0], source
        at = found.end()
    yield text[at:], None


def _known(answer: Answer) -> dict[str, DecisionCard | ToolEnded]:
    looked_up: dict[str, DecisionCard | ToolEnded] = {done.tool: done for done in answer.ended()}
    return {**{card.decision_id: card for card in answer.decisions}, **looked_up}


def _source(one: DecisionCard | ToolEnded, number: int | None) -> Source:
    if isinstance(one, DecisionCard):
        return Source(number=number, decision=one)
    return Source(number=number, looked_up=one)
