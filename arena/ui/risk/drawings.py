"""Drawings of risk as inline SVG in the colours of the page: bars, results against VaR, fans, heat maps and curves."""

import math
from collections.abc import Callable, Mapping, Sequence

from arena.ui.components.markup import Html, element
from arena.ui.figures import percent

_WIDTH = 640
_STEPS = ((0.6, "p3"), (0.35, "p2"), (0.1, "p1"), (-0.1, "0"), (-0.35, "n1"), (-0.6, "n2"))


def bar(value: float, most: float, *, label: str) -> Html:
    """A bar from zero in the middle: gains to the right, losses to the left. ``most`` is what fills half of it."""
    share = min(1.0, abs(value) / most) * 50 if most > 0 else 0.0
    shown = element(
        "rect",
        x=f"{50 - share if value < 0 else 50:.2f}",
        y="2",
        width=f"{max(share, 0.4):.2f}",
        height="8",
        class_="tf-rk-loss" if value < 0 else "tf-rk-gain",
    )
    zero = element("line", x1="50", x2="50", y1="0", y2="12", class_="tf-rk-zero")
    return element(
        "svg", shown, zero, class_="tf-rk-bar", viewBox="0 0 100 12", preserveaspectratio="none", role="img",
        aria_label=label,
    )  # fmt: skip


def tail_row(var95: float | None, var99: float | None, cvar99: float | None, most: float) -> Html:
    """VaR at 95 and 99 % as marks and CVaR at 99 % as the end of a line, on one scale from 0 to ``most``."""
    known = [(value, name) for value, name in ((var95, "tf-rk-open"), (var99, "tf-rk-full")) if value is not None]
    label = f"VaR 95 % {percent(var95, 2, signed=False)}, VaR 99 % {percent(var99, 2, signed=False)}, CVaR 99 % "
    label += percent(cvar99, 2, signed=False)
    parts = []
    ends = [value for value in (var95, cvar99) if value is not None]
    if len(ends) == 2 and most > 0:
        left, right = ends[0] / most * 100, ends[1] / most * 100
        parts.append(element("i", class_="tf-rk-reach", style=f"left:{left:.2f}%;width:{max(right - left, 0):.2f}%"))
    parts += [
        element("i", class_=f"tf-rk-mark {name}", style=f"left:{value / most * 100:.2f}%")
        for value, name in known
        if most > 0
    ]
    return element("div", *parts, class_="tf-rk-tail", role="img", aria_label=label)


def result_chart(returns: Sequence[float], var: Sequence[float], begin: str, end: str) -> Html:
    """Each bar's result against the VaR forecast before it; results beyond it are coloured."""
    height, count = 190, len(returns)
    reach = max(max(map(abs, returns), default=0.0), max(var, default=0.0)) * 1.05 or 1.0
    step = _WIDTH / max(count, 1)

    def at(value: float) -> float:
        return height / 2 - value / reach * (height / 2 - 6)

    quiet: list[str] = []
    beyond: list[str] = []
    for row, (value, limit) in enumerate(zip(returns, var, strict=True)):
        line = f"M{(row + 0.5) * step:.1f} {at(0):.1f}V{at(value):.1f}"
        (beyond if -value > limit else quiet).append(line)
    limits = " ".join(f"{(row + 0.5) * step:.1f},{at(-value):.1f}" for row, value in enumerate(var))
    drawn = element(
        "svg",
        *_grid(reach, at),
        element("path", d="".join(quiet), class_="tf-rk-quiet", stroke_width=f"{max(step * 0.7, 0.6):.2f}"),
        element("path", d="".join(beyond), class_="tf-rk-beyond", stroke_width=f"{max(step * 0.9, 1.6):.2f}"),
        element("polyline", points=limits, class_="tf-rk-limit"),
        class_="tf-rk-plot",
        viewBox=f"0 0 {_WIDTH} {height}",
        preserveaspectratio="none",
        role="img",
        aria_label=f"Result of each bar from {begin} to {end} against its VaR; {len(beyond)} went beyond it.",
    )
    edges = (reach / 1.05, 0.0, -reach / 1.05)
    labels = [(at(edge) / height, percent(edge, 1)) for edge in edges]
    return framed(drawn, labels, begin[:10], end[:10])


