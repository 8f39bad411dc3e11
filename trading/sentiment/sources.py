"""The sources of sentiment that a season names: its indices and its news, each file whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trading.domain.errors import DataError
from trading.domain.instants import iso
from trading.domain.instrument import parse_symbol
from trading.marketdata import TextScores, expand_paths
from trading.sentiment.index import DailyIndex, read_index
from trading.sentiment.news import Label, NewsFeed, merged, read_news

_NO_NEWS = NewsFeed(items=())
_SCORES = {Label.POSITIVE: 1.0, Label.NEUTRAL: 0.0, Label.NEGATIVE: -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Indices by their names, and the news of all files as one feed; each is empty where none is named."""

    indices: tuple[DailyIndex, ...] = ()
    news: NewsFeed = _NO_NEWS

    def __bool__(self) -> bool:
        return bool(self.indices or self.news)

    @property
    def digests(self) -> tuple[str, ...]:
        """What identifies them, one line each; none where there is no source."""
        found = [f"sentiment {index.name}: {index.sha256}" for index in self.indices]
        return (*found, *((f"news: {self.news.sha256}",) if self.news else ()))

    def scores(self, symbols: Sequence[str]) -> dict[str, TextScores]:
        """The labels of the texts about each instrument's base as numbers; none for one that no text is about."""
        found: dict[str, TextScores] = {}
        for symbol in symbols:
            own = [item for item in self.news.items if item.asset == parse_symbol(symbol)[0]]
            if own:
                found[symbol] = TextScores(
                    known_ms=np.array([item.known_ms for item in own], np.int64),
                    score=np.array([_SCORES[item.label] for item in own]),
                )
        return found


def load_sources(sentiment: Sequence[str], news: Sequence[str], root: Path, end_ms: int) -> Sources:
    """The files that the patterns name, relative to ``root``.

    Raises DataError for a pattern without a file, a file that is refused, two indices of one name, and a source of
    which nothing is known before ``end_ms``.
    """
    indices = [_begun(path, read_index(path), end_ms) for path in expand_paths(sentiment, root)]
    names = [index.name for index in indices]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two indices of sentiment are called {name!r}: name one, or give a file another name")
    files = {path: read_news(path) for path in expand_paths(news, root)}
    for path, items in files.items():
        _refuse_later(path, items[0].known_ms, end_ms)
    return Sources(indices=tuple(indices), news=merged(files))


def _begun(path: Path, index: DailyIndex, end_ms: int) -> DailyIndex:
    _refuse_later(path, int(index.known_ms[0]), end_ms)
    return index


def _refuse_later(path: Path, first_ms: int, end_ms: int) -> None:
    if first_ms >= end_ms:
        raise DataError(f"{path}: nothing of it is known before {iso(first_ms)}, after the season's end {iso(end_ms)}")
