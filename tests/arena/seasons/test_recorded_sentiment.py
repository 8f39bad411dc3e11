"""A season that names recorded sentiment and news: they are part of what is run, and nothing else changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import wiring
from arena.records import shelf_of
from tests.arena.told import (
    BTC,
    ETH,
    HOUR,
    START,
    played_run,
    told_rules,
    told_settings,
    write_candles,
    write_index,
    write_news,
)
from trading.domain.errors import DataError, RequestError
from trading.features.frame import frame_of
from trading.marketdata import TapeView
from trading.sentiment import Sources

BOTH = {"sentiment": ["mood-1d.parquet"], "news": ["btc-news-*.parquet"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write_candles(folder)
    write_index(folder)
    write_news(folder)
    return folder


def test_what_is_named_is_part_of_what_is_run(data: Path) -> None:
    settings = told_settings(data)

    def content(**market: Any) -> str:
        return wiring.prepare(told_rules(**market), settings).content_sha256

    plain, both = content(), content(**BOTH)
    assert content(**BOTH) == both
    assert len({plain, both, content(sentiment=BOTH["sentiment"]), content(news=BOTH["news"])}) == 4
    write_news(data, ("one", "two", "four"))
    assert content(**BOTH) != both
    assert content() == plain


def test_a_season_that_names_none_keeps_its_identity_and_its_manifest(data: Path) -> None:
    rules, settings = told_rules(), told_settings(data)
    assert not {"sentiment", "news"} & rules.model_dump(mode="json")["market"].keys()
    folder = wiring.open_run(wiring.prepare(rules, settings), settings)
    assert "sources" not in folder.manifest
    assert shelf_of(settings.home).sources(folder.run_id, settings) == Sources()


@pytest.mark.parametrize(
    ("market", "words"),
    [
        ({"mask": 4, "sentiment": ["mood-1d.parquet"]}, "would show the dates"),
        ({"mask": 4, "news": ["btc-news-*.parquet"]}, "would show the names"),
        ({"kind": "simulated", "paths": [], "news": ["*.parquet"]}, "another kind of market"),
        ({"kind": "simulated", "paths": [], "sentiment": ["*.parquet"]}, "another kind of market"),
        ({"kind": "paper", "paths": [], "venue": "binance", "sentiment": ["*.parquet"]}, "another kind of market"),
        ({"kind": "live", "paths": [], "venue": "binance", "news": ["*.parquet"]}, "another kind of market"),
        ({"news": ["a.parquet", "a.parquet"]}, "stands there 2 times"),
        ({"sentiment": "mood-1d.parquet"}, "tuple"),
    ],
)
def test_sources_belong_to_a_replay_that_shows_its_names(market: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        told_rules(**market)


def test_what_is_wrong_with_the_files_is_said_before_anything_runs(data: Path) -> None:
    settings = told_settings(data)
    for market, words in (
        ({"sentiment": ["nowhere.parquet"]}, "names no file"),
        ({"sentiment": ["btc-news-a.parquet"]}, "column 'value' is missing"),
        ({"news": ["mood-1d.parquet"]}, "column 'text' is missing"),
    ):
        with pytest.raises(DataError, match=words):
            wiring.prepare(told_rules(**market), settings)
    write_index(data, last=100)
    late = told_rules(sentiment=["mood-1d.parquet"])
    with pytest.raises(DataError, match="after the season's end"):
        wiring.prepare(late, settings)


def test_a_desk_that_asks_no_features_decides_as_without_them(data: Path) -> None:
    """Events are alike but for the run's own identity."""
    from trading.storage.journal import read_verified

    settings = told_settings(data)
    plain, told = played_run(told_rules(), settings), played_run(told_rules(**BOTH), settings)
    assert plain.run_id != told.run_id
    events = [
        [(event.kind, event.ts_ms) for event in (stored.event() for stored in read_verified(run.journal))]
        for run in (plain, told)
    ]
    assert events[0] == events[1]


def test_news_are_features_of_the_instruments_they_are_about(data: Path) -> None:
    from trading.features.stream import latest

    settings = told_settings(data)
    with_news = wiring.prepare(told_rules(**BOTH), settings).tape
    without = wiring.prepare(told_rules(sentiment=BOTH["sentiment"]), settings).tape
    assert without.sha256 == wiring.prepare(told_rules(), settings).tape.sha256 != with_news.sha256
    at = TapeView(with_news, START + 26 * HOUR)
    found = latest(frame_of(at, BTC, bars=100))
    assert found["sentiment"] == 0.0, "one of each label a day"
    assert found["sentiment_attention_24"] == 1.0
    assert latest(frame_of(at, ETH, bars=100))["sentiment"] is None
    assert latest(frame_of(TapeView(without, START + 26 * HOUR), BTC, bars=100))["sentiment"] is None


def test_the_market_of_a_run_read_back_has_its_news(data: Path) -> None:
    rules, settings = told_rules(**BOTH), told_settings(data)
    folder = wiring.open_run(wiring.prepare(rules, settings), settings)
    view = shelf_of(settings.home).market(folder.run_id, settings).context(START + 26 * HOUR, None, {}).view
    assert np.isfinite(frame_of(view, BTC, bars=3).columns["sentiment_score"]).all()


def test_files_that_were_changed_since_are_not_shown_as_what_the_run_had(data: Path) -> None:
    rules, settings = told_rules(**BOTH), told_settings(data)
    folder = wiring.open_run(wiring.prepare(rules, settings), settings)
    write_news(data, ("something", "else"))
    with pytest.raises(RequestError, match="played on other sentiment or news"):
        shelf_of(settings.home).sources(folder.run_id, settings)
    write_news(data)
    found = shelf_of(settings.home).sources(folder.run_id, settings)
    assert [index.name for index in found.indices] == ["mood"]
