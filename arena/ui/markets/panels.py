"""Panels around the chart: the instruments, what is known of the one that is looked at, and what is not."""

from collections.abc import Sequence

from arena.markets import MarketReading
from arena.seasons.snapshot import FloorSnapshot, ForecastLine
from arena.ui.components.marks import chip, swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, day_clock, duration, number, percent, price
from arena.ui.markets.book import no_book
from arena.ui.markets.candles import REGIME_TOKENS
from arena.ui.risk.drawings import heat_map
from arena.ui.risk.parts import facts, numeric, table
from trading.domain.instants import duration_text
from trading.features.anomalies import Severity

_DAY_MS = 86_400_000
_SHOWN_ANOMALIES = 8
_SHOWN_FUNDING = 6
_TONES = {Severity.INFO: "plain", Severity.WARNING: "warn", Severity.CRITICAL: "halt"}
NOT_YET = ("Waiting for the first round", "The market appears as soon as a round was opened.")


def instrument_links(snapshot: FloorSnapshot, reading: MarketReading | None, asked: str | None) -> Html:
    """A link to each instrument with its last price; what was asked for and is not traded is said."""
    if reading is None:
        return empty(*NOT_YET)
    prices = dict(snapshot.prices)
    links = [
        element(
            "a", element("b", name.removesuffix("-PERP")), element("span", price(prices.get(name))),
            href=f"/markets?instrument={name}", aria_current="page" if name == reading.instrument else None,
        )
        for name in reading.instruments
    ]  # fmt: skip
    stray = None
    if asked and asked not in reading.instruments:
        stray = element(
            "p", f"{asked[:60]} is not traded here; this is {reading.instrument}.", class_="tf-caption", role="status"
        )
    return element("nav", *links, stray, class_="tf tf-mk-links", aria_label="Instruments")


def market_facts(reading: MarketReading) -> Html:
    """Price, its day, volume, funding and regime."""
    bars = reading.bars
    if not len(bars):
        return empty("No bar yet", f"{reading.instrument} has no closed bar at {day_clock(reading.as_of_ms)} UTC.")
    day = bars.open_ms >= reading.as_of_ms - _DAY_MS
    change = float(bars.close[-1] / bars.open[day][0]) - 1 if day.any() else None
    low = float(bars.low[day].min()) if day.any() else None
    high = float(bars.high[day].max()) if day.any() else None
    volume = float(bars.volume[day].sum()) if day.any() else None
    return facts(
        (
            ("Last close", price(float(bars.close[-1])), f"{day_clock(reading.as_of_ms)} UTC, {reading.source}"),
            ("In 24 hours", percent(change, 2), f"{price(low)} to {price(high)}"),
            ("Volume, 24 hours", number(volume, 1), reading.instrument.split("-", maxsplit=1)[0]),
            ("Funding, last", *_funding(reading)),
            ("Regime", *_regime(reading)),
        )
    )


def _funding(reading: MarketReading) -> tuple[str, str]:
    rates = reading.funding
    if not len(rates.rate):
        return UNKNOWN, "no rate was settled yet"
    apart = float(rates.ts_ms[-1] - rates.ts_ms[-2]) if len(rates.rate) > 1 else None
    last = float(rates.rate[-1])
    yearly = f"{percent(last * 365 * _DAY_MS / apart, 1)} a year, " if apart else ""
    return percent(last, 4), f"{yearly}{'longs' if last > 0 else 'shorts' if last < 0 else 'nobody'} paid"


def _regime(reading: MarketReading) -> tuple[str, str]:
    found = reading.regime
    if found is None:
        return UNKNOWN, "too little history"
    agreed = (
        "one method alone"
        if found.confidence is None
        else f"methods agree {percent(found.confidence, 0, signed=False)}"
    )
    return found.regime.capitalize(), agreed


def chart_key(_: FloorSnapshot, reading: MarketReading) -> Html:
    """What the marks of the chart mean, in words."""
    own = duration_text(reading.bars.step_ms)
    words = [
        "hollow = rose, filled = fell",
        "triangles = trades, up bought, down sold, in the desk's colour",
        "fans = newest forecasts, 5 to 95\N{NO-BREAK SPACE}%",
        "diamonds = anomalies",
    ]
    words.append(f"the market's own bars are of {own}; a shorter timeframe shows those")
    regimes = [
        element(
            "span",
            element("i", style=f"background:var(--tf-{token})"),
            element("span", regime.value),
            class_="tf-mk-key",
        )
        for regime, token in REGIME_TOKENS.items()
    ]
    return element("p", *regimes, element("span", " · ".join(words)), class_="tf tf-caption tf-mk-caption")


