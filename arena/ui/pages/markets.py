"""Markets: an instrument's candles with what desks did and said on them, and what is known beside them."""

from collections.abc import Callable
from functools import partial

import gradio as gr

from arena.markets import MarketReading, Markets
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.live_plot import live_plot
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.live import Address, LivePage
from arena.ui.markets import panels
from arena.ui.markets.book import order_book
from arena.ui.markets.candles import BANDS, BELOW, COUNTS, HEIGHT_PX, TIMEFRAMES, candle_figure
from arena.ui.markets.sentiment import said_of_sources, sentiment_and_news
from arena.ui.pages import Page
from trading.domain.errors import TradefloorError

_LABEL = (
    "Candles of the instrument with volume and indicators, the trades and forecasts of desks, regimes and anomalies. "
    "The tables under it give the same in numbers."
)
Draw = Callable[[FloorSnapshot, MarketReading], Html]


def build(page: LivePage) -> None:
    """Links to the instruments, facts, the chart, the order book, five panels, the news; one column on a phone."""
    reception = page.services.reception
    markets = Markets(reception.view if reception is not None else lambda: None)
    page.addressed_html(_links(markets), elem_id="tf-mk-links", waiting="The market appears after the first round.")
    page.addressed_html(_drawn(markets, lambda _, reading: panels.market_facts(reading)), elem_id="tf-mk-facts")
    with gr.Column(elem_classes="tf-panel", elem_id="tf-mk-chart-panel"):
        with gr.Row(elem_classes="tf-panel-head"):
            page.addressed_html(_drawn(markets, _title), elem_id="tf-mk-title", waiting="Candles")
            timeframe = page.choice(TIMEFRAMES, "1h", label="Timeframe")
            count = page.choice(list(COUNTS), list(COUNTS)[1], label="Bars")
            bands = page.choice(BANDS, BANDS[0], label="Bands")
            below = page.choice(list(BELOW), next(iter(BELOW)), label="Indicators")
        chart = live_plot(label=_LABEL, height_px=HEIGHT_PX, elem_id="tf-mk-chart")
        page.plot(chart, [timeframe, count, bands, below], _figure(markets), by_address=True)
        page.addressed_html(_drawn(markets, panels.chart_key), elem_id="tf-mk-key")
    page.addressed_html(_drawn(markets, order_book), elem_id="tf-mk-book")

    def not_known(snapshot: FloorSnapshot, reading: MarketReading) -> Html:
        return panels.not_known(snapshot, reading, said_of_sources(page.services, snapshot))

    has = ("Book, news and sentiment", "what this market has", not_known, "tf-mk-none")
    for row in (_PANELS[0], (*_PANELS[1], has)):
        with gr.Row(elem_classes="tf-mk-row"):
            for title, caption, draw, name in row:
                with gr.Column(elem_classes="tf-panel", min_width=320):
                    _head(title, caption)
                    page.addressed_html(_drawn(markets, draw), elem_id=name, waiting="Waiting for the first round.")
    page.addressed_html(_drawn(markets, partial(sentiment_and_news, page.services)), elem_id="tf-mk-sentiment")


_PANELS: tuple[tuple[tuple[str, str, Draw, str], ...], ...] = (
    (
        ("Newest forecasts", "each desk's last word on this instrument", panels.desk_forecasts, "tf-mk-forecasts"),
        ("Anomalies", "newest first", lambda _, reading: panels.anomalies(reading), "tf-mk-anomalies"),
    ),
    (
        (
            "Correlation",
            "of the instruments' returns",
            lambda _, reading: panels.correlations(reading),
            "tf-mk-together",
        ),
        ("Funding", "settled rates", lambda _, reading: panels.funding_table(reading), "tf-mk-funding"),
    ),
)


def _drawn(markets: Markets, draw: Draw) -> Callable[[FloorSnapshot, Address], Html]:
    def drawn(snapshot: FloorSnapshot, address: Address) -> Html:
        try:
            reading = markets.of(address.get("instrument"))
        except TradefloorError as error:
            return empty("The market cannot be measured", str(error))
        return empty(*panels.NOT_YET) if reading is None else draw(snapshot, reading)

    return drawn


def _links(markets: Markets) -> Callable[[FloorSnapshot, Address], Html]:
    def links(snapshot: FloorSnapshot, address: Address) -> Html:
        draw = _drawn(
            markets, lambda found, reading: panels.instrument_links(found, reading, address.get("instrument"))
        )
        return draw(snapshot, address)

    return links


def _figure(markets: Markets) -> Callable[..., str]:
    def figure(snapshot: FloorSnapshot, address: Address, timeframe: str, count: str, bands: str, below: str) -> str:
        try:
            reading = markets.of(address.get("instrument"))
        except TradefloorError:
            return ""
        if reading is None:
            return ""
        return candle_figure(snapshot, reading, timeframe=timeframe, count=count, bands=bands, below=below)

    return figure


def _title(_: FloorSnapshot, reading: MarketReading) -> Html:
    return element(
        "div",
        element("h2", reading.instrument),
        element("span", f"as of the season's clock, {reading.source}", class_="tf-caption"),
        class_="tf tf-heading",
    )


def _head(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Markets", path="markets", order=19, build=build)
