"""Risk of the running season, from its picture: daily results, drawdown, stress, fans, stops and breakers."""

import numpy as np

from arena.beside import Known
from arena.risk.limit_use import arena_curve, fall_from_peak
from arena.risk.picture import RiskPicture, StopPath
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import UNKNOWN, day_clock, dollars, duration, number, percent
from arena.ui.figures import price as price_text
from arena.ui.risk.drawings import drawdown_chart, fan_chart, result_chart
from arena.ui.risk.judgement import season_panel
from arena.ui.risk.parts import facts, loss, numeric, panel, table
from arena.ui.risk.what_if import shock_panel, window_panel
from trading.domain.instants import iso
from trading.risk.limits import Limits
from trading.risk.measures import backtest
from trading.risk.trip import Clears
from trading.stats import FloatArray

_LEVEL = 0.99
_STOPS_SHOWN = 12
_CLEARED = {
    Clears.PERSON: "a person resumes",
    Clears.NEXT_DAY: "the next day, UTC",
    Clears.PAUSE: "24 hours of market time",
    Clears.BACK_WITHIN: "being back within the limit",
}

Picture = Known[RiskPicture]


def facts_strip(snapshot: FloorSnapshot, limits: Limits, known: Picture) -> Html:
    """Breaker, VaR, CVaR, exceedances, drawdown."""
    report = None if known.value is None else known.value.report
    trail = None if known.value is None else known.value.trail
    equity = sum(desk.equity for desk in snapshot.desks)
    var = None if report is None else report["var"]["filtered"]["0.99"]
    cvar = None if report is None else report["cvar"]["historical"]["0.99"]
    at, total = arena_curve(snapshot)
    deepest = _deepest(total)
    worst = "" if deepest is None else f"worst {percent(-deepest[0], 1)} on {day_clock(int(at[deepest[1]]))} UTC"
    exceeded, judged = _exceedances(known)
    age = _age(known)
    return facts(
        (
            (
                "Breaker",
                snapshot.breaker.capitalize() or UNKNOWN,
                f"all halt {percent(float(limits.arena_drawdown), 0, signed=False)} below the peak",
            ),
            ("VaR 99 %, 1 day", dollars(_money(var, equity), 0), f"{loss(var)} of equity, {age}"),
            ("CVaR 99 %", dollars(_money(cvar, equity), 0), f"{loss(cvar)} of equity"),
            ("VaR exceedances", exceeded if trail is not None else UNKNOWN, judged),
            ("Drawdown now", percent(_minus(fall_from_peak(total)), 1), worst),
        )
    )


def result_panel(known: Picture) -> Html:
    """Results of each step, all desks together, against the VaR stated before it."""
    title = "Result of each step against VaR"
    picture = known.value
    if picture is None:
        return panel(title, None, _waiting(known))
    trail = picture.trail
    if trail is None:
        return panel(title, None, empty("Not known yet", f"{picture.missing.get('trail', 'no step was judged')}."))
    begin, end = (iso(int(trail.ts_ms[at])) for at in (0, -1))
    step = duration(float(np.median(np.diff(trail.ts_ms)))) if len(trail.ts_ms) > 1 else "a step"
    chart = result_chart(trail.equity.tolist(), trail.var.tolist(), begin, end)
    said = backtest(trail.equity, trail.var, _LEVEL)
    dates = ", ".join(day_clock(int(at)) for at in trail.ts_ms[-trail.equity > trail.var][-4:])
    say = f"{said.exceedances} of {said.expected:.1f} expected, Kupiec p = {number(said.coverage.p_value, 2)}: "
    say += f"{exceedance_word(said.coverage.p_value, said.exceedances, said.expected)}."
    say += f" The last ones: {dates} UTC." if dates else ""
    caption = f"all desks, steps of {step} · line = VaR 99 %, filtered · coloured bars broke it"
    return panel(title, caption, element("div", chart, class_="tf-rk-body"), element("p", say, class_="tf-rk-say"))


def exceedance_word(p_value: float | None, found: int, expected: float) -> str:
    """What a count of exceedances says: in line, unclear, too many or too few."""
    if p_value is None:
        return "too few steps to tell"
    if p_value >= 0.1:
        return "in line"
    if p_value >= 0.05:
        return "unclear"
    return "too many" if found > expected else "too few: the VaR is too wide"


def drawdown_panel(snapshot: FloorSnapshot, limits: Limits) -> Html:
    """The fall of all desks together from their peak, with the line at which everything halts."""
    at, total = arena_curve(snapshot)
    if len(total) < 2 or (total <= 0).any():
        return panel("Drawdown, all desks", None, empty("Not known yet", "It needs two marks of every desk."))
    falls = total / np.maximum.accumulate(total) - 1.0
    limit = float(limits.arena_drawdown)
    chart = drawdown_chart(falls.tolist(), limit, day_clock(int(at[0])), day_clock(int(at[-1])))
    caption = f"breaker at {percent(-limit, 0)}"
    return panel("Drawdown, all desks", caption, element("div", chart, class_="tf-rk-body"))


def season_judged(known: Picture) -> Html | None:
    """Exceedances desk by desk."""
    return None if known.value is None or known.value.report is None else season_panel(known.value.report)


def stress_panels(known: Picture) -> list[Html | None]:
    """Hypothetical shocks and stretches of the past."""
    if known.value is None:
        return [panel("If it happened now", None, _waiting(known))]
    report = known.value.report
    if report is None:
        return [panel("If it happened now", None, empty("Not known yet", f"{known.value.missing.get('report', '')}."))]
    return [shock_panel(report), window_panel(report)]


