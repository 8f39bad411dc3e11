"""The prompt lab: change a prompt or a model, try it on the same cases, and see what can be concluded."""

from collections.abc import Mapping

import gradio as gr

from arena.access import Caller, Role
from arena.lab.laboratory import Laboratory
from arena.ui.components.markup import Html, element
from arena.ui.lab.compare_form import compare_form
from arena.ui.lab.drawer import drawer_panel
from arena.ui.lab.forest import forest_panel
from arena.ui.lab.history import history_panel, prompt_changes
from arena.ui.lab.matrix import matrix_panel
from arena.ui.lab.prompts_form import prompt_form
from arena.ui.lab.verdict import CANCEL, MORE, PROMOTE, RETRY, RULES_NOTE, verdict_panel
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page
from arena.ui.pressed import hidden_button
from trading.domain.errors import RequestError


def build(page: LivePage) -> None:
    """The newest comparison, or the one that the address names; the forms that ask for another under it."""
    services = page.services
    lab = Laboratory(services.settings, services.jobs)

    def result(address: Address, now_ms: int) -> str:
        return _result(lab, page, address)

    def before(address: Address, now_ms: int) -> str:
        return history_panel(lab.comparisons(), lab.get(address.get("comparison", "")))

    page.housed_html(result, edition=lab.edition, elem_id="tf-lab-result")
    with gr.Row(elem_id="tf-lab-forms"):
        with gr.Column(elem_classes="tf-panel", min_width=320):
            with gr.Row(elem_classes="tf-panel-head"):
                _title("Prompt", "read a version, change it, keep it as a new one")
            prompts = prompt_form(services.settings)
        with gr.Column(min_width=320):
            with gr.Column(elem_classes="tf-panel"):
                with gr.Row(elem_classes="tf-panel-head"):
                    _title("Compare", "the same cases for all, only what is missing is made")
                compare_form(services.settings, lab, prompts)
                gr.HTML(element("p", RULES_NOTE, class_="tf tf-note"), apply_default_css=False, js_on_load=None)
            with gr.Column(elem_classes="tf-panel"):
                with gr.Row(elem_classes="tf-panel-head"):
                    _title("Compared before", "what was made stays on record")
                page.housed_html(before, edition=lab.edition, elem_id="tf-lab-history")
    _acts(lab)


def _acts(lab: Laboratory) -> None:
    def go_on(value: str, address: Mapping[str, str], caller: Caller) -> None:
        lab.go_on(address.get("comparison", ""), caller, more=_whole(value))

    def cancel(value: str, address: Mapping[str, str], caller: Caller) -> str:
        lab.cancel(address.get("comparison", ""), caller)
        return "It ends after the attempts in flight; what was made is kept."

    def promote(value: str, address: Mapping[str, str], caller: Caller) -> str:
        return lab.promote(address.get("comparison", ""), _whole(value), caller)

    hidden_button(go_on, Role.TRADER, elem_id=MORE)
    hidden_button(go_on, Role.TRADER, elem_id=RETRY)
    hidden_button(cancel, Role.TRADER, elem_id=CANCEL)
    hidden_button(promote, Role.ADMIN, elem_id=PROMOTE)


def _whole(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 7):
        if not value:
            return 0
        raise RequestError(f"{value[:40]!r}: expected a whole number")
    return int(value)


def _result(lab: Laboratory, page: LivePage, address: Address) -> Html:
    comparison = lab.get(address.get("comparison", ""))
    if comparison is None:
        words = "Choose a prompt or a model below and run it. The verdict, the cases and the differences appear here."
        title = "No such comparison" if address.get("comparison") else "Nothing was compared yet"
        text = element("div", element("h1", title), element("p", words))
        return element("section", element("div", text, class_="tf-lab-top"), class_="tf tf-lab-verdict tf-lab-plain")
    known = lab.findings(comparison)
    head = verdict_panel(comparison, known, lab.job(comparison))
    if known.value is None:
        return head
    where = {key: address[key] for key in ("comparison", "view", "case") if key in address}
    case = where.get("case", "")
    drawer = drawer_panel(lab.case_file(comparison, case), case, where) if case else None
    right = element(
        "div",
        forest_panel(known.value),
        drawer,
        prompt_changes(known.value, page.services.settings),
        class_="tf-lab-side",
    )
    return element(
        "div", head, element("div", matrix_panel(known.value, where), right, class_="tf-lab-grid"), class_="tf"
    )


def _title(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Prompt lab", path="lab", order=60, build=build)
