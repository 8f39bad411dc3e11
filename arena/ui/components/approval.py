"""The card of a proposal that waits for a person: what would be done, what would come of it, and how long it waits."""

from collections.abc import Sequence
from decimal import Decimal

from arena.seasons.proposals import ADVERSE_MOVE, Effect
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.figures import MINUS, UNKNOWN, count, dollars
from trading.domain import IntentEdit, Ruling, Side, TradeIntent, money_text
from trading.domain.intent import style_words
from trading.risk.approvals import Asked

_RATIONALE_CHARS = 600
_QUIET_MS = 60_000
"""Below this much time left the clock of a proposal is marked."""

_NO_BREAK = "\N{NO-BREAK SPACE}"


def waiting_panel(asked: Sequence[tuple[Asked, Sequence[Effect | None]]], now_ms: int, *, halted: bool = False) -> Html:
    """The oldest proposal in full, the others by name. The buttons under it answer the one that is shown."""
    if not asked:
        return element(
            "section",
            element("div", element("h2", "Waiting for you"), class_="tf-side-head"),
            element(
                "p", "Nothing waits. In a conservative season every trade is asked for here.", class_="tf-side-note"
            ),
            class_="tf",
            aria_label="Waiting for you",
        )
    (first, effects), *others = asked
    left_ms = max(0, first.deadline_ms - now_ms)
    head = element(
        "div",
        element("h2", "Waiting for you"),
        chip(count(len(asked), "proposal", "proposals"), "warn"),
        element("span", f"expires in {_clock(left_ms)}", class_="tf-late" if left_ms < _QUIET_MS else "tf-caption"),
        class_="tf-side-head",
    )
    return element(
        "section",
        head,
        _card(first, effects, halted=halted),
        _others([one for one, _ in others]),
        class_="tf tf-approval",
        aria_label="Waiting for you",
        data_proposal=first.proposal,
    )


def _card(asked: Asked, effects: Sequence[Effect | None], *, halted: bool) -> Html:
    facts = [
        ("Desk", asked.desk),
        ("Round", f"{asked.round_index + 1:,}"),
        ("Why you are asked", "a person approves every trade"),
    ]
    what_next = (
        "Trading is halted: the gate refuses whatever is approved now."
        if halted
        else "What you approve passes the gate again, which may still refuse it."
    )
    return element(
        "div",
        _changed(asked),
        *(_intent(effect) for effect in effects),
        element("dl", *(part for term, value in facts for part in _fact(term, value)), class_="tf-side-facts"),
        element("p", _cut(asked.rationale), class_="tf-quote"),
        element("p", what_next, class_="tf-late" if halted else "tf-caption"),
        class_="tf-approval-body",
    )


def _changed(asked: Asked) -> Html | None:
    """How it came to a proposal that no desk made."""
    if not asked.changed:
        return None
    told = [f"{change['by']} changed {IntentEdit.of(change).words}." for change in asked.changed]
    return element("p", f"{' '.join(told)} The gate does not let all of it through.", class_="tf-note-warn")


def _intent(effect: Effect | None) -> Html:
    if effect is None:
        return element("p", "A proposal that cannot be read: reject it.", class_="tf-loss")
    intent = effect.intent
    base = intent.instrument.partition("-")[0]
    verb = "Buy" if intent.side is Side.BUY else "Sell"
    if effect.held is not None and effect.held * intent.side.sign < 0:
        verb = f"{verb} back" if intent.side is Side.BUY else "Reduce by selling"
    terms = (
        f"limit {money_text(intent.limit_price)}" if intent.limit_price else intent.order_type.value.replace("_", "-")
    )
    if intent.window_s is not None:
        terms = f"{terms}, {style_words(intent.style, intent.window_s)}"
    facts = [
        ("Order value", _quote(effect.value)),
        (f"{base} position", _change(effect)),
        (f"If it moves {ADVERSE_MOVE:.0%} against it".replace("%", f"{_NO_BREAK}%"), _loss(effect.worst)),
        ("Fees, estimate", _quote(effect.fee)),
        *((word, money_text(value)) for word, value in _levels(intent)),
        ("Gate", _ruling(effect)),
    ]
    return element(
        "div",
        element("h3", f"{verb} {money_text(effect.quantity)} {base} ", element("span", terms)),
        element("dl", *(part for term, value in facts for part in _fact(term, value)), class_="tf-side-facts"),
        element("p", effect.message, class_="tf-caption") if effect.message else None,
    )


def _levels(intent: TradeIntent) -> list[tuple[str, Decimal]]:
    levels = (("Trigger", intent.trigger_price), ("Stop loss", intent.stop_loss), ("Take profit", intent.take_profit))
    return [(word, value) for word, value in levels if value is not None]


def _ruling(effect: Effect) -> str:
    if effect.ruling is Ruling.ALLOWED:
        return "passed"
    asked = money_text(effect.intent.quantity)
    return f"cut from {asked}" if effect.ruling is Ruling.RESIZED else "refused"


def _change(effect: Effect) -> str:
    if effect.held is None or effect.after is None:
        return UNKNOWN
    return f"{_signed(effect.held)} \N{RIGHTWARDS ARROW} {_signed(effect.after)}"


def _signed(quantity: Decimal) -> str:
    return money_text(quantity).replace("-", MINUS)


def _quote(value: Decimal | None) -> str:
    return dollars(None if value is None else float(value))


def _loss(value: Decimal | None) -> str:
    return UNKNOWN if value is None else dollars(-float(value))


def _others(asked: Sequence[Asked]) -> Html | None:
    if not asked:
        return None
    lines = [element("li", f"{one.desk}, round {one.round_index + 1:,}") for one in asked]
    return element("ol", *lines, class_="tf-next", aria_label="Next in line")


def _fact(term: str, value: str) -> tuple[Html, Html]:
    return element("dt", term), element("dd", value, class_="tf-num")


def _cut(text: str) -> str:
    return text if len(text) <= _RATIONALE_CHARS else f"{text[:_RATIONALE_CHARS]}…"


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1_000, 60)
    return f"{minutes}:{seconds:02d}"
