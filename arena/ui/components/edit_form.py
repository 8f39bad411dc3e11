"""The fields in which a person changes a proposal before it is sent."""

from collections.abc import Sequence

from arena.seasons.proposals import Effect
from arena.ui.components.markup import Html, element
from trading.domain import Ruling, Side, TradeIntent, Verdict, money_text
from trading.risk.approvals import Asked
from trading.risk.edits import EDITABLE

_MOST_CHARS = 26
_LABELS = {name: name.replace("_", " ").capitalize() for name in EDITABLE}


def edit_form(asked: Asked, effects: Sequence[Effect | None]) -> Html:
    """A field for each number that may be changed, with the proposed one in it; scripts read them when it is sent."""
    legs = [
        _leg(number, effect.intent, asked, droppable=len(effects) > 1)
        for number, effect in enumerate(effects, start=1)
        if effect is not None
    ]
    return element(
        "section",
        element("h3", f"Change what {asked.desk} sends in round {asked.round_index + 1:,}"),
        *legs,
        element(
            "p",
            "The gate rules on what you change. What it does not let through comes back to you.",
            class_="tf-caption",
        ),
        class_="tf tf-edit",
        data_editing=asked.proposal,
        aria_label="Change the proposal",
    )


def gate_says(ruled: Sequence[tuple[TradeIntent, Verdict]]) -> Html:
    """What the gate would say to each leg as it is typed."""
    return _note(*(_said(intent, verdict) for intent, verdict in ruled))


def cannot_be(problem: str) -> Html:
    """Why what is typed cannot be sent."""
    return _note(element("p", problem, class_="tf-late"))


def _note(*lines: Html) -> Html:
    return element("div", *lines, class_="tf tf-gate-says", role="status")


def _said(intent: TradeIntent, verdict: Verdict) -> Html:
    base = intent.instrument.partition("-")[0]
    words = {
        Ruling.ALLOWED: "the gate lets it through",
        Ruling.RESIZED: f"the gate cuts it to {money_text(verdict.quantity_after)}",
        Ruling.REFUSED: "the gate refuses it",
    }[verdict.ruling]
    why = f". {verdict.message}" if verdict.message else ""
    passed = verdict.ruling is Ruling.ALLOWED
    said = f"{_verb(intent)} {money_text(intent.quantity)} {base}: {words}{why}"
    return element("p", said, class_="tf-caption" if passed else "tf-late")


def _verb(intent: TradeIntent) -> str:
    return "Buy" if intent.side is Side.BUY else "Sell"


def _leg(number: int, intent: TradeIntent, asked: Asked, *, droppable: bool) -> Html:
    base = intent.instrument.partition("-")[0]
    lot = asked.lots.get(intent.instrument)
    kind = intent.order_type.value.replace("_", "-")
    drop = element("label", element("input", type="checkbox", name_="drop"), "Drop this leg", class_="tf-edit-drop")
    return element(
        "fieldset",
        element("legend", f"{_verb(intent)} {base} ", element("span", kind)),
        *(_field(name, intent, f"in steps of {lot}" if lot and name == "quantity" else "") for name in _names(intent)),
        drop if droppable else None,
        data_leg=number,
    )


def _names(intent: TradeIntent) -> list[str]:
    """The fields that an intent of this type has."""
    bracketed = not intent.reduce_only and not intent.order_type.waits
    shown = {
        "quantity": True,
        "limit_price": intent.order_type.has_limit,
        "trigger_price": intent.order_type.has_trigger,
        "stop_loss": bracketed,
        "take_profit": bracketed,
    }
    return [name for name in EDITABLE if shown[name]]


def _field(name: str, intent: TradeIntent, hint: str) -> Html:
    value = getattr(intent, name)
    return element(
        "label",
        element("span", _LABELS[name], element("small", f" {hint}") if hint else None),
        element(
            "input",
            type="text",
            name_=name,
            value="" if value is None else money_text(value),
            placeholder="none",
            inputmode="decimal",
            autocomplete="off",
            maxlength=_MOST_CHARS,
        ),
    )