def fan_panels(known: Picture) -> list[Html]:
    """What may become of today's positions: drawn paths, in ordinary times and in a crash."""
    if known.value is None:
        return []
    if not known.value.fans:
        words = known.value.missing.get("fans", "nothing is held")
        return [panel("What may become of it", None, empty("No paths were drawn", f"{words}."))]
    shown = []
    for fan in known.value.fans:
        days = fan["horizon_s"] / 86_400
        say = (
            f"Simulated: {fan['paths']:,} paths of today's positions, model {fan['model']}, seed {fan['seed']}. Ends "
            f"below today in {percent(fan['loss_probability'], 0, signed=False)} of them, deepest fall "
            f"{percent(fan['drawdown']['0.95'], 1, signed=False)} in 5 of 100."
        )
        chart = element("div", fan_chart(fan["fan"], days), class_="tf-rk-body")
        told = element("p", say, class_="tf-rk-say")
        shown.append(panel(f"{days:g} days, {fan['scenario']}", "bands of 98, 90 and 50 %", chart, told))
    return shown


def stops_panel(known: Picture) -> Html | None:
    """Where protective stops stood over time; None where the season keeps none."""
    picture = known.value
    if picture is None or not (picture.has_stops or picture.stops):
        return None
    if not picture.stops:
        words = "The season keeps a stop under every position; none was sent yet."
        return panel("Protective stops", None, empty("No stop yet", words))
    rows = [
        (
            element("td", stop.desk),
            element("td", stop.instrument),
            element("td", _path(stop), class_="tf-rk-wide"),
            numeric(price_text(stop.levels[-1])),
            numeric(str(len(stop.levels))),
            numeric(f"{day_clock(stop.ts_ms[-1])} UTC"),
        )
        for stop in picture.stops[:_STOPS_SHOWN]
    ]
    heads = (
        ("Desk", None), ("Instrument", None), ("Level over time", None), ("Last level", "tf-num"), ("Moves", "tf-num"),
        ("Moved", "tf-num"),
    )  # fmt: skip
    return panel("Protective stops", "set by volatility and regime, moved last first", table("Stops", heads, rows))


def breakers_panel(snapshot: FloorSnapshot, known: Picture) -> Html:
    """The breakers that stand, and what sets each back."""
    trips = () if known.value is None else known.value.trips
    rows = [
        (
            element("td", trip.scope),
            element("td", trip.text()),
            element("td", chip(trip.state.replace("_", "-"), "halt" if trip.state == "halted" else "warn")),
            element("td", _CLEARED[trip.clears]),
        )
        for trip in trips
    ]
    if snapshot.halt_reason:
        texts = ("everything", snapshot.halt_reason, "a person resumes")
        what, rule, until = (element("td", text) for text in texts)
        rows.insert(0, (what, rule, element("td", chip("halted", "halt")), until))
    limited = [desk.name for desk in snapshot.desks if desk.status not in ("active", "halted")]
    if known.value is None and not rows:
        return panel("Breakers", None, _waiting(known))
    if not rows:
        words = f"None stands. {', '.join(limited)} may only reduce." if limited else "None stands."
        return panel("Breakers", _age(known), element("p", words, class_="tf-rk-say"))
    heads = (("What", None), ("Rule", None), ("State", None), ("Set back by", None))
    return panel("Breakers", _age(known), table("Breakers that stand", heads, rows))


def _path(stop: StopPath) -> Html:
    low, high = min(stop.levels), max(stop.levels)
    span, length = (high - low) or 1.0, max(stop.ts_ms[-1] - stop.ts_ms[0], 1)
    points = [
        ((at - stop.ts_ms[0]) / length * 100, 13 - (level - low) / span * 12)
        for at, level in zip(stop.ts_ms, stop.levels, strict=True)
    ]
    steps = f"M{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
    label = f"{stop.desk} {stop.instrument}: from {price_text(stop.levels[0])} to {price_text(stop.levels[-1])}"
    return element(
        "svg", element("path", d=steps, class_="tf-rk-limit"), class_="tf-rk-bar", viewBox="0 0 100 14",
        preserveaspectratio="none", role="img", aria_label=label,
    )  # fmt: skip


def _exceedances(known: Picture) -> tuple[str, str]:
    trail = None if known.value is None else known.value.trail
    if trail is None:
        words = "being measured" if known.value is None else "needs more steps"
        return UNKNOWN, words
    said = backtest(trail.equity, trail.var, _LEVEL)
    word = exceedance_word(said.coverage.p_value, said.exceedances, said.expected)
    return (
        f"{said.exceedances} in {said.observations:,} steps",
        f"expected {said.expected:.1f} · Kupiec p = {number(said.coverage.p_value, 2)} · {word}",
    )


def _waiting(known: Picture) -> Html:
    if known.trouble:
        return empty("It could not be measured", f"{known.trouble}.")
    return skeleton("Being measured beside the season.")


def _age(known: Picture) -> str:
    if known.made_ms is None:
        return "being measured"
    return f"as of {day_clock(known.made_ms)} UTC"


def _deepest(total: FloatArray) -> tuple[float, int] | None:
    if len(total) < 2 or (total <= 0).any():
        return None
    falls = 1.0 - total / np.maximum.accumulate(total)
    at = int(np.argmax(falls))
    return float(falls[at]), at


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _money(share: float | None, equity: float) -> float | None:
    return None if share is None else share * equity
