"""The interval bar: an estimate, its interval and the luck behind it, on the one scale of a screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.seasons.snapshot import DeskCard, LuckBand
from arena.ui.components.marks import desk_style
from arena.ui.components.markup import Html, element
from arena.ui.figures import percent, span

_PADDING = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The range of returns that all bars of a screen share. ``luck`` is the 5 to 95 % range of random traders."""

    low: float
    high: float
    luck: tuple[float, float] | None

    def at(self, value: float) -> float:
        """Where a return stands on the bar, in percent of its width."""
        return (min(max(value, self.low), self.high) - self.low) / (self.high - self.low) * 100


def shared_scale(desks: Sequence[DeskCard], luck: LuckBand | None) -> Scale:
    """The scale on which every interval, every return, zero and the luck band fit."""
    range_of_luck = (luck.q05[-1], luck.q95[-1]) if luck is not None and luck.ts_ms else None
    values = [0.0, *(range_of_luck or ())]
    for desk in desks:
        values += [desk.total_return, *(desk.return_ci95 or ())]
    low, high = min(values), max(values)
    room = (high - low) * _PADDING or 0.01
    return Scale(low=low - room, high=high + room, luck=range_of_luck)


def interval_bar(desk: DeskCard, scale: Scale) -> Html:
    """The bar of one desk: grey luck, tick at zero, line for the 95 % interval, mark at the return."""
    if desk.return_ci95 is None:
        label = f"Return {percent(desk.total_return)}, no interval yet"
    else:
        label = f"Return {percent(desk.total_return)}, 95 % interval {span(desk.return_ci95)}"
    luck = None if scale.luck is None else element("i", class_="tf-iv-luck", style=_reach(scale, scale.luck))
    line = None
    if desk.return_ci95 is not None:
        dashed = "" if desk.kind == "llm" else " tf-dashed"
        line = element("i", class_=f"tf-iv-line{dashed}", style=_reach(scale, desk.return_ci95))
    return element(
        "div",
        luck,
        element("i", class_="tf-iv-zero", style=f"left:{scale.at(0):.2f}%"),
        line,
        element("i", class_="tf-iv-mark", style=f"left:{scale.at(desk.total_return):.2f}%"),
        class_="tf-iv",
        style=desk_style(desk.slot),
        role="img",
        aria_label=label,
    )


def _reach(scale: Scale, interval: tuple[float, float]) -> str:
    left = scale.at(interval[0])
    return f"left:{left:.2f}%;width:{max(scale.at(interval[1]) - left, 0.4):.2f}%"
