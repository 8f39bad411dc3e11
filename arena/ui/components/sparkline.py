"""A desk's equity as a line without axes, with the starting capital as its zero line."""

from collections.abc import Sequence

from arena.seasons.snapshot import Curve
from arena.ui.components.markup import Html, element

_WIDTH = 150
_HEIGHT = 26
_INSET = 2
_POINTS = 72


def sparkline(curve: Curve, capital: float, *, dashed: bool) -> Html:
    """The line as inline SVG in the colour of ``--c``; an empty drawing where there is less than two points."""
    equity = _thin([value for value in curve.equity if value == value])
    if len(equity) < 2:
        return element("svg", class_="tf-spark", aria_hidden="true")
    low, high = min(*equity, capital), max(*equity, capital)
    reach = (high - low) or 1.0

    def height(value: float) -> float:
        return _INSET + (high - value) / reach * (_HEIGHT - 2 * _INSET)

    step = _WIDTH / (len(equity) - 1)
    points = " ".join(f"{i * step:.1f},{height(value):.1f}" for i, value in enumerate(equity))
    zero = f"{height(capital):.1f}"
    return element(
        "svg",
        element("line", x1="0", x2=str(_WIDTH), y1=zero, y2=zero, class_="tf-spark-zero"),
        element("polyline", points=points, class_="tf-spark-line tf-dashed" if dashed else "tf-spark-line"),
        class_="tf-spark",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveaspectratio="none",
        aria_hidden="true",
    )


def _thin(values: Sequence[float]) -> Sequence[float]:
    if len(values) <= _POINTS:
        return values
    last = len(values) - 1
    return [values[round(i * last / (_POINTS - 1))] for i in range(_POINTS)]
