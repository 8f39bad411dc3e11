"""What a page says when there is nothing, or something wrong, to show: empty panels and banners."""

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.markup import Html, element
from arena.ui.figures import clock, count, day_clock, duration

STALE_AFTER_MS = 30_000


def empty(title: str, text: str) -> Html:
    """A panel that is still empty: what will appear, and when."""
    return element("div", element("b", title), element("p", text), class_="tf tf-empty")


def skeleton(text: str) -> Html:
    """The shape of a panel that waits for its first value."""
    bars = [element("i", style=f"width:{width}%") for width in (38, 92, 64)]
    return element("div", *bars, element("p", text), class_="tf tf-skeleton")


def feed_age_ms(snapshot: FloorSnapshot, now_ms: int) -> int:
    """How old what is shown is, by the wall clock."""
    return max(0, now_ms - snapshot.published_ms)


def is_stale(snapshot: FloorSnapshot, now_ms: int) -> bool:
    """True where a running season has not published for longer than it ever should; one that waits for people may."""
    return (
        snapshot.status == "running"
        and snapshot.mode != "conservative"
        and feed_age_ms(snapshot, now_ms) > STALE_AFTER_MS
    )


def notice(snapshot: FloorSnapshot | None, now_ms: int) -> Html:
    """The banner under the header, or nothing where all is as it should be."""
    if snapshot is None or snapshot.status == "starting":
        return _banner(
            "plain", "The season is starting", _detail(snapshot, "Desks decide for the first time in a moment.")
        )
    if snapshot.status == "halted":
        reason = snapshot.halt_reason or "no reason was given"
        held = sum(len(desk.positions) for desk in snapshot.desks)
        return _banner(
            "halt",
            f"Trading is halted since {clock(snapshot.as_of_ms)} UTC: {reason}",
            f"No order leaves. {count(held, 'position is', 'positions are')} kept. A person can resume it.",
        )
    ended = f"{day_clock(snapshot.as_of_ms)} UTC"
    if snapshot.status == "failed":
        return _banner("failed", f"The season stopped with an error at {ended}", _detail(snapshot, ""))
    if snapshot.status == "finished":
        rounds = count(snapshot.rounds, "round", "rounds")
        return _banner("over", f"The season is over: {rounds}, ended {ended}", _detail(snapshot, ""))
    if snapshot.status == "out of budget":
        text = "No more calls of models are paid for. A larger budget in the season file makes a new run of it."
        return _banner("over", f"The season's budget ran out at {ended}", text)
    if is_stale(snapshot, now_ms):
        age = duration(feed_age_ms(snapshot, now_ms) // 10_000 * 10_000)
        return _banner("warn", f"The season has not reported for {age}", "What you see is the last that is known.")
    if snapshot.memory_lost:
        text = f"{_sentence(snapshot.memory_lost)} The season goes on, and its desks are told."
        return _banner("warn", "Trade memory is unavailable", text)
    return Html("")


def offline() -> Html:
    """The banner of a page that cannot reach the server; it is hidden while it can."""
    text = "The server does not answer. What you see is the last that is known."
    return element("div", element("b", "Reconnecting"), element("p", text), class_="tf tf-lost", role="status")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def _detail(snapshot: FloorSnapshot | None, otherwise: str) -> str:
    return snapshot.status_text if snapshot is not None and snapshot.status_text else otherwise


def _banner(tone: str, title: str, text: str) -> Html:
    return element(
        "div",
        element("b", title),
        element("p", text) if text else None,
        class_=f"tf tf-banner tf-banner-{tone}",
        role="alert" if tone in ("halt", "failed") else "status",
    )
