"""Forecasts: whether what was said came true, desk by desk, and the trained models that may speak."""

import gradio as gr

from arena.beside import Beside
from arena.model_files import ModelShelf, model_shelf
from arena.ui.components.forecasts import calibration, desk_forecasts, forecast_facts, trained_models
from arena.ui.components.markup import element
from arena.ui.forecasts.models import models_panels
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page

FRESH_MS = 600_000
"""How long a look at the models counts."""


def build(page: LivePage) -> None:
    """A strip of facts, the desks beside the calibration curve, and the trained models under them."""
    page.html(forecast_facts, elem_id="tf-forecast-facts", waiting="Forecasts are scored after the first rounds.")
    with gr.Row(elem_id="tf-forecast-panels"):
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head("Forecasts by desk", "skill against always saying one half")
            page.html(desk_forecasts, elem_id="tf-forecast-desks", waiting="Waiting for the first round.")
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head("Calibration", "all desks: what was said, how often it rose")
            page.html(calibration, elem_id="tf-forecast-calibration", waiting="Waiting for the first round.")
    with gr.Column(elem_classes="tf-panel", elem_id="tf-forecast-models-panel"):
        _head("Trained models", "judged on times they had not seen; then on the record")
        page.html(trained_models, elem_id="tf-forecast-models", waiting="Waiting for the first round.")
    _registry(page)


def _registry(page: LivePage) -> None:
    """The registry's versions, and what moves each champion: read beside the season, also without one."""
    settings = page.services.settings
    shelves: Beside[ModelShelf] = Beside("models", page.services.jobs, fresh_ms=FRESH_MS)
    file = settings.home / "models" / "registry.sqlite"

    def stamp() -> int:
        return file.stat().st_mtime_ns if file.is_file() else 0

    def content(address: Address, now_ms: int) -> str:
        return models_panels(shelves.ask("all", lambda ticket: model_shelf(settings, ticket), edition=stamp()))

    page.housed_html(content, edition=lambda: (shelves.version, stamp()), elem_id="tf-forecast-versions")


def _head(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Forecasts", path="forecasts", order=30, build=build)
