"""What is known of sentiment and news at an instant: nothing before its own, and nothing that comes later moves it."""

from dataclasses import replace
from pathlib import Path

import pytest

from trading.sentiment import DailyIndex, NewsFeed, Sources, load_sources, read_index

HOUR = 3_600_000
DAY = 24 * HOUR
FIRST = 1_700_006_400_000
DAYS = 40


def day(number: int) -> str:
    return f"2023-{11 + (14 + number) // 30:02d}-{(14 + number) % 30 + 1:02d}"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Forty days of an index that rises by a point a day, the tenth of them missing, and two texts a day."""
    rows = [f"{day(at)},{20 + at}" for at in range(DAYS) if at != 10]
    (tmp_path / "mood-1d.csv").write_text("\n".join(["ts,value", *rows]), "utf-8")
    texts = [f"{day(at)},text {at} {half},neutral" for at in range(DAYS) for half in "ab"]
    (tmp_path / "btc-news.csv").write_text("\n".join(["ts,text,sentiment", *texts]), "utf-8")
    return load_sources(["mood-1d.csv"], ["btc-news.csv"], tmp_path, FIRST + 90 * DAY)


@pytest.fixture
def index(sources: Sources) -> DailyIndex:
    return sources.indices[0]


def test_a_day_is_known_from_its_end_on_and_not_before(index: DailyIndex) -> None:
    assert index.at(FIRST + DAY - 1) is None
    found = index.at(FIRST + DAY)
    assert found is not None
    assert (found.newest.day_ms, found.newest.value, found.age_ms) == (FIRST, 20.0, 0)
    later = index.at(FIRST + 3 * DAY - 1)
    assert later is not None
    assert (later.newest.value, later.age_ms) == (21.0, DAY - 1)


def test_changes_are_against_the_very_day_and_unknown_where_it_is_missing(index: DailyIndex) -> None:
    def changes(number: int) -> tuple[float | None, float | None]:
        found = index.at(FIRST + (number + 1) * DAY)
        assert found is not None
        return found.change_7d, found.change_30d

    assert changes(6) == (None, None)
    assert changes(7) == (7.0, None)
    assert changes(17) == (None, None), "the tenth day is missing"
    assert changes(31) == (7.0, 30.0)


def test_an_old_recording_tells_its_age(index: DailyIndex) -> None:
    found = index.at(FIRST + 300 * DAY)
    assert found is not None
    assert found.age_ms == (300 - DAYS) * DAY


def test_the_days_shown_end_with_the_newest_known_one(index: DailyIndex) -> None:
    shown = index.since(FIRST + 12 * DAY + HOUR, 5)
    assert [value.value for value in shown] == [27.0, 28.0, 29.0, 31.0]
    assert index.since(FIRST, 5) == []
    assert [value.day_ms for value in index.values(FIRST + 12 * DAY)][-1] == FIRST + 11 * DAY


def test_the_latest_texts_come_first(sources: Sources) -> None:
    news = sources.news
    assert news.latest(FIRST + DAY - 1, 10) == ()
    assert [item.text for item in news.latest(FIRST + 2 * DAY, 3)] == ["text 1 b", "text 1 a", "text 0 b"]


@pytest.mark.parametrize("hours", [24, 25, 47, 48, 240, 263, 264, 600])
def test_the_future_moves_nothing(sources: Sources, hours: int) -> None:
    """Whatever becomes known after an instant may be anything: what is known then stays what it was."""
    (index,), news = sources.indices, sources.news
    at = FIRST + hours * HOUR
    later = index.known_ms > at
    value = index.value.copy()
    value[later] = 99.0
    words = tuple("Changed" if changed else word for word, changed in zip(index.words, later, strict=True))
    other = replace(index, value=value, words=words)
    assert other.at(at) == index.at(at)
    assert other.since(at, 90) == index.since(at, 90)
    cut = NewsFeed(items=tuple(item for item in news.items if item.known_ms <= at))
    assert tuple(news.known(at)) == cut.items


def test_what_identifies_a_source_moves_with_any_of_its_rows(tmp_path: Path, sources: Sources) -> None:
    (index,) = sources.indices
    assert len(sources.digests) == 2
    value = index.value.copy()
    value[3] += 1
    assert replace(index, value=value).sha256 != index.sha256
    assert replace(index, known_ms=index.known_ms + 1).sha256 != index.sha256
    first, *rest = sources.news.items
    assert NewsFeed(items=(replace(first, text="other"), *rest)).sha256 != sources.news.sha256
    assert read_index(tmp_path / "mood-1d.csv").sha256 == index.sha256
