"""Search without a store: over episodes from a journal, every one compared, for where another process has the store."""

from collections.abc import Iterable

from memory.embedding import hashed
from memory.episode import Episode


def nearest(
    episodes: Iterable[Episode], text: str, *, as_of_ms: int, desk: str | None = None, count: int = 5
) -> list[tuple[Episode, float]]:
    """The episodes decided before ``as_of_ms`` whose words are nearest to ``text`` by hashing, with cosines.

    It writes nothing. Its order is that of a store whose embedding is hashing; 100,000 texts take about two seconds.
    """
    known = [one for one in episodes if one.decided_ms < as_of_ms and desk in (None, one.desk)]
    if not known:
        return []
    cosines = (hashed([one.text for one in known]) @ hashed([text])[0]).round(6).tolist()
    ranked = sorted(zip(known, cosines, strict=True), key=lambda item: (-item[1], item[0].episode_id))
    return ranked[:count]
