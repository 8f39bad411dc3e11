"""A desk's own record by instrument, side and regime, from positions that had closed by an instant."""

from collections import Counter
from collections.abc import Iterable

from memory.episode import Episode
from trading.domain.money import ZERO
from trading.domain.recollection import EpisodeCount, Estimate, TradeRecord


def record_of(episodes: Iterable[Episode], as_of_ms: int) -> list[TradeRecord]:
    """One row an instrument and side and one a regime, all of them first, from what had closed before the instant."""
    groups: dict[str, list[Episode]] = {"all": []}
    for episode in episodes:
        if episode.kind == "realised" and episode.closed_ms < as_of_ms:
            side = "long" if episode.side > 0 else "short"
            for name in ("all", f"{episode.instrument} {side}", f"regime {episode.regime}"):
                groups.setdefault(name, []).append(episode)
    return [_row(name, found) for name, found in sorted(groups.items(), key=lambda item: (item[0] != "all", item[0]))]


def counts_of(episodes: Iterable[Episode], as_of_ms: int) -> list[EpisodeCount]:
    """Decisions by status, and how many of them have an outcome by then."""
    made: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    for episode in episodes:
        made[episode.status] += 1
        closed[episode.status] += episode.closed_ms < as_of_ms
    return [EpisodeCount(status=status, episodes=made[status], closed=closed[status]) for status in sorted(made)]


def _row(name: str, episodes: list[Episode]) -> TradeRecord:
    net = [episode.net_return for episode in episodes if episode.net_return is not None]
    mean = None
    if net:
        mean = Estimate(
            n=len(net), mean=sum(net) / len(net), ci95=None, share_positive=sum(x > 0 for x in net) / len(net)
        )
    return TradeRecord(
        group=name,
        closed=len(episodes),
        won=sum(value > 0 for value in net),
        pnl=sum((episode.pnl for episode in episodes if episode.pnl is not None), ZERO),
        net=mean,
    )