def drawdown_chart(falls: Sequence[float], limit: float, begin: str, end: str) -> Html:
    """Falls from the peak (fractions, zero or below) over time, and the dashed line of the breaker at ``-limit``."""
    height, count = 150, len(falls)
    reach = max(limit, -min(falls, default=0.0)) * 1.12 or 0.01
    step = _WIDTH / max(count - 1, 1)

    def at(value: float) -> float:
        return 4 - value / reach * (height - 8)

    points = " ".join(f"{row * step:.1f},{at(value):.1f}" for row, value in enumerate(falls))
    line = f"{at(-limit):.1f}"
    drawn = element(
        "svg",
        element("line", x1="0", x2=str(_WIDTH), y1=f"{at(0):.1f}", y2=f"{at(0):.1f}", class_="tf-rk-zero"),
        element("polygon", points=f"0,{at(0):.1f} {points} {_WIDTH},{at(0):.1f}", class_="tf-rk-fall"),
        element("polyline", points=points, class_="tf-rk-edge"),
        element("line", x1="0", x2=str(_WIDTH), y1=line, y2=line, class_="tf-rk-breaker"),
        class_="tf-rk-plot",
        viewBox=f"0 0 {_WIDTH} {height}",
        preserveaspectratio="none",
        role="img",
        aria_label=f"Drawdown from {begin} to {end}: now {percent(falls[-1])}, deepest {percent(min(falls))}, "
        f"the breaker stands at {percent(-limit)}.",
    )
    labels = [(at(edge) / height, percent(edge, 0)) for edge in (0.0, -limit / 2, -limit)]
    return framed(drawn, labels, begin, end)


def fan_chart(fan: Mapping[str, Sequence[float]], days: float) -> Html:
    """Quantiles of wealth at every step: bands of 1 to 99, 5 to 95 and 25 to 75 %, and the median."""
    height = 240
    rows = {level: list(values) for level, values in fan.items()}
    low, high = min(min(values) for values in rows.values()), max(max(values) for values in rows.values())
    room = (high - low) * 0.04 or 0.01
    low, high = low - room, high + room
    count = len(next(iter(rows.values())))
    step = _WIDTH / max(count - 1, 1)

    def at(value: float) -> float:
        return (high - value) / (high - low) * height

    def line(values: Sequence[float]) -> list[str]:
        return [f"{row * step:.1f},{at(value):.1f}" for row, value in enumerate(values)]

    bands = [
        element("polygon", points=" ".join(line(rows[above]) + line(rows[below])[::-1]), class_=f"tf-rk-band{depth}")
        for depth, (below, above) in enumerate((("0.01", "0.99"), ("0.05", "0.95"), ("0.25", "0.75")))
    ]
    today = element("line", x1="0", x2=str(_WIDTH), y1=f"{at(1):.1f}", y2=f"{at(1):.1f}", class_="tf-rk-zero")
    median = element("polyline", points=" ".join(line(rows["0.5"])), class_="tf-rk-limit")
    label = f"Wealth over {days:g} days: half of the paths end above {rows['0.5'][-1]:.3f} of today's equity, "
    label += f"1 in 100 below {rows['0.01'][-1]:.3f}."
    drawn = element(
        "svg", *bands, today, median, class_="tf-rk-plot tf-rk-tall", viewBox=f"0 0 {_WIDTH} {height}",
        preserveaspectratio="none", role="img", aria_label=label,
    )  # fmt: skip
    labels = [(at(edge) / height, percent(edge - 1.0, 0)) for edge in (high - room, 1.0, low + room)]
    return framed(drawn, labels, "today", f"{days:g} days")


