"""What an answer used, beside it: cited decisions and look-ups with the instant they speak of, and its price."""

from arena.ui.chat.answer import Answer
from arena.ui.chat.citations import Source, sources_of
from arena.ui.chat.messages import decision_path
from arena.ui.components.markup import Html, element, join
from arena.ui.components.states import empty
from arena.ui.figures import clock, count, day_clock


def sources_panel(answer: Answer | None) -> Html:
    """The panel under its heading; with no answer yet, what will stand there."""
    heading = element("div", element("h2", "Data this answer used"), class_="tf-side-head")
    return element("section", heading, _body(answer), class_="tf tf-used", aria_label="Data this answer used")


def _body(answer: Answer | None) -> Html:
    if answer is None:
        return empty("No answer yet", "What an answer cites or looks up appears here.")
    found = sources_of(answer)
    if not found:
        words = "This answer cites nothing and looked nothing up." if answer.is_over else "Nothing so far."
        return element("p", words, class_="tf-side-note")
    return element("div", element("ol", *(_row(source) for source in found.values())), _price(answer))


def _row(source: Source) -> Html:
    number = element("b", "" if source.number is None else f"[{source.number}]")
    if source.decision is not None:
        card = source.decision
        name = f"Decision of {card.desk}, round {card.round_index + 1}: {card.status}"
        label, at_ms = element("a", name, href=decision_path(card.decision_id)), card.ts_ms
    else:
        assert source.looked_up is not None, "a source is a decision or a look-up"
        done = source.looked_up
        failed = "" if done.outcome == "ok" else f", {done.outcome}"
        label, at_ms = element("span", f"{done.tool}{failed}", class_="tf-mono"), done.as_of_ms
    when = element("time", clock(at_ms), title=f"{day_clock(at_ms)} UTC, by the clock of the market")
    return element("li", number, label, when)


def _price(answer: Answer) -> Html | None:
    if answer.spoken is None or answer.spoken.tokens_in is None or answer.spoken.tokens_out is None:
        return None
    tokens = answer.spoken.tokens_in + answer.spoken.tokens_out
    said = f"This answer took {count(tokens, 'token', 'tokens')}." if tokens else "This answer took no tokens."
    return element("p", join([said]), class_="tf-side-note")
