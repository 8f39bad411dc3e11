"""The page of a decision for an address: ``?id=`` names it, ``&run=`` its run where that is not the one that plays."""

from urllib.parse import quote, urlencode

from arena.seasons.snapshot import FloorSnapshot
from arena.traces import Trace, TraceArchive
from arena.ui.components.decisions import decision_href
from arena.ui.components.marks import chip, kind_chip, swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.decision.beside import by_step, totals
from arena.ui.decision.steps import decision_steps
from arena.ui.figures import day_clock
from arena.ui.live import Address
from trading.domain.errors import TradefloorError

_DID = {"held": "holds", "abstained": "gave no answer"}


def decision_page(archive: TraceArchive, snapshot: FloorSnapshot, address: Address) -> Html:
    """The whole page, or in a sentence why there is none."""
    decision_id, run_id = address.get("id", ""), address.get("run") or snapshot.run_id
    if not decision_id:
        return element("div", _newest(snapshot), class_="tf tf-panel")
    try:
        trace = archive.trace(run_id, decision_id)
        before, after = archive.beside(run_id, decision_id)
        words, missing = archive.words(trace)
        _, made = archive.newest(run_id, trace.desk, 0)
    except TradefloorError as error:
        return element("div", empty("This decision is not on record here", str(error)), class_="tf tf-panel")
    main = element(
        "section",
        _head(trace, before, after),
        decision_steps(trace, words, made),
        element("p", missing, class_="tf-foot tf-missing") if missing else None,
        class_="tf-rk-panel",
    )
    return element(
        "div", main, element("div", totals(trace), by_step(trace), class_="tf-rk-col"), class_="tf tf-risk tf-decision"
    )


def _head(trace: Trace, before: str | None, after: str | None) -> Html:
    route = f"/api/v1/decisions/{quote(trace.decision_id, safe='')}"
    run = urlencode({"run": trace.run_id})
    actions = (
        _turn("Previous", before, trace.run_id),
        _turn("Next", after, trace.run_id),
        element(
            "a",
            "Export JSON",
            href=f"{route}/words?{run}&download=true",
            download=f"{trace.decision_id}.json",
            class_="tf-link-button",
        ),
        element(
            "button",
            "Replay",
            type="button",
            class_="tf-link-button",
            title="Ask the desk again, where it sat then; nothing of it trades",
            data_post=f"{route}/replay?{run}",
            data_key="replay",
        )
        if trace.calls
        else None,
        element(
            "button",
            "Add to the prompt lab",
            type="button",
            class_="tf-link-button",
            data_post=f"{route}/case?{run}",
            data_key="add-case",
        ),
    )
    return element(
        "div",
        element("h2", swatch(trace.slot, trace.kind), f" {title(trace)}"),
        kind_chip(trace.kind, short=True),
        chip("simulated market") if trace.market == "simulated" else None,
        element("span", f"round {trace.round_index + 1} · {day_clock(trace.ts_ms)} UTC", class_="tf-caption"),
        element("div", *actions, class_="tf-actions"),
        element("p", "", class_="tf-told", role="status"),
        class_="tf-rk-head tf-decision-head",
    )


def title(trace: Trace) -> str:
    """What was decided, in a few words."""
    if trace.status in _DID:
        return f"{trace.desk} {_DID[trace.status]}"
    legs = [leg for leg in trace.legs if not leg.superseded] or list(trace.legs)
    if not legs:
        return f"{trace.desk} acts"
    first = legs[0]
    more = f" and {len(legs) - 1} more" if len(legs) > 1 else ""
    return f"{trace.desk} wants to {first.side} {first.quantity} {first.instrument.split('-', 1)[0]}{more}"


def _turn(word: str, to: str | None, run_id: str) -> Html:
    if to is None:
        return element("span", word, class_="tf-link-button tf-off", aria_disabled="true")
    return element("a", word, href=decision_href(to, run_id), class_="tf-link-button", data_address=True, data_key=word)


def _newest(snapshot: FloorSnapshot) -> Html:
    links = [
        element(
            "p",
            element(
                "a", f"{card.desk}, {day_clock(card.ts_ms)} UTC, {card.status}", href=decision_href(card.decision_id)
            ),
        )
        for card in snapshot.decisions[:12]
    ]
    if not links:
        return empty("No decision yet", "Every desk decides once a round; each decision has a page of its own.")
    return element("div", element("b", "Which decision?"), *links, class_="tf-empty tf-which")
