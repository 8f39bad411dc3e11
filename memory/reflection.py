"""What an episode teaches when it closes: what was expected, what happened, and how holding would have done.

One is written by rule from the record, and labelled so. It judges a decision against the desk's own forecast and
against not trading, never by its profit alone. A second one is the desk's model's where the season asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from memory.episode import Episode
from memory.fence import clean
from trading.domain import iso

_PART_CHARS = 88
"""So that all parts fit into a remembered text."""

_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflection:
    """A typed look back. ``inside`` is whether the move fell between the forecast's 5 % and 95 % quantiles.

    ``against_hold`` is the net return minus what not trading would have brought; what is not known is None.
    """

    author: str
    expected: str
    happened: str
    leaned_right: bool | None
    inside: bool | None
    against_hold: float | None

    def text(self) -> str:
        """The reflection in one line."""
        parts = [f"{self.author}: expected {self.expected}; {self.happened}"]
        if self.leaned_right is not None:
            parts.append("the forecast leaned the right way" if self.leaned_right else "the forecast leaned wrong")
        if self.inside is False:
            parts.append("the move fell outside its 90 % interval")
        if self.against_hold is not None:
            parts.append(f"{self.against_hold:+.2%} against not trading")
        return "; ".join(parts) + "."


def reflect(episode: Episode) -> Reflection:
    """The reflection on a closed episode."""
    forecast = episode.expected
    move = episode.move
    expected = "nothing it said" if forecast is None else f"a rise with {forecast.p_up:.0%}, middle {forecast.q50:+.2%}"
    net = 0.0 if episode.net_return is None else episode.net_return
    happened = {
        "realised": f"the position brought {net:+.2%} after costs",
        "missed": f"the order found no fill and would have brought {net:+.2%}",
    }.get(episode.kind, f"nothing was opened; the side named would have brought {net:+.2%}")
    if move is not None:
        happened += f" while {episode.instrument} moved {move:+.2%}"
    leaned_right = inside = None
    if forecast is not None and move is not None:
        leaned_right = None if move == 0.0 else (forecast.p_up > 0.5) == (move > 0.0)
        inside = forecast.q05 <= move <= forecast.q95
    return Reflection(
        author="rule-based",
        expected=expected,
        happened=happened,
        leaned_right=leaned_right,
        inside=inside,
        against_hold=net if episode.kind == "realised" else None,
    )


def facts_of(episode: Episode) -> dict[str, object]:
    """What was measured of a closed episode, as plain JSON values: what a model that looks back is told."""
    forecast = episode.expected
    by_rule = reflect(episode)
    return {
        "instrument": episode.instrument,
        "decided_at": iso(episode.decided_ms),
        "closed_at": iso(episode.closed_ms),
        "status": episode.status,
        "action": episode.action,
        "side": {1: "long", -1: "short"}.get(episode.side, "none"),
        "regime_then": episode.regime,
        "forecast": None
        if forecast is None
        else {
            "horizon_s": forecast.horizon_s,
            "p_up": forecast.p_up,
            "q05": forecast.q05,
            "q50": forecast.q50,
            "q95": forecast.q95,
        },
        "outcome_kind": episode.kind,
        "net_return": _short(episode.net_return),
        "market_move": _short(episode.move),
        "return_without_trading": 0.0,
        "against_not_trading": _short(by_rule.against_hold),
        "forecast_leaned_right": by_rule.leaned_right,
        "move_inside_forecast_interval": by_rule.inside,
        "went_against_own_plan": episode.contradicts or None,
    }


def insight_text(model: str, said: Mapping[str, str] | None) -> str:
    """A model's look back in one line, with its author; empty where it said nothing."""
    if said is None:
        return ""
    parts = (
        f"expected {clean(said['expected'], _PART_CHARS)}",
        f"happened {clean(said['happened'], _PART_CHARS)}",
        f"why ({said['cause']}) {clean(said['why'], _PART_CHARS)}",
        f"next time {clean(said['next_time'], _PART_CHARS)}",
    )
    return clean(f"{model} wrote: {'; '.join(parts)}")


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
