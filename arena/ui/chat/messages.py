"""An exchange as Gradio's Chatbot takes it: the question, the look-ups as nested steps, and the answer.

The Chatbot reads Markdown. Whatever a person or a model wrote is escaped, so that nothing of it is a link or a picture.
"""

import re
from typing import Any
from urllib.parse import quote

from arena.ui.chat.answer import Answer, Step
from arena.ui.chat.citations import Source, marked, sources_of
from arena.ui.components.markup import plain
from arena.ui.figures import count

Message = dict[str, Any]

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHOWN_CHARS = 600


def inert(text: str) -> str:
    """``text`` as Markdown that says exactly that and does nothing."""
    lines = (line.strip() for line in plain(text).splitlines())
    return "\n".join(_PUNCTUATION.sub(r"\\\1", line) for line in lines)


def question_message(text: str) -> Message:
    """What the person asked."""
    return {"role": "user", "content": inert(text)}


def answer_messages(answer: Answer, ident: str) -> list[Message]:
    """The steps and the words of ``answer`` so far; ``ident`` tells its steps from those of other answers."""
    found = _steps(answer, ident)
    if answer.text:
        found.append({"role": "assistant", "content": cited_text(answer)})
    if answer.failure is not None:
        found.append({"role": "assistant", "content": f"**No answer.** {inert(_sentence(answer.failure))}"})
    elif not found:
        found.append({"role": "assistant", "content": "", "metadata": {"title": "Thinking", "status": "pending"}})
    return found


def cited_text(answer: Answer) -> str:
    """The words so far, marks turned into numbers; that of a decision leads to its page."""
    sources = sources_of(answer)
    return "".join(
        _mark(source) if source is not None else _paragraphs(inert_part(words))
        for words, source in marked(answer.text, sources)
    )


def inert_part(text: str) -> str:
    """As :func:`inert`, for a part of a line: blanks at its ends stay."""
    return _PUNCTUATION.sub(r"\\\1", plain(text))


def decision_path(decision_id: str) -> str:
    """Where a decision is shown."""
    return f"/decision?id={quote(decision_id, safe='')}"


def _paragraphs(text: str) -> str:
    return re.sub(r"[ \t]*\n[ \t]*", "\n\n", text)


def _mark(source: Source) -> str:
    mark = f"\\[{source.number}\\]"
    return mark if source.decision is None else f"[{mark}]({decision_path(source.decision.decision_id)})"


def _steps(answer: Answer, ident: str) -> list[Message]:
    if not answer.steps:
        return []
    running = answer.is_looking and not answer.is_over
    things = count(len(answer.steps), "thing", "things")
    whole: Message = {
        "role": "assistant",
        "content": "",
        "metadata": {
            "title": f"{'Looking' if running else 'Looked'} up {things}",
            "id": ident,
            "status": "pending" if running else "done",
        },
    }
    if not running:
        whole["metadata"]["duration"] = round(answer.looked_s, 2)
    return [whole, *(_step(step, ident, number) for number, step in enumerate(answer.steps))]


def _step(step: Step, ident: str, number: int) -> Message:
    about: Message = {"title": step.name, "id": f"{ident}-{number}", "parent_id": ident}
    arguments = inert(step.started.arguments_json[:_SHOWN_CHARS])
    if step.ended is None:
        return {"role": "assistant", "content": arguments, "metadata": {**about, "status": "pending"}}
    result = inert(step.ended.content[:_SHOWN_CHARS]) + (" …" if len(step.ended.content) > _SHOWN_CHARS else "")
    outcome = "" if step.ended.outcome == "ok" else f"{inert(step.ended.outcome)}: "
    return {
        "role": "assistant",
        "content": f"{arguments}\n\n{outcome}{result}",
        "metadata": {**about, "status": "done", "duration": max(round(step.ended.latency_ms / 1_000, 3), 0.001)},
    }


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
