"""A desk's charts: equity with the luck band as a figure; drawdown and exposure as drawings on the same time."""

from collections.abc import Sequence
from dataclasses import replace

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.charts.drawdown import drawdowns
from arena.ui.charts.equity import Unit, equity_figure
from arena.ui.components.marks import desk_style
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.desk.choice import desk_of, portrait_of
from arena.ui.figures import day, number, percent
from arena.ui.live import Address

_WIDTH, _HEIGHT = 640, 110


def desk_equity(snapshot: FloorSnapshot, address: Address, range_name: str, unit: Unit) -> str:
    """The equity figure with this desk alone, buy and hold and the luck band."""
    desk = desk_of(snapshot, address)
    return equity_figure(replace(snapshot, desks=() if desk is None else (desk,)), range_name, unit)


def drawdown_chart(snapshot: FloorSnapshot, address: Address) -> Html:
    """How far the desk stood below its highest equity, and the limit at which it may only reduce."""
    desk = desk_of(snapshot, address)
    if desk is None or len(desk.curve.equity) < 2:
        return empty("Not known yet", "Drawdown is drawn from the second round on.")
    falls = drawdowns([value for value in desk.curve.equity if value == value])
    limit = dict(snapshot.limits).get("desk_drawdown")
    bound = -float(limit) if limit is not None else None
    low = min([*falls, bound if bound is not None and bound > 2 * min(falls) else 0.0]) * 1.05 or -0.01
    lines = [_line(falls, low, 0.0, "tf-dk-line")]
    if bound is not None and bound >= low:
        lines.append(_level(bound, low, 0.0, "tf-dk-bound"))
    said = f"Deepest {percent(min(falls))}, now {percent(falls[-1])}."
    if bound is not None:
        said += f" At {percent(bound, 0)} it may only reduce."
    return _drawn(desk, lines, (0.0, low), desk.curve.ts_ms, said)


def exposure_chart(snapshot: FloorSnapshot, address: Address) -> Html:
    """Gross and net value of positions over equity."""
    desk = desk_of(snapshot, address)
    found = None if desk is None else portrait_of(snapshot, desk)
    if desk is None or found is None or len(found.gross) < 2:
        return empty("Not known yet", "Exposure is drawn as soon as the season is scored, a few rounds from its start.")
    high, low = max([*found.gross, *found.net, 0.1]) * 1.05, min([*found.net, 0.0]) * 1.05
    lines = [
        _level(0.0, low, high, "tf-rk-zero"),
        _line(found.gross, low, high, "tf-dk-gross"),
        _line(found.net, low, high, "tf-dk-line"),
    ]
    said = f"Thin: gross, now {number(found.gross[-1], 2)}×. Thick: net, now {number(found.net[-1], 2, signed=True)}×."
    return _drawn(desk, lines, (high, low), found.ts_ms, said, unit="×")


def _line(values: Sequence[float], low: float, high: float, style: str) -> Html:
    step = _WIDTH / max(1, len(values) - 1)
    points = " ".join(f"{i * step:.1f},{_height(value, low, high):.1f}" for i, value in enumerate(values))
    return element("polyline", points=points, class_=style)


def _level(value: float, low: float, high: float, style: str) -> Html:
    y = f"{_height(value, low, high):.1f}"
    return element("line", x1="0", x2=str(_WIDTH), y1=y, y2=y, class_=style)


def _height(value: float, low: float, high: float) -> float:
    return (high - value) / ((high - low) or 1.0) * _HEIGHT


def _drawn(
    desk: DeskCard, lines: Sequence[Html], reach: tuple[float, float], ts_ms: Sequence[int], said: str, unit: str = "%"
) -> Html:
    drawing = element(
        "svg",
        *lines,
        class_="tf-dk-plot",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveaspectratio="none",
        role="img",
        aria_label=said,
    )
    edges = [percent(edge) if unit == "%" else f"{number(edge, 1, signed=True)}{unit}" for edge in reach]
    side = element("div", *(element("span", edge) for edge in edges), class_="tf-dk-y", aria_hidden="true")
    under = element("div", element("span", day(ts_ms[0])), element("span", day(ts_ms[-1])), class_="tf-rk-x")
    return element(
        "div",
        element("div", element("div", drawing, under), side, class_="tf-dk-frame"),
        element("p", said, class_="tf-rk-say"),
        class_="tf tf-risk",
        style=desk_style(desk.slot),
    )