def calibration_chart(points: Sequence[tuple[float, float, float, float]]) -> Html:
    """Calibration: what was said to the right, how often it rose upwards, with its interval; the diagonal is the truth.

    Each of ``points`` is the mean probability said, the share that rose, and that share's interval.
    """
    height = 240
    edges = [value for said, rose, low, high in points for value in (said, rose, low, high)]
    low, high = max(0.0, min(edges) - 0.02), min(1.0, max(edges) + 0.02)

    def place(said: float, rose: float) -> str:
        return f"{(said - low) / (high - low) * _WIDTH:.1f} {(high - rose) / (high - low) * height:.1f}"

    bars = "".join(f"M{place(said, least)}L{place(said, most)}" for said, _, least, most in points)
    dots = "".join(f"M{place(said, rose)}h0" for said, rose, _, _ in points)
    drawn = element(
        "svg",
        element("path", d=f"M{place(low, low)}L{place(high, high)}", class_="tf-rk-zero tf-rk-line"),
        element("path", d=bars, class_="tf-rk-limit"),
        element("path", d=dots, class_="tf-rk-dots"),
        class_="tf-rk-plot tf-rk-tall",
        viewBox=f"0 0 {_WIDTH} {height}",
        preserveaspectratio="none",
        role="img",
        aria_label="Calibration. " + "; ".join(f"said {said:.1%}, rose {rose:.1%}" for said, rose, _, _ in points),
    )
    labels = [(at, percent(high - at * (high - low), 0, signed=False)) for at in (0.03, 0.5, 0.97)]
    return framed(drawn, labels, f"said {percent(low, 0, signed=False)}", f"said {percent(high, 0, signed=False)}")


def heat_map(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> Html:
    """A correlation matrix in seven steps, each cell with its number."""
    heads = element("tr", element("th", ""), *(element("th", name, scope="col") for name in names))
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(
                element("td", "", class_="tf-rk-self") if row == column
                else element("td", _two(value), class_=f"tf-rk-cell tf-rk-{_shade(value)}")
                for column, value in enumerate(values)
            ),
        )
        for row, (name, values) in enumerate(zip(names, matrix, strict=True))
    ]  # fmt: skip
    table = element("table", element("thead", heads), element("tbody", *rows), class_="tf-rk-heat")
    return element("div", table, class_="tf tf-scroll", tabindex="0", role="region", aria_label="Correlation matrix")


def strip(instants: Sequence[float], label: str) -> Html:
    """A strip of time with a mark at each of ``instants``, fractions from 0 to 1 of its length."""
    marks = [element("i", style=f"left:{min(max(at, 0.0), 1.0) * 99:.2f}%") for at in instants]
    return element("div", *marks, class_="tf-rk-strip", role="img", aria_label=label)


def _grid(reach: float, at: Callable[[float], float]) -> list[Html]:
    lines = []
    for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
        y = f"{at(share * reach / 1.05):.1f}"
        name = "tf-rk-zero" if share == 0 else "tf-rk-grid"
        lines.append(element("line", x1="0", x2=str(_WIDTH), y1=y, y2=y, class_=name))
    return lines


def framed(
    drawn: Html, labels: Sequence[tuple[float, str]], begin: str, end: str, *, middle: str | None = None
) -> Html:
    """A drawing with its axes beside it as text, so that they keep their size on every screen.

    ``labels`` stand at fractions of the height, from the top; ``middle`` below, halfway along.
    """
    spans = [element("span", label, style=f"top:{at * 100:.1f}%") for at, label in labels]
    side = element("div", *spans, class_="tf-rk-y", aria_hidden="true")
    ends = [element("span", text) for text in (begin, middle, end) if text is not None]
    under = element("div", *ends, class_="tf-rk-x", aria_hidden="true")
    return element("div", side, element("div", drawn, under), class_="tf tf-rk-frame")


def _two(value: float) -> str:
    rounded = f"{abs(value):.2f}"
    text = rounded if rounded.startswith("1") else rounded[1:]
    return f"\N{MINUS SIGN}{text}" if value < 0 and math.fabs(value) >= 0.005 else text


def _shade(value: float) -> str:
    return next((name for edge, name in _STEPS if value >= edge), "n3")
