"""Recorded sentiment and news of a run: what was known of them at an instant, with its age."""

from typing import Annotated

import fastapi
from pydantic import Field

from arena.api.area import area
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.records import READS, record_asked
from arena.api.values import AskedInstant, AskedRun, Instant, Row, ms_of
from arena.records import shelf_of
from arena.services import Services
from trading.domain.instants import iso
from trading.sentiment import DailyIndex, IndexValue, Label, NewsItem, Sources

Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2024-11-05"])]
Age = Annotated[int, Field(ge=0, description="Seconds since it became known.", examples=[43200])]


class SentimentRow(Row):
    """The value of a day, 0 (extreme fear) to 100 (extreme greed), and from when on it was known."""

    day: Day
    known_at: Instant
    age_s: Age
    value: float = Field(ge=0, le=100, examples=[73.0])
    word: str = Field(examples=["Greed"])


class SentimentPage(Page[SentimentRow]):
    """An index as it stood at ``as_of``: its newest known days, newest first.

    Changes are points between the newest known day and the day so long before it; null where that day is missing.
    """

    index: str = Field(examples=["crypto-fear-greed"])
    indices: tuple[str, ...]
    as_of: Instant
    change_7d: float | None
    change_30d: float | None


class NewsRow(Row):
    """A text about an asset as it was published and labelled. Nobody of this house wrote it: show it as text."""

    id: str = Field(examples=["9f1c2a7be0d3465a"])
    day: Day
    known_at: Instant
    age_s: Age
    asset: str = Field(examples=["BTC"])
    label: Label
    text: str


class NewsPage(Page[NewsRow]):
    """What was known at ``as_of``, newest first."""

    as_of: Instant


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the recorded sentiment and news of ``services``."""
    router = area("markets", dependencies=READS)

    def asked(run: str | None, as_of_ms: int | None) -> tuple[str, Sources, int]:
        record = record_asked(services, run)
        if record.as_of_ms is None:
            raise NotFound(f"{record.folder.run_id} has no round on record yet: ask again in a moment")
        sources = shelf_of(services.home).sources(record.folder.run_id, services.settings)
        seen_ms = record.as_of_ms if as_of_ms is None else min(as_of_ms, record.as_of_ms)
        return record.folder.run_id, sources, seen_ms

    @router.get("/sentiment", summary="An index of sentiment, day by day")
    def sentiment(
        run: AskedRun = None,
        index: Annotated[
            str | None, fastapi.Query(min_length=1, max_length=200, description="Its name; the first one without it.")
        ] = None,
        as_of: AskedInstant = None,
        after: AfterId = None,
        limit: Limit = 90,
    ) -> SentimentPage:
        """The days that were known, each from its own instant on; 404 where the season names no source."""
        run_id, sources, seen_ms = asked(run, ms_of(as_of))
        names = tuple(each.name for each in sources.indices)
        if not names:
            raise NotFound(f"{run_id} names no source of sentiment; [market] sentiment does, on recorded candles")
        found = _named(run_id, sources, index)
        standing = found.at(seen_ms)
        rows = [_day(value, seen_ms) for value in reversed(found.values(seen_ms))]
        page = page_by_id(rows, limit, after, lambda row: row.day)
        return SentimentPage(
            items=page.items, next=page.next, index=found.name, indices=names, as_of=iso(seen_ms),
            change_7d=None if standing is None else standing.change_7d,
            change_30d=None if standing is None else standing.change_30d,
        )  # fmt: skip

    @router.get("/news", summary="Labelled news, newest first")
    def news(
        run: AskedRun = None,
        asset: Annotated[
            str | None, fastapi.Query(min_length=1, max_length=20, description="A base symbol; all of them without it.")
        ] = None,
        label: Label | None = None,
        as_of: AskedInstant = None,
        after: AfterId = None,
        limit: Limit = 50,
    ) -> NewsPage:
        """The texts that were known, each from its own instant on; 404 where the season names no source."""
        run_id, sources, seen_ms = asked(run, ms_of(as_of))
        if not sources.news:
            raise NotFound(f"{run_id} names no source of news; [market] news does, on recorded candles")
        known = [
            item
            for item in reversed(sources.news.known(seen_ms))
            if asset in (None, item.asset) and label in (None, item.label)
        ]
        page = page_by_id(known, limit, after, lambda item: item.item_id)
        return NewsPage(
            items=tuple(_text(item, seen_ms) for item in page.items), next=page.next, as_of=iso(seen_ms)
        )  # fmt: skip

    return router


def _named(run_id: str, sources: Sources, name: str | None) -> DailyIndex:
    found = next((each for each in sources.indices if name in (None, each.name)), None)
    if found is None:
        there = ", ".join(each.name for each in sources.indices)
        raise NotFound(f"{run_id} has no index {str(name)[:80]!r}; there are {there}")
    return found


def _day(value: IndexValue, seen_ms: int) -> SentimentRow:
    return SentimentRow(
        day=_date(value.day_ms),
        known_at=iso(value.known_ms),
        age_s=_age(value.known_ms, seen_ms),
        value=value.value,
        word=value.word,
    )


def _text(item: NewsItem, seen_ms: int) -> NewsRow:
    return NewsRow(
        id=item.item_id,
        day=_date(item.day_ms),
        known_at=iso(item.known_ms),
        age_s=_age(item.known_ms, seen_ms),
        asset=item.asset,
        label=item.label,
        text=item.text,
    )


def _date(day_ms: int) -> str:
    return iso(day_ms)[:10]


def _age(known_ms: int, seen_ms: int) -> int:
    return (seen_ms - known_ms) // 1000
