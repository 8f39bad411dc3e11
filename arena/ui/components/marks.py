"""Small marks that stand beside a desk's name: its swatch and its chips."""

from arena.ui.components.markup import Html, element
from arena.ui.tokens import desk_token

RULE_BASED_NOTE = "rule-based, no LLM"
BY_HAND = "by hand"
BY_HAND_NOTE = "traded by a person, no LLM"


def desk_style(slot: int) -> str:
    """The inline style that gives an element and its children the desk's colour as ``--c``."""
    return f"--c:var(--tf-{desk_token(slot)})"


def swatch(slot: int, kind: str) -> Html:
    """The desk's colour with its line style: solid for a language model, dashed for rules, double for a person."""
    line = {"llm": "", "person": " tf-by-hand"}.get(kind, " tf-dashed")
    return element("i", class_=f"tf-swatch{line}", style=desk_style(slot), aria_hidden="true")


def chip(text: str, tone: str = "plain", *, title: str | None = None) -> Html:
    """A word on a soft ground. ``tone`` is plain, rule, gain, loss, warn, halt or outline."""
    return element("span", text, class_=f"tf-chip tf-chip-{tone}", title=title)


def kind_chip(kind: str, *, short: bool = False) -> Html | None:
    """What tells a baseline or a person from a language model; None for a language model."""
    if kind == "llm":
        return None
    if kind == "person":
        return chip(BY_HAND, "outline", title=BY_HAND_NOTE)
    return chip("rule-based" if short else RULE_BASED_NOTE, "rule", title=RULE_BASED_NOTE)


def signed_class(value: float, *, known: bool = True) -> str:
    """The class that colours a number as gain or loss: none where its sign is not known."""
    if not known or value == 0:
        return "tf-num"
    return f"tf-num {'tf-gain' if value > 0 else 'tf-loss'}"
