"""What stands beside the steps: totals, hashes, and the time and cost of each step."""

from arena.traces import Trace
from arena.ui.components.desk_card import desk_href
from arena.ui.components.marks import swatch
from arena.ui.components.markup import Html, element
from arena.ui.decision.steps import TITLES
from arena.ui.decision.timing import model_ms, role_ms, roles_in_order
from arena.ui.decision.words import usage
from arena.ui.figures import UNKNOWN, dollars, duration, number
from arena.ui.risk.parts import panel


def totals(trace: Trace) -> Html:
    """Who decided, how long it took, what it cost, and the digests it can be checked by."""
    spent = model_ms(trace)
    rows: list[tuple[str, str]] = [
        ("Desk", element("a", swatch(trace.slot, trace.kind), f" {trace.desk}", href=desk_href(trace.desk))),
        ("Season", trace.season),
        ("Thinking, wall clock", UNKNOWN if trace.latency_ms is None else duration(trace.latency_ms)),
        ("Model calls, added up", UNKNOWN if spent is None else duration(spent)),
        ("Model calls", f"{len(trace.calls)}"),
        ("Tool calls", f"{len(trace.tools)}"),
        ("Tokens in / out", f"{number(trace.tokens_in, 0)} / {number(trace.tokens_out, 0)}"),
        ("Cost", dollars(trace.usd, 4) if trace.kind == "llm" else "no LLM"),
        ("Seed", UNKNOWN if trace.seed is None else str(trace.seed)),
    ]
    hashes = [
        ("Decision", trace.decision_id),
        ("Prompt", trace.prompt_hash),
        (f"Event {trace.seq:,} of the journal", trace.hash),
        *((f"Prompt file, {role}", sha256) for role, sha256 in trace.prompts),
    ]
    return panel(
        "This decision",
        None,
        element("dl", *(part for row in rows for part in _pair(*row)), class_="tf-facts"),
        element(
            "dl",
            *(part for term, text in hashes for part in _pair(term, _hash(text))),
            class_="tf-facts tf-hashes",
        ),
    )


def by_step(trace: Trace) -> Html:
    """Time as a bar and cost of each role, on one scale."""
    took = {role: role_ms(trace, role) for role in roles_in_order(trace)}
    most = max((value for value in took.values() if value is not None), default=0.0)
    rows = [_row(trace, role, value, most) for role, value in took.items()]
    fees = sum(fill.fee for order in trace.orders for fill in order.fills)
    paid = dollars(fees) if any(order.fills for order in trace.orders) else "none"
    rows.append(element("div", element("span", "Venue fees"), element("span"), element("span", paid)))
    return panel("Time (bar) and cost by step", None, element("div", *rows, class_="tf-bystep"))


def _row(trace: Trace, role: str, took: float | None, most: float) -> Html:
    calls = [call for call in trace.calls if call.role == role]
    width = 0.0 if took is None or most <= 0 else took / most * 100
    track = element("div", element("i", style=f"left:0;width:{width:.1f}%"), class_="tf-wf", aria_hidden="true")
    said = f"{UNKNOWN if took is None else duration(took)} · {usage(calls, trace.kind)}"
    return element("div", element("span", TITLES.get(role, role)), track, element("span", said))


def _pair(term: str, text: str) -> tuple[Html, Html]:
    return element("dt", term), element("dd", text)


def _hash(text: str) -> Html:
    return element("span", text[:16] or UNKNOWN, class_="tf-mono", title=text)
