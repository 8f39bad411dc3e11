"""Answers of several desks to one question, side by side; in a battle without a sign of who gives them."""

from collections.abc import Sequence

from arena.battling import Duel
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.chat.answer import Answer
from arena.ui.chat.citations import Source, marked, sources_of
from arena.ui.chat.messages import decision_path
from arena.ui.components.marks import kind_chip, swatch
from arena.ui.components.markup import Html, element, join
from arena.ui.components.states import empty
from arena.ui.figures import NBSP, count, duration, number
from evals.promptlab.battle import Rating, blotted

AT_MOST = 3
_PICKED = 2
_INTERVAL_VOTES = 20


def desk_picker(snapshot: FloorSnapshot) -> Html:
    """A box to tick for every desk; scripts read what is ticked when the question is sent."""
    boxes = [
        element(
            "label",
            element("input", type="checkbox", value=desk.name, checked=place < _PICKED),
            swatch(desk.slot, desk.kind),
            desk.name,
        )
        for place, desk in enumerate(snapshot.desks)
    ]
    legend = element("legend", f"Ask two or three of {count(len(boxes), 'desk', 'desks')}")
    return element("fieldset", legend, *boxes, class_="tf tf-picker")


def compared(question: str, answers: Sequence[Answer], snapshot: FloorSnapshot | None) -> Html:
    """One column an answer, each under its desk."""
    desks = {desk.name: desk for desk in (snapshot.desks if snapshot is not None else ())}
    columns = [
        _column(
            answer,
            *((swatch(desks[answer.by].slot, desks[answer.by].kind),) if answer.by in desks else ()),
            element("b", answer.by),
            kind_chip(desks[answer.by].kind, short=True) if answer.by in desks else None,
        )
        for answer in answers
    ]
    return _sheet(question, columns)


def duel_sheet(duel: Duel, answers: Sequence[Answer], *, revealed: bool) -> Html:
    """Two answers without names, or after the vote with them."""
    columns = []
    for letter, desk, answer in zip("AB", duel.desks, answers, strict=True):
        who = (swatch(desk.slot, desk.kind), element("b", f"{letter} was {desk.name}"), kind_chip(desk.kind))
        heads = who if revealed else (element("b", f"Answer {letter}"),)
        columns.append(_column(answer, *heads, hidden=() if revealed else duel.hidden))
    return _sheet(duel.question, columns)


def nothing_asked(title: str, text: str) -> Html:
    """What stands there before the first question."""
    return empty(title, text)


def votes_so_far(votes: int, rated: Sequence[Rating]) -> Html:
    """What all votes on answers say."""
    if not rated:
        return element("p", "No votes on answers yet.", class_="tf tf-side-note")
    rows = [
        element(
            "li",
            element("span", one.desk),
            element("b", number(one.strength.elo, 0)),
            element("span", count(one.strength.duels, "duel", "duels"), class_="tf-caption"),
        )
        for one in rated
    ]
    more = "" if votes >= _INTERVAL_VOTES else f" Too few to tell desks apart: intervals need {_INTERVAL_VOTES}."
    said = f"{count(votes, 'vote', 'votes')} on answers, Bradley-Terry on the Elo scale.{more}"
    return element("div", element("p", said, class_="tf-side-note"), element("ol", *rows), class_="tf tf-votes")


def _sheet(question: str, columns: Sequence[Html]) -> Html:
    return element(
        "div",
        element("p", question, class_="tf-asked"),
        element("div", *columns, class_="tf-columns"),
        class_="tf tf-sheet",
    )


def _column(answer: Answer, *who: Html | None, hidden: Sequence[str] = ()) -> Html:
    return element(
        "article",
        element("header", *who, element("span", _state(answer), class_="tf-caption")),
        _looked_up(answer),
        element("div", *_paragraphs(answer, hidden), class_="tf-words"),
        element("p", f"No answer. {answer.failure}", class_="tf-refused") if answer.failure is not None else None,
        class_="tf-column",
        aria_busy="false" if answer.is_over else "true",
    )


def _state(answer: Answer) -> str:
    if answer.is_over:
        return ""
    return "answering" if answer.text else "looking things up" if answer.steps else "thinking"


def _looked_up(answer: Answer) -> Html | None:
    if not answer.steps:
        return None
    lines = [
        element("p", element("span", step.name, class_="tf-mono"), f"{NBSP}{duration(step.ended.latency_ms)}")
        if step.ended is not None
        else element("p", element("span", step.name, class_="tf-mono"), f"{NBSP}…")
        for step in answer.steps
    ]
    title = f"Looked up {count(len(lines), 'thing', 'things')}"
    return element(
        "details",
        element(
            "summary", element("span", title), element("span", duration(answer.looked_s * 1_000), class_="tf-side")
        ),
        *lines,
        class_="tf-more",
    )


def _paragraphs(answer: Answer, hidden: Sequence[str]) -> list[Html]:
    sources = sources_of(answer)
    return [
        element("p", join(_mark(words, source, hidden) for words, source in marked(line, sources)))
        for line in answer.text.splitlines()
        if line.strip()
    ]


def _mark(words: str, source: Source | None, hidden: Sequence[str]) -> str:
    if source is None:
        return blotted(words, hidden)
    mark = f"[{source.number}]"
    if source.decision is None or hidden:
        return element("span", mark, class_="tf-caption")
    return element("a", mark, href=decision_path(source.decision.decision_id))
