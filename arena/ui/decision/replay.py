"""What came of asking a decision again: the two answers side by side, what is the same, and what is not."""

from arena.jobs import Job
from arena.replay import Answer, Replay, Replayer
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.figures import UNKNOWN, count, day_clock, dollars

MOST_CHARS = 6_000


def replay_panel(replayer: Replayer, run_id: str, decision_id: str) -> Html | str:
    """The panel of a decision's replay; nothing where it was never asked again."""
    if not (run_id and decision_id):
        return ""
    job, found = replayer.job(run_id, decision_id), replayer.kept(run_id, decision_id)
    if job is None and found is None:
        return ""
    parts = [_head(found), _progress(job, found)]
    if found is not None and (job is None or not job.is_running):
        parts += [
            element("p", element("b", found.verdict), class_="tf-rp-verdict"),
            *(element("p", remark, class_="tf-foot") for remark in found.remarks),
            element("div", _answer("On record", found.then), _answer("Asked again", found.now), class_="tf-rp-pair"),
            _differences(found),
        ]
    return element("div", element("section", *parts, class_="tf-rk-panel tf-rp"), class_="tf")


def _head(found: Replay | None) -> Html:
    said = "" if found is None else f"asked by {found.by}, {day_clock(found.asked_ms)} UTC, {_cost(found)}"
    return element(
        "div",
        element("h2", "Replay"),
        chip("nothing traded"),
        None if found is None else _mark(found),
        element("span", said, class_="tf-caption"),
        class_="tf-rk-head",
    )


def _mark(found: Replay) -> Html:
    return chip("identical", "gain") if found.is_identical else chip("differs", "warn")


def _cost(found: Replay) -> str:
    if not found.live:
        return "no model was paid"
    return f"{count(found.live, 'live call', 'live calls')}, {UNKNOWN if found.usd is None else dollars(found.usd, 4)}"


def _progress(job: Job | None, found: Replay | None) -> Html | None:
    if job is None or (found is not None and not job.is_running and job.status == "done"):
        return None
    if job.is_running:
        part = f"{job.done} of {job.total} calls" if job.total else "reading the record back"
        return element("p", f"The desk is being asked again: {part}.", role="status")
    return element("p", chip(job.status.value, "warn"), f" {job.said}", role="status")


def _answer(title: str, one: Answer) -> Html:
    sure = UNKNOWN if one.confidence is None else f"{one.confidence:g}"
    what = one.status if one.abstain_reason is None else f"{one.status}: {one.abstain_reason}"
    legs = [element("li", element("b", leg.line), f". Gate: {leg.gate[:400]}.") for leg in one.wanted]
    return element(
        "div",
        element("h3", title),
        element("p", f"{what}, confidence {sure}"),
        element("ul", *legs) if legs else None,
        element("p", one.rationale[:MOST_CHARS] or "It gave no reason.", class_="tf-rp-words"),
        class_="tf-rp-side",
    )


def _differences(found: Replay) -> Html:
    same = f"The same: {', '.join(found.same)}." if found.same else "Nothing is the same."
    if not found.differences:
        return element("p", same, class_="tf-foot")
    rows = [
        element(
            "tr",
            element("th", one.what, scope="row"),
            element("td", one.then[:MOST_CHARS] or UNKNOWN),
            element("td", one.now[:MOST_CHARS] or UNKNOWN),
        )
        for one in found.differences
    ]
    head = element("tr", *(element("th", title, scope="col") for title in ("What differs", "On record", "Asked again")))
    table = element("table", element("thead", head), element("tbody", *rows), class_="tf-table")
    scrolled = element("div", table, class_="tf-scroll", tabindex="0", role="region", aria_label="What differs")
    return element("div", scrolled, element("p", same, class_="tf-foot"))
