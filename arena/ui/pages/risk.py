"""Risk: what the floor holds and could lose, which limits are near, what broke, and changing a limit."""

from collections.abc import Callable, Hashable

import gradio as gr

from arena.beside import Beside
from arena.risk.limit_use import limit_uses, season_limits
from arena.risk.picture import RiskPicture, risk_picture
from arena.seasons.snapshot import FloorSnapshot
from arena.settings import CONFIG
from arena.ui.components.markup import Html, element
from arena.ui.components.risk import desk_correlation, risk_by_desk, risk_facts
from arena.ui.live import LivePage
from arena.ui.pages import Page
from arena.ui.risk.floor import (
    Picture,
    breakers_panel,
    drawdown_panel,
    facts_strip,
    fan_panels,
    result_panel,
    season_judged,
    stops_panel,
    stress_panels,
)
from arena.ui.risk.limit_form import limit_form
from arena.ui.risk.limits import changes_panel, limits_panel
from arena.ui.risk.parts import columns
from trading.domain.errors import ConfigError
from trading.risk import LimitBoard, Limits

FRESH_MS = 300_000
"""How long the heavy measures count before they are made anew, while somebody looks."""

_WAITING = "Risk is measured after the first round."


def build(page: LivePage) -> None:
    """Facts, results and drawdown beside limits and breakers; then desks, correlation, stress and paths."""
    services = page.services
    settings = services.settings
    pictures: Beside[RiskPicture] = Beside("risk", services.jobs, fresh_ms=FRESH_MS, most=2)
    board = LimitBoard(settings.home, Limits.load(CONFIG / "limits.toml"))

    def known(snapshot: FloorSnapshot) -> Picture:
        run_id = snapshot.run_id
        return pictures.ask(run_id, lambda ticket: risk_picture(settings, run_id, ticket))

    def limits(snapshot: FloorSnapshot) -> Limits:
        try:
            return season_limits(settings.home, snapshot.run_id, board)
        except ConfigError:  # a damaged record of changes is told by the panel of changes
            return Limits.load(CONFIG / "limits.toml")

    def drawn(*parts: Callable[[FloorSnapshot], Html | None]) -> Callable[[FloorSnapshot], str]:
        return lambda snapshot: element("div", *(part(snapshot) for part in parts), class_="tf tf-risk")

    def clocked(snapshot: FloorSnapshot | None, now_ms: int) -> str:
        try:
            return element("div", changes_panel(board.changes(), now_ms), class_="tf tf-risk")
        except ConfigError as error:
            return element("p", str(error), class_="tf tf-note")

    def edition() -> Hashable:
        file = settings.home / "limits.sqlite"
        return pictures.version, file.stat().st_mtime_ns if file.is_file() else 0

    page.html(
        drawn(lambda one: facts_strip(one, limits(one), known(one)), risk_facts),
        elem_id="tf-risk-facts",
        waiting=_WAITING,
        edition=edition,
    )
    with gr.Row(elem_id="tf-risk-panels"):
        with gr.Column(min_width=320):
            left = drawn(
                lambda one: result_panel(known(one)),
                lambda one: drawdown_panel(one, limits(one)),
                lambda one: breakers_panel(one, known(one)),
            )
            page.html(left, elem_id="tf-risk-results", waiting=_WAITING, edition=edition)
            with gr.Column(elem_classes="tf-panel"):
                _head("Risk by desk", "tails of the results on the curve")
                page.html(risk_by_desk, elem_id="tf-risk-desks", waiting=_WAITING)
        with gr.Column(min_width=320):
            uses = drawn(lambda one: limits_panel(limit_uses(one, limits(one))))
            page.html(uses, elem_id="tf-risk-limits", waiting=_WAITING, edition=edition)
            with gr.Column(elem_classes="tf-panel"):
                _head("Change a limit", "it reaches the running season at its next check")
                limit_form(settings)
            page.clocked_html(clocked, elem_id="tf-risk-changes")
            with gr.Column(elem_classes="tf-panel"):
                _head("Correlation of results", "desk by desk, shrunk")
                page.html(desk_correlation, elem_id="tf-risk-correlation", waiting=_WAITING)

    def below(snapshot: FloorSnapshot) -> str:
        picture = known(snapshot)
        fans = fan_panels(picture)
        return element(
            "div",
            season_judged(picture),
            columns(stress_panels(picture)[:1], stress_panels(picture)[1:]),
            columns(fans[:1], fans[1:]),
            stops_panel(picture),
            class_="tf tf-risk",
        )

    page.html(below, elem_id="tf-risk-below", waiting=_WAITING, edition=edition)


def _head(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Risk", path="risk", order=20, build=build)
