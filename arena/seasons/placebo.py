"""The placebo of an ablation: outcomes are shown with other episodes than their own, and all else stays as it is."""

import hashlib
from dataclasses import replace
from decimal import Decimal

from memory import Episode

_Result = tuple[float | None, Decimal | None, str]


class Placebo:
    """Hands every episode an outcome drawn from those known so far of the same desk and kind, its own among them.

    The draw follows from the seed and the episode, so a replay gives the same. Instants stay the episode's own:
    nothing becomes known earlier than it would.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._moves: dict[str, list[float]] = {}
        self._results: dict[tuple[str, str], list[_Result]] = {}
        self._shown: dict[str, Episode] = {}

    def shown(self, episode: Episode) -> Episode:
        """The episode as a desk gets to see it."""
        before = self._shown.get(episode.episode_id)
        move = before.move if before is not None else None
        if episode.move is not None and move is None:
            moves = self._moves.setdefault(episode.desk, [])
            moves.append(episode.move)
            move = moves[self._draw(episode, "move", len(moves))]
        result: _Result = (None, None, "") if before is None else (before.net_return, before.pnl, before.reflection)
        if episode.net_return is not None and result[0] is None:
            results = self._results.setdefault((episode.desk, episode.kind), [])
            results.append((episode.net_return, episode.pnl, episode.reflection))
            result = results[self._draw(episode, "result", len(results))]
        found = replace(episode, move=move, net_return=result[0], pnl=result[1], reflection=result[2])
        self._shown[episode.episode_id] = found
        return found

    def _draw(self, episode: Episode, what: str, count: int) -> int:
        digest = hashlib.sha256(f"{self._seed}:{episode.episode_id}:{what}".encode()).digest()
        return int.from_bytes(digest[:8]) % count
