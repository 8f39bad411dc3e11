"""Sentiment and news that a season on recorded candles names, as they were known at the instant that is looked at."""

from collections.abc import Sequence
from itertools import pairwise

from arena.markets import MarketReading
from arena.records import shelf_of
from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services
from arena.ui.components.disclosure import cut
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, day, day_clock, duration, number
from arena.ui.risk.drawings import framed
from arena.ui.risk.parts import facts, panel
from trading.domain.errors import TradefloorError
from trading.domain.instants import duration_ms
from trading.sentiment import DailyIndex, IndexReading, IndexValue, NewsFeed, NewsItem, Sources

HEADLINES = 10
LINE_DAYS = 90
_TEXT_CHARS = 240
_DAY_MS = duration_ms("1d")
_STALE_MS = 2 * _DAY_MS
_WIDTH, _HEIGHT = 640, 150
NO_SOURCE = "There is no source of news or sentiment: none was recorded beside these candles."


def sources_of(services: Services, snapshot: FloorSnapshot) -> Sources:
    """What the season on the floor names; empty where it names none. Read once a run. Raises TradefloorError."""
    if snapshot.market != "replay" or not snapshot.run_id:
        return Sources()
    return shelf_of(services.home).sources(snapshot.run_id, services.settings)


def sentiment_and_news(services: Services, snapshot: FloorSnapshot, reading: MarketReading) -> Html:
    """The panel; nothing where there is no source, which :func:`said_of_sources` says in words."""
    try:
        sources = sources_of(services, snapshot)
    except TradefloorError:
        return Html("")
    if not sources:
        return Html("")
    at_ms = reading.as_of_ms
    body = element(
        "div",
        element("div", *_indices(sources.indices, at_ms), class_="tf-sn-indices"),
        element("div", *_headlines(sources.news, at_ms), class_="tf-sn-news"),
        class_="tf tf-sn-body",
    )
    return panel("Sentiment and news", f"recorded, as known at {day_clock(at_ms)} UTC", body)


def said_of_sources(services: Services, snapshot: FloorSnapshot) -> str:
    """Where sentiment and news stand on the page, or why they are not there."""
    try:
        sources = sources_of(services, snapshot)
    except TradefloorError as error:
        return f"They cannot be shown: {error}"
    return "They stand at the end of the page." if sources else NO_SOURCE


def _indices(indices: Sequence[DailyIndex], at_ms: int) -> list[Html]:
    if not indices:
        return [empty("No index of sentiment", "The season names news alone.")]
    return [part for index in indices for part in _index(index, at_ms)]


def _index(index: DailyIndex, at_ms: int) -> list[Html]:
    found = index.at(at_ms)
    if found is None:
        first = f"The first day of {index.name} is known from {day_clock(int(index.known_ms[0]))} UTC on."
        return [empty("Not known yet", first)]
    return [_facts(found), _line(found, index.since(at_ms, LINE_DAYS))]


def _facts(found: IndexReading) -> Html:
    newest = found.newest
    at_end = newest.known_ms == newest.day_ms + _DAY_MS
    known = "at its end" if at_end else f"{day_clock(newest.known_ms)} UTC"
    newer = ", nothing newer is on file" if found.age_ms > _STALE_MS else ""
    return facts(
        (
            (found.name.replace("-", " ").capitalize(), f"{_bare(newest.value)} {newest.word}", "0 fear, 100 greed"),
            ("In 7 days", _points(found.change_7d), "points"),
            ("In 30 days", _points(found.change_30d), "points"),
            ("Age", duration(found.age_ms), f"{day(newest.day_ms)}, known {known}{newer}"),
        )
    )


def _points(change: float | None) -> str:
    return UNKNOWN if change is None else number(change, 0 if change.is_integer() else 1, signed=True)


def _bare(value: float) -> str:
    return number(value, 0 if value.is_integer() else 1)


def _line(found: IndexReading, values: Sequence[IndexValue]) -> Html:
    """The last days on a scale from 0 to 100. A missing day breaks the line."""
    end_ms = found.newest.day_ms
    begin_ms = end_ms - (LINE_DAYS - 1) * _DAY_MS

    def point(value: IndexValue) -> str:
        across = (value.day_ms - begin_ms) / (end_ms - begin_ms) * _WIDTH
        return f"{across:.1f} {(100 - value.value) / 100 * _HEIGHT:.1f}"

    path = f"M{point(values[0])}h0.1"
    for before, value in pairwise(values):
        path += f"{'L' if value.day_ms - before.day_ms == _DAY_MS else 'M'}{point(value)}"
    marks = [
        element("line", x1="0", x2=str(_WIDTH), y1=f"{_HEIGHT * at:g}", y2=f"{_HEIGHT * at:g}", class_="tf-rk-grid")
        for at in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    low, high = min(value.value for value in values), max(value.value for value in values)
    label = (
        f"{found.name} on {len(values)} days up to {day(end_ms)}: from {_bare(low)} to {_bare(high)}, "
        f"last {_bare(found.newest.value)}."
    )
    drawn = element(
        "svg", *marks, element("path", d=path, class_="tf-sn-line"), class_="tf-rk-plot tf-sn-plot",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}", preserveaspectratio="none", role="img", aria_label=label,
    )  # fmt: skip
    return framed(drawn, ((0.0, "100"), (0.5, "50"), (1.0, "0")), day(begin_ms), day(end_ms))


def _headlines(news: NewsFeed, at_ms: int) -> list[Html]:
    if not news:
        return [empty("No news", "The season names an index of sentiment alone.")]
    latest = news.latest(at_ms, HEADLINES)
    if not latest:
        first = f"The first item is known from {day_clock(news.items[0].known_ms)} UTC on."
        return [empty("No news yet", first)]
    age_ms = at_ms - latest[0].known_ms
    stale = f" Nothing newer than {day(latest[0].day_ms)} is on file." if age_ms > _STALE_MS else ""
    say = f"As published and labelled by others, recorded beside the candles; desks get scores, not words.{stale}"
    rows = [_headline(item, at_ms) for item in latest]
    return [
        element(
            "div",
            element("ol", *rows, class_="tf-sn-list"),
            class_="tf-sn-scroll",
            tabindex="0",
            role="region",
            aria_label="Headlines, newest first",
        ),
        element("p", say, class_="tf-sn-say"),
    ]


def _headline(item: NewsItem, at_ms: int) -> Html:
    told = f"{item.asset}, {day(item.day_ms)}, known for {duration(at_ms - item.known_ms)}"
    return element(
        "li",
        element("p", cut(item.text, _TEXT_CHARS)),
        element("div", chip(item.label.value), element("span", told), class_="tf-sn-told"),
    )
