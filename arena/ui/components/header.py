"""The header that stands on every page: where you are, which season, how fresh, and whether the breaker is armed."""

from collections.abc import Sequence

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import feed_age_ms, is_stale
from arena.ui.figures import NBSP, UNKNOWN, clock, day, duration

_BREAKER_TONES = {"armed": "ok", "ok": "ok", "reduce-only": "warn", "tripped": "halt", "halted": "halt"}
_SETTLED = frozenset({"finished", "halted", "failed", "out of budget"})


FIRST_LINKS = 5
"""Links that have room on every screen; on narrow ones the others stand behind "More"."""


def brand(links: Sequence[tuple[str, str]], current: str) -> Html:
    """The name and the links to all pages, as (title, path); ``current`` is the path of this one."""
    first, others = links[:FIRST_LINKS], links[FIRST_LINKS:]
    return element(
        "div",
        element("a", "Tradefloor", href="/", class_="tf-brand"),
        element(
            "nav",
            *(_link(title, path, current) for title, path in first),
            *(_link(title, path, current, class_="tf-second") for title, path in others),
            _more(others, current) if others else None,
            aria_label="Pages",
        ),
        class_="tf tf-top",
    )


def _link(title: str, path: str, current: str, class_: str | None = None) -> Html:
    return element("a", title, href=f"/{path}", aria_current="page" if path == current else None, class_=class_)


def _more(links: Sequence[tuple[str, str]], current: str) -> Html:
    here = next((title for title, path in links if path == current), None)
    return element(
        "details",
        element("summary", here or "More", aria_current="page" if here else None),
        element("div", *(_link(title, path, current) for title, path in links)),
        class_="tf-pages",
    )


def theme_switch() -> Html:
    """The button that turns the dark theme on and off, in the browser alone."""
    return element(
        "button",
        element(
            "svg",
            element("path", d="M8 1.5a6.5 6.5 0 1 0 0 13z", fill="currentColor"),
            element("path", d="M8 1.5a6.5 6.5 0 0 1 0 13", fill="none", stroke="currentColor", stroke_width="1.5"),
            viewBox="0 0 16 16",
            aria_hidden="true",
        ),
        type="button",
        class_="tf tf-theme",
        data_tf="theme",
        aria_label="Switch between light and dark",
    )


def account() -> Html:
    """Who is logged in, and the way out; hidden until ``scripts/who.js`` knows that somebody is."""
    figure = element(
        "svg",
        element(
            "path", d="M8 8a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 8 8zM1.8 14.6a6.2 6.2 0 0 1 12.4 0z", fill="currentColor"
        ),
        viewBox="0 0 16 16",
        aria_hidden="true",
    )
    return element(
        "details",
        element("summary", figure, aria_label="Account"),
        element(
            "div",
            element("p", "Logged in as ", element("b", data_tf="who")),
            element("button", "Light or dark", type="button", data_tf="theme", class_="tf-phone"),
            element("form", element("button", "Log out", type="submit"), method="post", action="/logout"),
        ),
        class_="tf tf-account",
        hidden=True,
    )


def status_line(snapshot: FloorSnapshot | None, now_ms: int) -> Html:
    """Badges, season, market clock, age of the feed and state of the breaker."""
    if snapshot is None:
        return element("div", chip("PAPER", "outline"), _pair("Season", "starting"), class_="tf tf-status")
    tone, age = _feed(snapshot, now_ms)
    return element(
        "div",
        _badges(snapshot),
        _pair(f"Season {snapshot.season}", f"round {snapshot.round_index:,} of {snapshot.rounds:,}", wide=True),
        _pair(day(snapshot.as_of_ms), element("span", f"{clock(snapshot.as_of_ms)} UTC", class_="tf-mono"), wide=True),
        _pair("Feed", element("span", _dot(tone), age)),
        _pair(
            "Breaker", element("span", _dot(_BREAKER_TONES.get(snapshot.breaker, "warn")), snapshot.breaker or UNKNOWN)
        ),
        class_="tf tf-status",
    )


def market_note(market: str) -> str:
    """Where the prices come from, in one sentence."""
    if market == "simulated":
        return "Simulated market: a seeded model makes the prices."
    if market == "replay":
        return "Replay: recorded candles, played again."
    return f"Market: {market}."


def _badges(snapshot: FloorSnapshot) -> Html:
    return element(
        "span",
        chip(snapshot.market.upper(), "plain", title=market_note(snapshot.market)),
        chip("PAPER", "outline", title="No real money: orders go to a simulated venue"),
        class_="tf-badges",
    )


def _feed(snapshot: FloorSnapshot, now_ms: int) -> tuple[str, str]:
    if snapshot.status in _SETTLED:
        return ("halt" if snapshot.status != "finished" else "idle"), snapshot.status
    if is_stale(snapshot, now_ms):
        return "warn", duration(feed_age_ms(snapshot, now_ms))
    return "ok", f"{feed_age_ms(snapshot, now_ms) // 1_000}{NBSP}s"


def _dot(tone: str) -> Html:
    return element("i", class_=f"tf-dot tf-dot-{tone}", aria_hidden="true")


def _pair(label: str, value: str, *, wide: bool = False) -> Html:
    return element("span", element("small", label), value, class_="tf-pair tf-wide" if wide else "tf-pair")
