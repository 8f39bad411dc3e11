"""The form that asks for a comparison: suite and cases, a baseline, candidates by prompt and by model, a budget."""

from typing import Any

import gradio as gr

from agents.llm.house import house_models
from arena.access import Role
from arena.diagnosis import usable_models
from arena.lab.comparison import MOST_CASES, Comparison, checked_comparison, variant_text
from arena.lab.laboratory import Laboratory
from arena.settings import Settings
from arena.ui.acts import checked, shown_refusals
from arena.ui.lab.prompts_form import PromptForm, references
from evals.suite import discover
from prompts import resolve
from trading.domain.errors import RequestError

FIRST_CASES = 20
_MODEL, _OTHER_MODEL = "house/momentum", "house/voltarget"


def compare_form(settings: Settings, lab: Laboratory, prompts: PromptForm) -> None:
    """The form; running it keeps the comparison and begins to make it."""
    suites = [(f"{suite.title}", name) for name, suite in discover().items()]
    names, production, own = _prompts(settings, prompts.role.value)
    rules, first = house_models(), [_MODEL if own else _OTHER_MODEL]
    with gr.Column(elem_classes="tf-form"):
        with gr.Row():
            suite = gr.Dropdown(suites, value="decisions", label="Suite", scale=3, min_width=200)
            cases = gr.Number(FIRST_CASES, label="Cases", precision=0, minimum=1, maximum=MOST_CASES, min_width=70)
        with gr.Row():
            base_prompt = gr.Dropdown(names, value=production, label="Baseline: prompt", min_width=140)
            base_model = gr.Dropdown(rules, value=_MODEL, label="Baseline: model", min_width=140)
        with gr.Row():
            prompt = gr.Dropdown(names, value=own or production, label="Candidate: prompt", min_width=140)
            models = gr.Dropdown(rules, value=first, multiselect=True, label="Candidate: models", min_width=140)
        with gr.Row(equal_height=True):
            budget = gr.Number(
                1.0, label="Budget for language models, $", minimum=0, maximum=10_000, min_width=120, precision=2
            )
            run = gr.Button("Run comparison", variant="primary", elem_classes="tf-button", size="sm", min_width=0)
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def offer(role: str) -> Any:
        names, production, own = _prompts(settings, role)
        usable = usable_models()
        return (
            gr.update(choices=names, value=production),
            gr.update(choices=names, value=own or production),
            gr.update(choices=usable),
            gr.update(choices=usable, value=[_MODEL if own else _OTHER_MODEL]),
        )

    def start(  # one for each input of the form
        role: str,
        of: str,
        many: float,
        first: str,
        on: str,
        second: str,
        others: list[str],
        usd: float,
        request: gr.Request,
    ) -> None:
        with shown_refusals():
            caller = checked(request, Role.TRADER)
            lab.start(comparison_of(role, of, many, first, on, second, others, usd), caller)

    gr.on(None, offer, [prompts.role], [base_prompt, prompt, base_model, models], **quiet)
    prompts.saved.change(
        lambda role, made: gr.update(choices=references(settings, role), value=made),
        [prompts.role, prompts.saved],
        [prompt],
        **quiet,
    )
    asked = [prompts.role, suite, cases, base_prompt, base_model, prompt, models, budget]
    newest = "() => { history.replaceState(null, '', location.pathname); window.tfLive?.ask(); scrollTo({ top: 0 }); }"
    run.click(start, asked, None, **{**quiet, "queue": True}).success(None, None, None, js=newest, **quiet)


def comparison_of(
    role: str, suite: str, cases: float, first: str, on: str, second: str, others: list[str], usd: float
) -> Comparison:
    """The comparison that was filled in. Raises RequestError for what is missing or does not fit."""
    if not first or not second:
        raise RequestError("choose a prompt for the baseline and one for the candidate")
    if not on or not others:
        raise RequestError("choose a model for the baseline and at least one for the candidate")
    return checked_comparison(
        suite=suite,
        cases=cases,
        baseline=variant_text(on, role, first),
        candidates=tuple(variant_text(model, role, second) for model in others),
        cap_usd=usd or 0.0,
    )


def _prompts(settings: Settings, role: str) -> tuple[list[str], str | None, str | None]:
    """The usable versions of a role, the one in production, and the newest that did not come with the project."""
    names = references(settings, role)
    meant = resolve(f"{role}/production")
    production = next((one for one in names if one == meant), names[0] if names else None)
    return names, production, next((one for one in names if not one.startswith(f"{role}/default.")), None)
