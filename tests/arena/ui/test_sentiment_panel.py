"""Sentiment and news on the Markets page: what was known then, in numbers and words, and texts that stay texts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from arena import wiring
from arena.seasons.reception import Reception
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.site import build_site
from tests.arena.conftest import SampleFloor
from tests.arena.told import DAY, HOUR, START, told_rules, told_settings, write_candles, write_index, write_news
from tests.arena.ui.hostile import PAYLOADS
from trading.marketdata.view import TapeView

NBSP = "\N{NO-BREAK SPACE}"
BOTH = {"sentiment": ["mood-1d.parquet"], "news": ["btc-news-*.parquet"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows of it, and what it says of what it has."""

    panel: str
    words: str


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write_candles(folder)
    write_index(folder)
    write_news(folder)
    return folder


@pytest.fixture
def show(data: Path, snapshot: FloorSnapshot) -> Callable[..., Shown]:
    """The page itself, over a run that names the sources, at an instant."""

    def shown(at_ms: int = START + 30 * HOUR, *, spoil: Callable[[], object] = lambda: None, **market: Any) -> Shown:
        settings = told_settings(data)
        prepared = wiring.prepare(told_rules(**market), settings)
        folder = wiring.open_run(prepared, settings)
        spoil()
        floor = SampleFloor(replace(snapshot, market="replay", run_id=folder.run_id, as_of_ms=at_ms))
        reception = Reception(snapshot=floor.snapshot)
        reception._view = TapeView(prepared.tape, at_ms)
        services = wiring_services(floor, settings, reception)
        changed = json.loads(build_site(services, now_ms=lambda: 0).pages["markets"].changes({}))
        return Shown(panel=changed["tf-mk-sentiment"][1], words=changed["tf-mk-none"][1])

    return shown


def wiring_services(floor: Any, settings: Any, reception: Reception) -> Any:
    from arena.services import Services

    return Services(floor=floor, settings=settings, reception=reception)


def test_the_index_is_shown_with_its_word_its_changes_its_line_and_its_age(show: Callable[..., Shown]) -> None:
    found = show(**BOTH)
    assert ">70 Greed<" in found.panel
    assert ">+7<" in found.panel
    assert ">+30<" in found.panel
    assert f"6{NBSP}h" in found.panel
    assert "5 Jan 2026, known at its end" in found.panel
    assert "nothing newer" not in found.panel
    assert "mood on 51 days up to 5 Jan 2026: from 20 to 70, last 70." in found.panel
    assert found.panel.count("L") >= 50, "one line through fifty-one days"
    assert "no source" not in found.words
    assert "stand at the end of the page" in found.words


def test_the_ten_latest_headlines_are_those_that_were_known(show: Callable[..., Shown]) -> None:
    found = show(START + DAY - HOUR, **BOTH)
    assert found.panel.count("<li>") == 10
    assert "three 2026-01-04" in found.panel
    assert "2026-01-05" not in found.panel
    assert f"BTC, 4 Jan 2026, known for 23{NBSP}h" in found.panel
    assert {word for word in ("positive", "neutral", "negative") if f">{word}<" in found.panel} == {
        "positive", "neutral", "negative",
    }  # fmt: skip


def test_one_source_alone_says_what_the_other_would_be(show: Callable[..., Shown]) -> None:
    assert "The season names an index of sentiment alone." in show(sentiment=BOTH["sentiment"]).panel
    assert "The season names news alone." in show(news=BOTH["news"]).panel


def test_an_old_recording_says_that_nothing_newer_is_there(show: Callable[..., Shown], data: Path) -> None:
    write_index(data, last=-20)
    found = show(sentiment=BOTH["sentiment"])
    assert "nothing newer is on file" in found.panel
    assert f"20{NBSP}days" in found.panel


def test_without_a_source_the_page_says_so(show: Callable[..., Shown]) -> None:
    found = show()
    assert found.panel == ""
    assert "There is no source of news or sentiment" in found.words


def test_files_that_are_gone_are_said_on_the_page(show: Callable[..., Shown], data: Path) -> None:
    found = show(spoil=(data / "mood-1d.parquet").unlink, **BOTH)
    assert found.panel == ""
    assert "They cannot be shown" in found.words
    assert "names no file" in found.words


@pytest.mark.parametrize("begin", range(0, len(PAYLOADS), 10))
def test_texts_and_words_of_files_stay_text(show: Callable[..., Shown], data: Path, begin: int) -> None:
    some = tuple(text for text in PAYLOADS[begin : begin + 10])
    (data / "mood-1d.parquet").unlink()
    write_index(data, words=tuple(text[:40] for text in some))
    write_news(data, some)
    panel = show(**BOTH).panel
    assert panel.count("<li>") == 10
    opened = {part.split(">")[0].split(" ")[0].strip("/") for part in panel.split("<")[1:]}
    assert opened <= {
        "section", "div", "h2", "span", "b", "em", "svg", "line", "path", "ol", "li", "p",
    }, opened  # fmt: skip
    assert "\x1b" not in panel
    assert "\u202e" not in panel
