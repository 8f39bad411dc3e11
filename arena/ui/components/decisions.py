"""The decision feed: what each desk decided, in the model's own words, with the gate's verdict and the tools behind it.

Everything a model said is quoted as data. Disclosures are native ``details``; their keys let a page keep them open.
"""

import json
from urllib.parse import quote, urlencode

from arena.seasons.snapshot import DecisionCard, FloorSnapshot, ToolLine, VerdictLine
from arena.ui.components.desk_card import desk_link
from arena.ui.components.disclosure import cut, disclosure
from arena.ui.components.marks import chip, kind_chip, swatch
from arena.ui.components.markup import Html, element, join
from arena.ui.components.states import empty
from arena.ui.figures import NBSP, UNKNOWN, clock, count, day_clock, dollars, duration, number

SHOWN = 24
_RATIONALE_CHARS = 320
_NOTE_CHARS = 1_200
_TOOLS = 16
_ARGUMENTS_CHARS = 240
_RULING_WORDS = {"allowed": "passed", "resized": "passed with a change", "refused": "refused"}


def decision_href(decision_id: str, run_id: str | None = None) -> str:
    """The address of a decision's page, of the season on the floor unless a run is named."""
    return f"/decision?{urlencode({'id': decision_id} | ({'run': run_id} if run_id else {}))}"


def decision_feed(snapshot: FloorSnapshot) -> Html:
    """The newest decisions first."""
    if not snapshot.decisions:
        return empty(
            "No decisions yet", f"Every desk decides once a round, each {duration(snapshot.step_ms)} of market time."
        )
    newest = sorted(snapshot.decisions, key=lambda card: (-card.ts_ms, card.status == "held", card.slot))[:SHOWN]
    return element(
        "ol", *(decision_entry(card) for card in newest), class_="tf tf-feed", aria_label="Decisions, newest first"
    )


def decision_entry(card: DecisionCard) -> Html:
    """One decision: who, when, the reasons, and what lies behind them on demand."""
    key = f"{card.round_index}-{card.slot}"
    words = card.rationale.strip() or _silence(card)
    return element(
        "li",
        element(
            "div",
            swatch(card.slot, card.kind),
            element("b", desk_link(card.desk), class_="tf-cut"),
            kind_chip(card.kind, short=True),
            _outcome_chip(card),
            element(
                "a",
                element("time", clock(card.ts_ms), title=f"{day_clock(card.ts_ms)} UTC, round {card.round_index}"),
                href=decision_href(card.decision_id),
                class_="tf-to",
            ),
            class_="tf-entry-head",
        ),
        element("p", cut(words, _RATIONALE_CHARS), class_="tf-quote"),
        _verdicts(card, key),
        _reasons(card, key),
        _tools(card, key),
        _prompt(card, key),
        data_entry=key,
    )


def _outcome_chip(card: DecisionCard) -> Html | None:
    rulings = {line.ruling for line in card.verdicts}
    if card.status == "abstained":
        return chip("no answer", "warn")
    if "refused" in rulings:
        return chip("refused", "loss")
    if "resized" in rulings:
        return chip("resized", "warn")
    return chip("acted") if card.status == "acted" else chip(card.status)


def _silence(card: DecisionCard) -> str:
    if card.status == "abstained":
        return f"No valid answer: {card.abstain_reason or 'no reason was recorded'}. The desk stays as it is."
    return "No reasons were given."


def _verdicts(card: DecisionCard, key: str) -> Html | None:
    if not card.verdicts:
        return None
    worst = next((r for r in ("refused", "resized") if any(line.ruling == r for line in card.verdicts)), "allowed")
    lines = [element("p", element("b", line.intent), _verdict_words(line)) for line in card.verdicts]
    title = f"Verdict: {_RULING_WORDS[worst]}"
    return disclosure(
        title, f"gate, {count(len(lines), 'intent', 'intents')}", *lines, key=f"{key}-v", opened=worst != "allowed"
    )


def _verdict_words(line: VerdictLine) -> str:
    if line.message:
        return line.message
    word = _RULING_WORDS.get(line.ruling, line.ruling)
    return f"{word} by {line.rule}." if line.rule else f"{word}."


def _reasons(card: DecisionCard, key: str) -> Html:
    notes = [
        element("p", element("b", role.capitalize()), element("span", cut(note, _NOTE_CHARS), class_="tf-said"))
        for role, note in card.notes
    ]
    rest = card.rationale.strip()
    if len(rest) > _RATIONALE_CHARS:
        notes.append(element("p", element("b", "In full"), element("span", rest, class_="tf-said")))
    stated = None if card.confidence is None else f"Stated confidence {number(card.confidence)}"
    hashed = f"prompt {card.prompt_hash[:12]}" if card.prompt_hash else None
    foot = join([part for part in (stated, hashed) if part], " · ")
    side = "no LLM" if card.kind != "llm" else dollars(card.usd, 4)
    return disclosure(
        "Reasoning",
        f"{side} · {duration(card.latency_ms)}",
        *notes,
        element("p", foot, class_="tf-foot") if foot else None,
        key=f"{key}-r",
    )


def _tools(card: DecisionCard, key: str) -> Html | None:
    if not card.tools:
        return None
    lines = [_tool(line) for line in card.tools[:_TOOLS]]
    left = len(card.tools) - len(lines)
    more = element("p", f"{left} more", class_="tf-foot") if left > 0 else None
    took = duration(sum(line.latency_ms for line in card.tools))
    return disclosure(f"Tool calls ({len(card.tools)})", took, *lines, more, key=f"{key}-t")


def _prompt(card: DecisionCard, key: str) -> Html:
    """Prompts and answers are long: a page asks for those that a reader opens."""
    hashed = element("p", f"Prompts on record by their hash: {card.prompt_hash or UNKNOWN}", class_="tf-foot")
    words = element("div", hashed, data_words=f"/api/v1/decisions/{quote(card.decision_id, safe='')}/words")
    calls = count(card.llm_calls, "call", "calls")
    return disclosure("Prompts and answers", calls, words, key=f"{key}-p")


def _tool(line: ToolLine) -> Html:
    return element(
        "pre",
        f"{line.role} > {line.tool}({cut(_arguments(line.arguments_json), _ARGUMENTS_CHARS)}) {line.outcome}",
        f"{NBSP}{duration(line.latency_ms)}",
    )


def _arguments(text: str) -> str:
    """Arguments as ``name=value`` where they are a JSON object, else as they came."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in found.items())
