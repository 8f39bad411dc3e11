"""What is said is shown as it was said: it is no link, no picture and no markup, and its sources are numbered."""

import pytest

from arena.seasons.heard import Done, Failed, Piece, Spoken, ToolEnded, ToolStarted
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.chat.answer import Answer
from arena.ui.chat.citations import sources_of
from arena.ui.chat.messages import answer_messages, cited_text, inert, question_message
from arena.ui.chat.sources import sources_panel
from tests.arena.ui.hostile import PAYLOADS
from trading.domain.errors import ModelUnavailable

STARTED = ToolStarted(call_id="c1", tool="get_account", arguments_json='{"a":1}')
ENDED = ToolEnded(
    call_id="c1", tool="get_account", outcome="ok", as_of_ms=0, latency_ms=12.0, content='{"equity":"10000"}'
)


def unescaped(text: str) -> str:
    """What is left of Markdown once everything that is escaped is taken out."""
    left, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        left.append(text[at])
        at += 1
    return "".join(left)


@pytest.mark.parametrize(
    "text", [*PAYLOADS, "# big", "    code", "- list", "1. one", "https://evil.example", "a\n\n---\nb"]
)
def test_nothing_a_model_or_a_person_writes_is_markdown(text: str) -> None:
    assert not set(unescaped(inert(text))) & set("<>[]()!#*_`~|&@:/.-+={}$\\\"'\x1b\u202e")
    assert not any(line.startswith(" ") for line in inert(text).splitlines())


def heard(*events: object, by: str = "momentum", **about: object) -> Answer:
    answer = Answer(by=by, **about)  # type: ignore[arg-type]
    for event in events:
        answer.hear(event)  # type: ignore[arg-type]
    return answer


def test_look_ups_are_steps_under_one_heading() -> None:
    thinking = answer_messages(heard(), "a")
    assert thinking[0]["metadata"] == {"title": "Thinking", "status": "pending"}
    running = answer_messages(heard(STARTED), "a")
    assert [message["metadata"]["status"] for message in running] == ["pending", "pending"]
    assert running[0]["metadata"]["title"] == "Looking up 1\N{NO-BREAK SPACE}thing"
    whole, step, words = answer_messages(heard(STARTED, ENDED, Piece(text="Equity is fine.")), "a")
    assert whole["metadata"]["title"] == "Looked up 1\N{NO-BREAK SPACE}thing"
    assert (whole["metadata"]["status"], step["metadata"]["parent_id"]) == ("done", whole["metadata"]["id"])
    assert step["metadata"] | {"title": "get_account", "status": "done", "duration": 0.012} == step["metadata"]
    assert words["content"] == r"Equity is fine\."


def test_a_tool_that_a_model_made_up_is_not_named() -> None:
    made_up = ToolStarted(call_id="c", tool="<img src=x onerror=alert(1)>", arguments_json="{}")
    assert answer_messages(heard(made_up), "a")[1]["metadata"]["title"] == "a tool that does not exist"


def test_citations_are_numbered_and_lead_to_the_decision(snapshot: FloorSnapshot) -> None:
    card = snapshot.decisions[0]
    text = f"Fine [get_account], for [{card.decision_id}] and again [get_account]; not [d-made-up] [x](y)."
    answer = heard(STARTED, ENDED, Piece(text=text), decisions=[card])
    shown = cited_text(answer)
    assert shown.count(r"\[1\]") == 2
    assert rf"[\[2\]](/decision?id={card.decision_id})" in shown
    assert r"\[d\-made\-up\]" in shown
    assert [source.number for source in sources_of(answer).values()] == [1, 2]
    panel = sources_panel(answer)
    assert f'href="/decision?id={card.decision_id}"' in panel
    assert "get_account" in panel


def test_look_ups_that_are_not_cited_are_listed_without_a_number() -> None:
    answer = heard(STARTED, ENDED, Piece(text="Fine."), Done(spoken=Spoken(text="Fine.", tokens_in=0, tokens_out=0)))
    assert [source.number for source in sources_of(answer).values()] == [None]
    assert "This answer took no tokens." in sources_panel(answer)
    assert "cites nothing" in sources_panel(heard(Done(spoken=Spoken(text="", tokens_in=None, tokens_out=None))))


def test_a_failure_says_why() -> None:
    failed = heard(Failed(error=ModelUnavailable("the maker [is](http://x) down", reason="timeout")))
    (message,) = answer_messages(failed, "a")
    assert message["content"] == r"**No answer.** The maker \[is\]\(http\:\/\/x\) down\."


def test_a_question_is_shown_as_it_was_asked() -> None:
    assert question_message("<b>Why?</b>") == {"role": "user", "content": r"\<b\>Why\?\<\/b\>"}
