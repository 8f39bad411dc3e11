"""The markets page: figures that Plotly can draw in both themes, and panels in which names stay text."""

import json
import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from arena.markets import MarketReading, read_market
from arena.seasons.book_card import BookCard, book_card
from arena.seasons.reception import Reception
from arena.seasons.snapshot import FloorSnapshot, ForecastLine
from arena.ui.markets import panels
from arena.ui.markets.book import order_book
from arena.ui.markets.candles import BANDS, BELOW, COUNTS, TIMEFRAMES, candle_figure, shown_bars
from arena.ui.markets.frame import rows
from arena.ui.markets.sentiment import NO_SOURCE
from arena.ui.site import build_site
from arena.ui.tokens import PALETTE
from tests.arena.housing import house
from trading.features.anomalies import Anomaly, Kind, Severity
from trading.marketdata import SimulationSpec, simulate
from trading.marketdata.view import TapeView

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
HOSTILE = "<img src=x onerror=1>"
LIGHT = {shade.light.lower() for shade in PALETTE.values()}
USUAL: dict[str, str] = {"timeframe": "1h", "count": list(COUNTS)[1], "bands": BANDS[0], "below": "RSI, MACD"}


@pytest.fixture(scope="module")
def view() -> TapeView:
    """Three hundred rounds of a market with a thousand bars before them."""
    begin = START_MS - 700 * HOUR_MS
    spec = SimulationSpec(symbols=SYMBOLS, start_ms=begin, end_ms=START_MS + 400 * HOUR_MS, step_ms=HOUR_MS, seed=4)
    return TapeView(simulate(spec), START_MS + 300 * HOUR_MS)


@pytest.fixture(scope="module")
def reading(view: TapeView) -> MarketReading:
    """Bitcoin at the end of them."""
    return read_market(view, SYMBOLS[0])


def forecast(reading: MarketReading, **changes: Any) -> ForecastLine:
    """A forecast made at the instant of the reading."""
    plain = ForecastLine(
        ts_ms=reading.as_of_ms, desk="buyhold", slot=0, instrument=reading.instrument, horizon_s=14_400, p_up=0.55,
        q05=-0.02, q50=0.001, q95=0.03,
    )  # fmt: skip
    return replace(plain, **changes)


def drawn(snapshot: FloorSnapshot, reading: MarketReading, **choices: str) -> Any:
    """The figure, read back."""
    return json.loads(candle_figure(snapshot, reading, **{**USUAL, **choices}))


