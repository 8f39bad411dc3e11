"""The steps of a decision as an ordered list: market view, roles, gate, orders, fills, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence

from arena.traces import Answer, ForecastStep, Leg, OrderStep, Spoken, Trace
from arena.ui.components.desk_card import desk_href
from arena.ui.components.disclosure import disclosure
from arena.ui.components.marks import chip, signed_class
from arena.ui.components.markup import Html, element, join
from arena.ui.decision.timing import PARALLEL, Timing, bar, roles_in_order, timing_of, venue_ms
from arena.ui.decision.words import role_words, usage
from arena.ui.figures import NBSP, UNKNOWN, clock, count, day_clock, dollars, duration, number, percent, price

TITLES = {"analyst": "Analyst", "forecaster": "Forecaster", "risk": "Risk officer", "executor": "Executor"}
_RULINGS = {"allowed": ("passed", "plain"), "resized": ("passed with a change", "warn"), "refused": ("refused", "loss")}
_ANSWERED = {
    "approved": ("approved", "plain"),
    "edited": ("changed by a person", "warn"),
    "rejected": ("rejected", "loss"),
    "nobody": ("nobody answered", "warn"),
}
_ENDED = {"filled": "filled", "cancelled": "cancelled", "expired": "expired", "rejected": "rejected by the venue"}


def decision_steps(trace: Trace, words: Mapping[str, Spoken], made: int) -> Html:
    """The list. ``made`` is how many decisions the desk has on record."""
    timing = timing_of(trace)
    return element(
        "ol",
        _view(trace),
        *_roles(trace, words, timing),
        _approval(trace),
        _gate(trace),
        *(_order(order, timing) for order in trace.orders if not order.parent_id),
        *(_worked(parts) for parts in _in_parts(trace.orders)),
        _outcome(trace, made),
        class_="tf-steps",
        aria_label="Steps of the decision",
    )


def _step(
    mark: str,
    when: str,
    title: str,
    *body: Html | None,
    aside: str = "",
    span: Html | None = None,
    note: Html | None = None,
) -> Html:
    return element(
        "li",
        element("time", when),
        element("i", class_=f"tf-mark tf-mark-{mark}", aria_hidden="true"),
        element("div", element("h3", title, note), *body, class_="tf-step-body"),
        element("div", element("span", aside), span, class_="tf-step-time"),
        class_="tf-step",
    )


def _view(trace: Trace) -> Html:
    shown = [f"{_short(symbol)} {price(value)}" for symbol, value in trace.prices]
    if trace.equity is not None:
        used = UNKNOWN if not trace.equity or trace.gross is None else f"{number(trace.gross / trace.equity, 2)}×"
        shown.append(f"equity {dollars(trace.equity, 0)}, gross exposure {used}")
    return _step("system", clock(trace.ts_ms), "Market view", element("p", " · ".join(shown)))


def _roles(trace: Trace, words: Mapping[str, Spoken], timing: Timing) -> list[Html]:
    roles = roles_in_order(trace)
    together = [role for role in roles if role in PARALLEL]
    steps = []
    if len(together) > 1:
        boxes = [_box(trace, role, words) for role in together]
        spans = [timing.roles[role] for role in together if role in timing.roles]
        longest = max((span.length_ms for span in spans), default=None)
        calls = [call for call in trace.calls if call.role in together]
        steps.append(
            _step(
                "model",
                "",
                " and ".join(TITLES[role] for role in together).capitalize(),
                element("div", *boxes, class_="tf-boxes"),
                aside=_aside(longest, usage(calls, trace.kind)),
                span=element("div", *(bar(timing.roles.get(role), timing.axis_ms) for role in together)),
                note=chip("in parallel"),
            )
        )  # fmt: skip
        roles = [role for role in roles if role not in together]
    return steps + [_role(trace, role, words, timing) for role in roles]


def _role(trace: Trace, role: str, words: Mapping[str, Spoken], timing: Timing) -> Html:
    span = timing.roles.get(role)
    calls = [call for call in trace.calls if call.role == role]
    turns = trace.path.count(role)
    return _step(
        "model",
        "",
        TITLES.get(role, role.capitalize()),
        *_said(trace, role),
        *role_words(trace, role, words, key=f"{trace.decision_id}-{role}"),
        aside=_aside(None if span is None else span.length_ms, usage(calls, trace.kind)),
        span=bar(span, timing.axis_ms),
        note=join(
            [element("span", _models(trace, role), class_="tf-model"), chip(f"{turns} turns") if turns > 1 else None]
        ),
    )


def _box(trace: Trace, role: str, words: Mapping[str, Spoken]) -> Html:
    head = element("h4", TITLES.get(role, role), element("span", _models(trace, role), class_="tf-model"))
    said = role_words(trace, role, words, key=f"{trace.decision_id}-{role}")
    return element("section", head, *_said(trace, role), *said, class_="tf-box")


def _models(trace: Trace, role: str) -> str:
    return " + ".join(dict.fromkeys(call.answered or call.model for call in trace.calls if call.role == role))


def _said(trace: Trace, role: str) -> list[Html | None]:
    """What a role reported, in its own words."""
    texts = [text for who, text in trace.notes if who == role]
    parts: list[Html | None] = [element("p", text, class_="tf-quote") for text in texts]
    if role == "executor":
        parts = [element("p", _decided(trace), class_="tf-quote")]
        its_last = min(trace.edited_attempts, default=None)
        parts += [_leg(trace, leg) for leg in trace.legs if its_last is None or leg.attempt <= its_last]
        stated = None if trace.confidence is None else f"Stated confidence {number(trace.confidence)}."
        parts.append(element("p", stated, class_="tf-foot") if stated else None)
    if role == "forecaster":
        parts.append(_forecasts(trace))
    parts += [
        element("p", element("b", who), f"said {said or 'nothing'}; together they said {combined or UNKNOWN}.")
        for who, said, combined in trace.dissent
        if who.startswith(f"{role},")
    ]
    return parts


def _decided(trace: Trace) -> str:
    if trace.status == "abstained":
        return f"No valid answer: {trace.abstain_reason or 'no reason was recorded'}. The desk stays as it is."
    return trace.rationale.strip() or "No reasons were given."


def _leg(trace: Trace, leg: Leg) -> Html:
    at = f", limit {leg.limit_price}" if leg.limit_price else ""
    at += f", {leg.worked}" if leg.worked else ""
    guards = "".join(
        f", {word} {value}" for word, value in (("stop", leg.stop_loss), ("target", leg.take_profit)) if value
    )
    revised = " It was revised after a refusal." if leg.attempt == 0 and "revise" in trace.path else ""
    why = f" {leg.reason}." if leg.reason else ""
    what = element("b", f"{leg.side} {leg.quantity} {leg.instrument}")
    return element("p", "Intent: ", what, f", {leg.order_type}{at}{guards}.{why}{revised}")


def _forecasts(trace: Trace) -> Html | None:
    if not trace.forecasts:
        return None
    lines = [element("p", _forecast(one)) for one in trace.forecasts]
    longest = duration(max(one.horizon_ms for one in trace.forecasts))
    title = count(len(lines), "forecast", "forecasts")
    return disclosure(title, longest, *lines, key=f"{trace.decision_id}-f")


def _forecast(one: ForecastStep) -> str:
    came = "not known yet" if one.outcome is None else f"came {percent(one.outcome, 2)}"
    return (
        f"{_short(one.instrument)}, {duration(one.horizon_ms)}: rises with {percent(one.p_up, 0, signed=False)}, "
        f"median {percent(one.q50, 2)}, 90{NBSP}% within {percent(one.q05, 2)} to {percent(one.q95, 2)}; {came}"
    )


def _approval(trace: Trace) -> Html | None:
    if not trace.answers:
        return None
    last = trace.answers[-1]
    word, tone = _ANSWERED[_answered(last)]
    return _step("gate", "", "Approval", *map(_answer, trace.answers), note=chip(word, tone))


def _answered(answer: Answer) -> str:
    if answer.by is None:
        return "nobody"
    if answer.edits:
        return "edited"
    return "approved" if answer.approved else "rejected"


def _answer(answer: Answer) -> Html:
    if answer.by is None:
        return element("p", "Nobody answered in time.")
    word = _answered(answer).capitalize()
    when = "" if answer.at_ms is None else f", {day_clock(answer.at_ms)} UTC by the wall clock"
    changes = [element("li", edit.words) for edit in answer.edits]
    return element(
        "div",
        element("p", element("b", f"{word} by {answer.by}"), f"{when}{': ' + answer.note if answer.note else '.'}"),
        element("ul", *changes, class_="tf-edits") if changes else None,
    )


def _gate(trace: Trace) -> Html:
    if not trace.legs:
        said = "Nothing was asked for, so there was nothing to rule on."
        return _step("gate", "", "Gate", element("p", said))
    worst = next((one for one in ("refused", "resized") if any(leg.ruling == one for leg in trace.legs)), "allowed")
    word, tone = _RULINGS[worst]
    # A leg that nobody touched stands again in the proposal that a person made of it.
    shown = [leg for leg in trace.legs if leg.edited_by or leg.attempt not in trace.edited_attempts]
    return _step("gate", "", "Gate", *map(_ruling, shown), note=chip(word, tone))


def _ruling(leg: Leg) -> Html:
    word = _RULINGS.get(leg.ruling, (leg.ruling or "not asked", ""))[0]
    change = f" {leg.quantity} became {leg.quantity_after}." if leg.ruling == "resized" else ""
    rule = f" Rule: {leg.rule}." if leg.rule else ""
    said = leg.message or f"{word}.".capitalize()
    then = f" Then {leg.edited_by} changed it." if leg.edited_by else ""
    what = element("b", f"{leg.side} {leg.quantity} {_short(leg.instrument)}")
    return element("p", what, f": {said}{change}{rule}{then}")


def _order(order: OrderStep, timing: Timing) -> Html:
    at = "".join(
        f" {word} {value}" for word, value in (("limit", order.limit_price), ("trigger", order.trigger_price)) if value
    )
    from_whom = "" if order.origin == "desk" else f" ({order.origin})"
    state = _ENDED.get(order.ended, "open")
    took = venue_ms(order)
    lines: Sequence[Html] = [
        element(
            "p",
            f"Filled {number(fill.quantity, 4)} at {price(fill.price)}, fee {dollars(fill.fee)}"
            f"{_against(order.side, fill.price, fill.arrival)}, {clock(fill.ts_ms)} UTC.",
        )
        for fill in order.fills
    ]
    return _step(
        "system",
        clock(order.sent_ms),
        f"Order{from_whom}",
        element("p", f"{order.side} {order.quantity} {order.instrument} {order.order_type}{at}: {state}. ",
                element("span", order.order_id, class_="tf-mono")),
        *lines,
        aside="" if took is None else duration(took),
        span=bar(timing.orders.get(order.order_id), timing.axis_ms),
    )  # fmt: skip


def _in_parts(orders: Iterable[OrderStep]) -> Iterable[Sequence[OrderStep]]:
    """The parts of each order that was worked, in the order in which they left."""
    found: dict[str, list[OrderStep]] = {}
    for order in orders:
        if order.parent_id:
            found.setdefault(order.parent_id, []).append(order)
    return found.values()


def _worked(parts: Sequence[OrderStep]) -> Html:
    first, last = parts[0], parts[-1]
    fills = [fill for part in parts for fill in part.fills]
    filled = sum(fill.quantity for fill in fills)
    left = f"{count(len(parts), 'part', 'parts')} left for the venue until {clock(last.sent_ms)} UTC"
    if filled:
        average = price(sum(fill.quantity * fill.price for fill in fills) / filled)
        done = f"Filled {number(filled, 4)} at {average} on average, fee {dollars(sum(fill.fee for fill in fills))}."
    else:
        done = "Nothing of it is filled."
    return _step(
        "system",
        clock(first.sent_ms),
        "Order in parts",
        element("p", f"{first.side} {first.instrument} {first.order_type}: {left}. ",
                element("span", first.parent_id, class_="tf-mono")),
        element("p", done),
    )  # fmt: skip


def _against(side: str, paid: float, arrival: float | None) -> str:
    if arrival is None or not arrival:
        return ""
    worse = (paid / arrival - 1) * 1e4 * (1 if side == "buy" else -1)
    return f", {number(abs(worse), 1)} bps {'worse' if worse > 0 else 'better'} than the price it met"


def _outcome(trace: Trace, made: int) -> Html:
    link = element("a", f"{made:,}{NBSP}decisions", href=desk_href(trace.desk))
    rest = element("p", "One decision says nothing about skill: see this desk's ", link, ".")
    if trace.outcome is None:
        return _step("system", "later", "Outcome", element("p", "Not known yet: its time has not come."), rest)
    found = trace.outcome
    moves = ", ".join(f"{_short(symbol)} {percent(move)}" for symbol, move in found.moves)
    when = f"{duration(found.horizon_ms)} later"
    if found.result is None:
        said = f"Nothing traded, so there is nothing to settle. Meanwhile: {moves}."
        return _step("system", when, "Outcome", element("p", said), rest)
    tone = signed_class(found.result).removeprefix("tf-num").strip().removeprefix("tf-") or "plain"
    said = f"Meanwhile: {moves}. What this decision traded had come to {dollars(found.result, signed=True)}, fees paid."
    return _step(
        "system", when, "Outcome", element("p", said), rest, note=chip(dollars(found.result, signed=True), tone)
    )


def _aside(took_ms: float | None, spent: str) -> str:
    return f"{UNKNOWN if took_ms is None else duration(took_ms)} · {spent}"


def _short(instrument: str) -> str:
    return instrument.split("-", maxsplit=1)[0]
