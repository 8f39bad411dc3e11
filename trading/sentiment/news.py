"""News with a label each, read from files and asked for an instant. The texts come from anywhere: show them as text."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from trading.domain.instants import iso
from trading.marketdata import FileRefused
from trading.marketdata.columns import read_table, strict_texts
from trading.sentiment.days import KNOWN_AT, days_of, known_from, refuse_disorder

if TYPE_CHECKING:
    import pyarrow as pa

_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_NAMED = re.compile(r"(?P<asset>[A-Za-z0-9]{1,20})-news(-.*)?")
_LONGEST_TEXT = 4000


class Label(StrEnum):
    """What whoever labelled a text took it for."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """A text of a day about an asset, known from ``known_ms`` on."""

    day_ms: int
    known_ms: int
    asset: str
    label: Label
    text: str

    @property
    def item_id(self) -> str:
        """The same for the same text of the same day about the same asset, wherever it is read."""
        return hashlib.sha256(f"{self.asset}|{self.day_ms}|{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsFeed:
    """Items in the order in which they became known, each once."""

    items: tuple[NewsItem, ...]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def sha256(self) -> str:
        """Digest of everything it says."""
        digest = hashlib.sha256()
        for item in self.items:
            for part in (str(item.day_ms), str(item.known_ms), item.asset, item.label, item.text):
                digest.update(f"{len(part)}:{part}".encode())
        return digest.hexdigest()

    def known(self, as_of_ms: int) -> Sequence[NewsItem]:
        """What is known at an instant, oldest first."""
        return self.items[: bisect_right(self.items, as_of_ms, key=attrgetter("known_ms"))]

    def latest(self, as_of_ms: int, count: int) -> Sequence[NewsItem]:
        """The newest ``count`` that are known at an instant, newest first."""
        return self.known(as_of_ms)[: -count - 1 : -1]


def read_news(path: Path) -> list[NewsItem]:
    """The news of a Parquet or CSV file with the columns ``ts`` (the day, UTC), ``text`` and ``sentiment`` (a label).

    ``asset`` is the base symbol that a text is about; without it a name such as ``btc-news-x.parquet`` says so for all.
    ``known_at`` is from when on a text was known, by default the end of its day. ``asset_price_usd`` may be there and
    is not read: candles say prices. A row that stands there again, word for word with its label, counts once. Raises
    FileRefused for other columns or labels, days that are not in order, and one text of a day with two labels.
    """
    table = read_table(path, ("ts", "text", "sentiment"), ("asset", "asset_price_usd", KNOWN_AT))
    day_ms = days_of(path, table)
    refuse_disorder(path, "ts", day_ms)
    rows = zip(
        day_ms.tolist(),
        known_from(path, table, day_ms).tolist(),
        _assets(path, table),
        strict_texts(path, table, "sentiment", _LONGEST_TEXT),
        strict_texts(path, table, "text", _LONGEST_TEXT),
        strict=True,
    )
    items = [
        NewsItem(day_ms=day, known_ms=known, asset=asset, label=_label(path, label, row), text=text)
        for row, (day, known, asset, label, text) in enumerate(rows)
    ]
    return _once_each(path, items)


def merged(files: Mapping[Path, Sequence[NewsItem]]) -> NewsFeed:
    """The items of several files as one feed; what several of them hold alike counts once.

    Raises FileRefused where two files label one text of a day differently, or date it differently.
    """
    found: dict[str, NewsItem] = {}
    for path, items in files.items():
        for item in items:
            if found.setdefault(item.item_id, item) != item:
                raise FileRefused(path, f"{_told(item)} is labelled or dated otherwise in another file; name one")
    return NewsFeed(items=tuple(sorted(found.values(), key=attrgetter("known_ms"))))


def _once_each(path: Path, items: Sequence[NewsItem]) -> list[NewsItem]:
    found: dict[str, NewsItem] = {}
    for row, item in enumerate(items):
        before = found.setdefault(item.item_id, item)
        if before.label != item.label:
            raise FileRefused(path, f"{_told(item)} is {item.label}, and {before.label} above; expected one label", row)
    return list(found.values())


def _told(item: NewsItem) -> str:
    return f"the text {item.text[:40]!r} of {iso(item.day_ms)}"


def _assets(path: Path, table: "pa.Table") -> list[str]:
    if "asset" not in table.column_names:
        named = _NAMED.fullmatch(path.stem)
        if named is None:
            raise FileRefused(
                path, "does not say what it is about; add a column asset, or name it <asset>-news-<label>"
            )
        return [named["asset"].upper()] * table.num_rows
    found = strict_texts(path, table, "asset", _LONGEST_TEXT)
    for row, asset in enumerate(found):
        if not _ASSET.fullmatch(asset):
            raise FileRefused(path, f"asset is {asset[:40]!r}, expected a base symbol, such as BTC", row)
    return found


def _label(path: Path, text: str, row: int) -> Label:
    try:
        return Label(text)
    except ValueError:
        wanted = ", ".join(Label)
        raise FileRefused(path, f"sentiment is {text[:40]!r}, expected one of {wanted}", row) from None
