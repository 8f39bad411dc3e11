"""Recorded sentiment: daily indices and labelled news, each known from an instant on and never before it.

Nothing is fetched and nothing is scored here: files say what they say, and are refused where they cannot be meant so.
"""

from trading.sentiment.index import DailyIndex, IndexReading, IndexValue, read_index
from trading.sentiment.news import Label, NewsFeed, NewsItem, read_news
from trading.sentiment.sources import Sources, load_sources

__all__ = [
    "DailyIndex",
    "IndexReading",
    "IndexValue",
    "Label",
    "NewsFeed",
    "NewsItem",
    "Sources",
    "load_sources",
    "read_index",
    "read_news",
]