def numbers(value: Any) -> list[float]:
    """Every number in a figure."""
    if isinstance(value, dict):
        return [found for part in value.values() for found in numbers(part)]
    if isinstance(value, list):
        return [found for part in value for found in numbers(part)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("bands", BANDS)
def test_every_choice_gives_a_figure_of_finite_numbers_in_colours_of_the_theme(
    snapshot: FloorSnapshot, reading: MarketReading, bands: str, below: str
) -> None:
    seen = replace(snapshot, newest_forecasts=(forecast(reading),))
    text = candle_figure(seen, reading, **{**USUAL, "bands": bands, "below": below})
    assert "NaN" not in text
    assert "Infinity" not in text
    assert {found.lower() for found in re.findall(r"#[0-9a-fA-F]{6}", text)} <= LIGHT
    assert all(map(math.isfinite, numbers(json.loads(text))))
    names = [trace["name"] for trace in json.loads(text)["data"]]
    assert ("upper" in names) == (bands == "Bollinger")
    assert ("RSI" in names) == ("RSI" in below)
    assert ("MACD" in names) == ("MACD" in below)


@pytest.mark.parametrize("below", BELOW)
def test_panels_lie_one_above_the_other_without_overlap(below: str) -> None:
    places = rows(BELOW[below])
    assert places[0].top == 1.0
    assert places[-1].bottom == 0.0
    assert all(above.bottom > under.top for above, under in pairwise(places))


@pytest.mark.parametrize(("timeframe", "step_h"), [("1m", 1), ("15m", 1), ("1h", 1), ("4h", 4), ("1d", 24)])
def test_a_timeframe_that_the_market_has_not_shows_its_own_bars(
    reading: MarketReading, timeframe: str, step_h: int
) -> None:
    assert timeframe in TIMEFRAMES
    assert shown_bars(reading.bars, timeframe).step_ms == step_h * HOUR_MS


def test_the_chart_ends_at_the_clock_and_fans_reach_to_their_horizon(
    snapshot: FloorSnapshot, reading: MarketReading
) -> None:
    old = forecast(reading, ts_ms=reading.as_of_ms - 48 * HOUR_MS, desk="late", slot=2)
    other = forecast(reading, instrument="ETH-USDT-PERP")
    found = drawn(replace(snapshot, newest_forecasts=(forecast(reading), old, other)), reading)
    candles = next(trace for trace in found["data"] if trace["type"] == "candlestick")
    assert candles["x"][-1] == reading.as_of_ms - HOUR_MS
    assert len(candles["x"]) == 120
    fans = [trace for trace in found["data"] if trace["name"] == "forecast" and "fill" in trace]
    assert len(fans) == 1
    assert max(fans[0]["x"]) == reading.as_of_ms + 14_400_000
    close = float(reading.bars.close[-1])
    assert fans[0]["y"] == pytest.approx([close, close * 1.03, close * 0.98, close])


def test_desks_that_say_the_same_are_one_fan(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    alike = [forecast(reading, desk=f"d{slot}", slot=slot) for slot in range(3)]
    found = drawn(replace(snapshot, newest_forecasts=(*alike, forecast(reading, slot=4, q05=-0.05))), reading)
    medians = [trace for trace in found["data"] if trace["name"] == "forecast" and "fill" not in trace]
    assert len(medians) == 2
    assert medians[0]["customdata"][0].startswith("3 desks:")


def test_trades_are_marked_by_side_in_the_desks_colour(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    at = reading.as_of_ms - 3 * HOUR_MS
    sold = replace(snapshot.trades[0], instrument=reading.instrument, side="sell", slot=2, ts_ms=at, desk=HOSTILE)
    bought = replace(sold, side="buy")
    elsewhere = replace(sold, instrument="ETH-USDT-PERP")
    found = drawn(replace(snapshot, trades=(sold, bought, elsewhere)), reading)
    (marks,) = [trace for trace in found["data"] if trace.get("mode") == "markers" and trace["name"] != "anomalies"]
    assert marks["marker"]["symbol"] == ["triangle-down", "triangle-up"]
    assert marks["marker"]["color"] == PALETTE["d3"].light
    assert "<img" not in json.dumps(found)


def test_the_gravest_anomaly_of_a_bar_is_marked(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    at = int(reading.bars.open_ms[-5])
    mild, grave = (
        Anomaly(
            open_ms=at,
            kind=Kind.MARKET,
            what=what,
            method="robust deviation",
            severity=severity,
            score=5.0,
            evidence={},
        )
        for what, severity in (("volume", Severity.INFO), ("price", Severity.CRITICAL))
    )
    found = drawn(snapshot, replace(reading, anomalies=(mild, grave)))
    (marks,) = [trace for trace in found["data"] if trace["name"] == "anomalies"]
    assert marks["x"] == [at]
    assert marks["marker"]["color"] == [PALETTE["halt"].light]
    assert marks["customdata"][0].startswith("critical: price")


def test_with_no_bar_there_is_a_word_and_no_figure(snapshot: FloorSnapshot, view: TapeView) -> None:
    nothing = read_market(TapeView(view._tape, START_MS - 700 * HOUR_MS), SYMBOLS[0])
    assert drawn(snapshot, nothing)["data"] == []
    assert "No bar yet" in panels.market_facts(nothing)
    assert "Not known yet" in panels.correlations(nothing)
    assert "Nothing out of the ordinary" in panels.anomalies(nothing)


def test_names_stay_text_in_every_panel(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    evil = replace(reading, instrument=HOSTILE, instruments=(HOSTILE, *SYMBOLS), source=HOSTILE)
    seen = replace(snapshot, newest_forecasts=(forecast(reading, instrument=HOSTILE, desk=HOSTILE),))
    odd = Anomaly(
        open_ms=int(reading.bars.open_ms[-1]), kind=Kind.FAULT, what=HOSTILE, method=HOSTILE, severity=Severity.WARNING,
        score=math.nan, evidence={},
    )  # fmt: skip
    evil = replace(evil, anomalies=(odd,))
    markup = [
        panels.instrument_links(seen, evil, HOSTILE), panels.market_facts(evil), panels.anomalies(evil),
        panels.desk_forecasts(seen, evil), panels.chart_key(seen, evil), panels.correlations(evil),
    ]  # fmt: skip
    for text in (*markup, candle_figure(seen, evil, **USUAL)):
        assert "<img" not in text
    assert "&lt;img" in "".join(markup)


def test_the_page_shows_what_the_reception_sees(snapshot: FloorSnapshot, make_floor: Any, view: TapeView) -> None:
    floor = make_floor(snapshot)
    reception = Reception(snapshot=floor.snapshot)
    page = build_site(house(floor, reception=reception), now_ms=lambda: 0).pages["markets"]
    before = json.loads(page.changes({}))
    assert "Waiting for the first round" in before["tf-mk-facts"][1]
    reception._view = view
    floor.publish(snapshot)
    after = json.loads(page.changes({"at-instrument": "ETH-USDT-PERP"}))
    assert "ETH-USDT-PERP" in after["tf-mk-title"][1]
    assert json.loads(after["tf-mk-chart"][1])["data"]
    assert np.isfinite(float(view.quote("ETH-USDT-PERP").price))


def seen(instrument: str = SYMBOLS[0], *, levels: int = 20, as_of_ms: int = START_MS + 300 * HOUR_MS) -> BookCard:
    """A book a cent wide, with more bid than offered."""
    bids = [[round(100.0 - 0.01 * step, 2), 3.0] for step in range(levels)]
    asks = [[round(100.01 + 0.01 * step, 2), 1.0] for step in range(levels)]
    payload = {"instrument": instrument, "ts_ms": as_of_ms - 800, "bids": bids, "asks": asks}
    return book_card(payload, as_of_ms)


def test_a_book_is_added_up_from_the_best_price() -> None:
    card = seen(levels=3)
    assert [level.total for level in card.bids] == [3.0, 6.0, 9.0]
    assert (card.mid, card.spread, card.imbalance) == (100.005, 0.01, 0.5)
    assert card.spread_bps == pytest.approx(0.99995)
    for torn in ({"bids": []}, {"asks": [[1.0]]}, {"asks": None}, {"ts_ms": "now"}):
        payload = {"instrument": "X", "ts_ms": 1, "bids": [[1.0, 1.0]], "asks": [[2.0, 1.0]], **torn}
        with pytest.raises((TypeError, ValueError)):
            book_card(payload, 2)


@pytest.mark.parametrize("levels", [1, 7, 20])
def test_the_book_is_shown_with_its_spread_its_ladder_its_depth_and_its_age(
    snapshot: FloorSnapshot, reading: MarketReading, levels: int
) -> None:
    shown = replace(snapshot, as_of_ms=reading.as_of_ms, books=(seen(levels=levels), seen(SYMBOLS[1])))
    markup = order_book(shown, reading)
    assert "+50\N{NO-BREAK SPACE}%" in markup
    assert ">0.01<" in markup
    assert ">100.005<" in markup, "the mid to its last digit"
    assert ">100.01<" in markup
    assert "800\N{NO-BREAK SPACE}ms" in markup
    assert "nothing newer" not in markup
    assert markup.count("<tr>") == 1 + min(levels, 10)
    assert f"{3 * levels}.000 bid down to" in markup
    assert "nan" not in markup.lower()
    assert "stands under the chart" in panels.not_known(shown, reading, NO_SOURCE)
    older = replace(shown, as_of_ms=reading.as_of_ms + HOUR_MS)
    assert "nothing newer could be trusted" in order_book(older, reading)


def test_a_book_of_two_unlike_sides_has_a_cell_for_every_level(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    payload = {
        "instrument": SYMBOLS[0],
        "ts_ms": 1,
        "bids": [[99.0, 1.0]],
        "asks": [[101.0 + n, 1.0] for n in range(4)],
    }
    markup = order_book(replace(snapshot, books=(book_card(payload, 2),)), reading)
    assert markup.count('colspan="3"') == 3


@pytest.mark.parametrize(("market", "words"), [("simulated", "trades on closed candles"), ("paper", "None yet")])
def test_without_a_book_the_page_says_why(
    snapshot: FloorSnapshot, reading: MarketReading, market: str, words: str
) -> None:
    bookless = replace(snapshot, market=market, books=(seen(SYMBOLS[1]),))
    assert order_book(bookless, reading) == ""
    assert words in panels.not_known(bookless, reading, NO_SOURCE)


def test_the_name_of_a_book_stays_text(snapshot: FloorSnapshot, reading: MarketReading) -> None:
    evil = replace(reading, instrument=HOSTILE, source=HOSTILE)
    markup = order_book(replace(snapshot, books=(seen(HOSTILE),)), evil)
    assert "<img" not in markup
    assert "&lt;img" in markup
