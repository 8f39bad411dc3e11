"""Files of sentiment and news: what is meant is read, rubbish is refused by row and reason."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trading.domain.errors import DataError
from trading.marketdata import FileRefused
from trading.sentiment import Label, load_sources, read_index, read_news

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
DAY = 86_400_000
FIRST = 1_700_006_400_000  # 15 November 2023
FOREVER = 2**45
INDEX = "ts,value\n2023-11-15,30\n2023-11-16,72.5\n"
NEWS = "ts,asset,text,sentiment\n2023-11-15,BTC,up it goes,positive\n2023-11-15,ETH,down,negative\n"


def written(folder: Path, text: str, name: str = "mood-1d.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_an_index_has_its_days_its_words_and_the_name_of_its_file(tmp_path: Path) -> None:
    found = read_index(written(tmp_path, INDEX))
    assert found.name == "mood"
    assert found.day_ms.tolist() == [FIRST, FIRST + DAY]
    assert found.known_ms.tolist() == [FIRST + DAY, FIRST + 2 * DAY], "a day is known at its end"
    assert found.words == ("Fear", "Greed")
    own = "ts,value,classification,known_at\n2023-11-15,30,Bored,2023-11-15T06:00:00Z\n"
    said = read_index(written(tmp_path, own))
    assert said.words == ("Bored",)
    assert said.known_ms.tolist() == [FIRST + DAY // 4], "the file has an instant of its own"


@pytest.mark.parametrize(
    ("value", "word"),
    [(0, "Extreme Fear"), (24, "Extreme Fear"), (25, "Fear"), (45, "Neutral"), (55, "Greed"), (100, "Extreme Greed")],
)
def test_a_value_without_a_word_gets_one(tmp_path: Path, value: int, word: str) -> None:
    assert read_index(written(tmp_path, f"ts,value\n2023-11-15,{value}\n")).words == (word,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as CSV"),
        ("ts,value\n", "is empty"),
        ("ts\n2023-11-15\n", "column 'value' is missing"),
        ("ts,value,mood\n2023-11-15,3,x\n", "unknown column 'mood'"),
        ("ts,value,value\n2023-11-15,3,4\n", "stands twice"),
        ("ts,value\n2023-11-15,101\n", "row 0: value is 101, expected 0 to 100"),
        ("ts,value\n2023-11-15,-1\n", "value is -1"),
        ("ts,value\n2023-11-15,\n", "value is nan"),
        ("ts,value\n2023-11-15,inf\n", "value is inf"),
        ("ts,value\n2023-11-15,high\n", "'high' is not a number"),
        ("ts,value\nsoon,3\n", "'soon' is not ISO 8601"),
        ("ts,value\n1900-01-01,3\n", "expected a year from 1971"),
        ("ts,value\n2023-11-15T07:00:00,3\n", "expected a day; an instant of its own stands in known_at"),
        ("ts,value\n2023-11-15,3\n2023-11-15,3\n", "row 1: the day 2023-11-15T00:00:00Z stands there twice"),
        ("ts,value\n2023-11-16,3\n2023-11-15,3\n", "row 1: the day 2023-11-15T00:00:00Z comes after a later one"),
        ("ts,value,known_at\n2023-11-15,3,2023-11-14T23:00:00Z\n", "before its day"),
        ("ts,value,known_at\n2023-11-15,3,2023-11-18\n2023-11-16,3,2023-11-17\n", "known_at is 2023-11-17"),
        ("ts,value,known_at\n2023-11-15,3,\n", "known_at is empty"),
        ("ts,value,classification\n2023-11-15,3,\n", "classification is empty"),
        (f"ts,value,classification\n2023-11-15,3,{'x' * 41}\n", "has 41 characters"),
        ("ts,value\n2023-11-15,3,4\n", "has 3 cells, expected 2"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read_index(written(tmp_path, text))


def test_news_say_what_they_are_about(tmp_path: Path) -> None:
    first, second = read_news(written(tmp_path, NEWS, "all.csv"))
    assert (first.asset, first.label, first.text) == ("BTC", Label.POSITIVE, "up it goes")
    assert second.known_ms == FIRST + DAY
    assert first.item_id != second.item_id
    (named,) = read_news(written(tmp_path, "ts,text,sentiment\n2023-11-15,x,neutral\n", "sol-news-daily.csv"))
    assert named.asset == "SOL"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ts,text\n2023-11-15,x\n", "column 'sentiment' is missing"),
        ("ts,text,sentiment,url\n2023-11-15,x,neutral,y\n", "unknown column 'url'"),
        ("ts,text,sentiment\n2023-11-15,x,great\n", "row 0: sentiment is 'great', expected one of positive, neutral"),
        ("ts,text,sentiment\n2023-11-15,,neutral\n", "text is empty"),
        ("ts,text,sentiment\n2023-11-15,   ,neutral\n", "text is empty"),
        (f"ts,text,sentiment\n2023-11-15,{'x' * 4001},neutral\n", "has 4001 characters"),
        ("ts,text,sentiment\n2023-11-15T05:00:00,x,neutral\n", "expected a day"),
        ("ts,text,sentiment\n2023-11-16,x,neutral\n2023-11-15,y,neutral\n", "row 1: ts is 2023-11-15"),
        ("ts,text,sentiment\n2023-11-15,x,neutral\n2023-11-15,x,positive\n", "row 1: the text 'x'.*and neutral above"),
        ("ts,text,sentiment,asset\n2023-11-15,x,neutral,btc/usd\n", "asset is 'btc/usd'"),
        ("ts,text,sentiment\n", "is empty"),
    ],
)
def test_news_that_are_none_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read_news(written(tmp_path, text, "btc-news.csv"))


def test_a_file_that_does_not_say_its_asset_or_is_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="add a column asset"):
        read_news(written(tmp_path, "ts,text,sentiment\n2023-11-15,x,neutral\n", "headlines.csv"))
    with pytest.raises(FileRefused, match=r"expected \.parquet or \.csv"):
        read_news(written(tmp_path, NEWS, "btc-news.txt"))
    with pytest.raises(FileRefused, match="no such file"):
        read_index(tmp_path / "nowhere.csv")
    with pytest.raises(FileRefused, match="cannot be read as Parquet"):
        read_index(written(tmp_path, INDEX, "mood.parquet"))
    torn = pa.table({"ts": pa.array([FIRST], pa.timestamp("ms")), "value": ["7"]})
    pq.write_table(torn, tmp_path / "text.parquet")
    with pytest.raises(FileRefused, match="expected a number"):
        read_index(tmp_path / "text.parquet")
    binary = pa.table({"ts": pa.array([FIRST], pa.timestamp("ms")), "text": [b"\xff"], "sentiment": ["neutral"]})
    pq.write_table(binary, tmp_path / "btc-news.parquet")
    with pytest.raises(FileRefused, match="expected text"):
        read_news(tmp_path / "btc-news.parquet")


def test_a_row_that_stands_there_again_counts_once(tmp_path: Path) -> None:
    again = "ts,text,sentiment\n2023-11-15,x,neutral\n2023-11-15,x,neutral\n2023-11-16,x,neutral\n"
    assert len(read_news(written(tmp_path, again, "btc-news.csv"))) == 2


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    written(tmp_path, INDEX)
    written(tmp_path, INDEX, "mood.csv")
    with pytest.raises(DataError, match="two indices of sentiment are called 'mood'"):
        load_sources(["mood*.csv"], [], tmp_path, FOREVER)
    with pytest.raises(DataError, match="names no file"):
        load_sources(["nowhere*.csv"], [], tmp_path, FOREVER)
    with pytest.raises(DataError, match="after the season's end"):
        load_sources(["mood.csv"], [], tmp_path, FIRST + DAY)
    written(tmp_path, "ts,text,sentiment\n2023-11-15,x,neutral\n", "btc-news-a.csv")
    written(tmp_path, "ts,text,sentiment\n2023-11-15,x,negative\n", "btc-news-b.csv")
    with pytest.raises(DataError, match="labelled or dated otherwise"):
        load_sources([], ["btc-news-*.csv"], tmp_path, FOREVER)
    assert not load_sources([], [], tmp_path, FOREVER)


def test_the_recorded_files_are_read_whole() -> None:
    index, news = "sentiment/crypto-fear-greed-1d.parquet", "sentiment/btc-news-labelled.parquet"
    found = load_sources([index], [news], DATA, FOREVER)
    (fear,) = found.indices
    assert (fear.name, len(fear), fear.words[-1]) == ("crypto-fear-greed", 2522, "Greed")
    assert len(found.news) == 4966 - 7, "seven rows stand there twice, word for word"
    assert {item.asset for item in found.news.items} == {"BTC"}