def correlations(reading: MarketReading) -> Html:
    """How the instruments move together."""
    found = reading.together
    if found is None:
        return empty("Not known yet", "It needs two instruments or more with returns at the same bars.")
    names = [name.removesuffix("-PERP") for name in found.instruments]
    say = (
        f"Returns of {found.returns} bars of {duration_text(reading.bars.step_ms)}, shrunk by Ledoit and Wolf. "
        "Teal above zero, orange below."
    )
    return element("div", heat_map(names, found.matrix), element("p", say, class_="tf-rk-say"), class_="tf tf-risk")


def anomalies(reading: MarketReading) -> Html:
    """The newest anomalies, newest first."""
    if not reading.anomalies:
        return empty("Nothing out of the ordinary", "Moves, volumes and data faults that stand out are listed here.")
    heads = (("Bar, UTC", None), ("What", None), ("Kind", None), ("Found by", None), ("Score", "tf-num"))
    rows = [
        (
            element("td", day_clock(one.open_ms)),
            element("td", chip(one.severity.label, _TONES[one.severity]), element("span", one.what)),
            element("td", one.kind.value),
            element("td", one.method),
            numeric(number(one.score, 1)),
        )
        for one in reading.anomalies[: -_SHOWN_ANOMALIES - 1 : -1]
    ]
    return table("Anomalies, newest first", heads, rows)


def desk_forecasts(snapshot: FloorSnapshot, reading: MarketReading) -> Html:
    """Each desk's newest forecast of the instrument."""
    own = [one for one in snapshot.newest_forecasts if one.instrument == reading.instrument]
    if not own:
        return empty("No forecast yet", "Desks forecast what they trade; the newest of each stands here.")
    heads = (
        ("Desk", None), ("Made, UTC", None), ("For", None), ("Rises", "tf-num"), ("5 %", "tf-num"),
        ("Median", "tf-num"), ("95 %", "tf-num"),
    )  # fmt: skip
    return table("Newest forecasts", heads, [_forecast(one, snapshot) for one in sorted(own, key=lambda one: one.slot)])


def _forecast(line: ForecastLine, snapshot: FloorSnapshot) -> tuple[Html, ...]:
    kind = next((desk.kind for desk in snapshot.desks if desk.slot == line.slot), "llm")
    return (
        element("td", swatch(line.slot, kind), element("span", line.desk)),
        element("td", day_clock(line.ts_ms)),
        element("td", duration(line.horizon_s * 1000)),
        numeric(percent(line.p_up, 0, signed=False)),
        *(numeric(percent(value, 2)) for value in (line.q05, line.q50, line.q95)),
    )


def funding_table(reading: MarketReading) -> Html:
    """The last settled rates, newest first."""
    rates = reading.funding
    if not len(rates.rate):
        return empty("No funding", f"{reading.instrument} has settled no funding that this season knows of.")
    heads = (("Settled, UTC", None), ("Rate", "tf-num"), ("Paid by", None))
    pairs = list(zip(rates.ts_ms.tolist(), rates.rate.tolist(), strict=True))[: -_SHOWN_FUNDING - 1 : -1]
    rows = [
        (
            element("td", day_clock(ts_ms)),
            numeric(percent(rate, 4)),
            element("td", "longs" if rate > 0 else "shorts" if rate < 0 else "nobody"),
        )
        for ts_ms, rate in pairs
    ]
    return table("Funding, newest first", heads, rows)


def not_known(snapshot: FloorSnapshot, reading: MarketReading, sources: str) -> Html:
    """What this market does not have, in words; ``sources`` says it of news and sentiment."""
    bookless = no_book(snapshot, reading)
    said: Sequence[tuple[str, str]] = (
        ("Order book", bookless or "It stands under the chart."),
        ("News and sentiment", sources),
    )
    parts = [part for term, text in said for part in (element("dt", term), element("dd", text))]
    return element("dl", *parts, class_="tf tf-mk-none")
