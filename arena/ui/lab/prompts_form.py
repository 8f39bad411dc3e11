"""The editor of prompts: a version is read, changed, and kept as a new one; nothing is ever overwritten."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.access import Caller, Role
from arena.evaluating import use_home
from arena.settings import Settings
from arena.ui.acts import checked, shown_refusals
from graphs.team import ROLES
from prompts import load_prompt, resolve
from prompts.library import Listed, add_version, list_prompts, text_of
from trading.domain.errors import ConfigError, RequestError

LONGEST_PROMPT = 60_000
_FIRST = "executor"
_HELP = (
    "A saved text is a new version: author, message and version are written for you. Slots such as {{facts}} stand in "
    "the user text and in the head; the text is checked before it is kept."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptForm:
    """The parts of the editor that other forms follow."""

    role: gr.Radio
    version: gr.Dropdown
    saved: gr.Textbox


def prompt_form(settings: Settings) -> PromptForm:
    """The form; ``saved`` changes to the name of each new version."""
    role = gr.Radio(
        list(ROLES), value=_FIRST, label="Role", show_label=False, elem_classes="tf-segments", container=False
    )
    with gr.Column(elem_classes="tf-form"):
        names = references(settings, _FIRST)
        first = _production(settings, _FIRST, names)
        version = gr.Dropdown(names, value=first, label="Read a version")
        text = gr.Textbox(
            text_of(first) if first else "",
            label="Text",
            lines=16,
            max_lines=16,
            elem_classes="tf-code",
            max_length=LONGEST_PROMPT,
            info=_HELP,
        )
        with gr.Row(equal_height=True):
            name = gr.Textbox("mine", label="Keep it as", max_length=60, min_width=90)
            message = gr.Textbox(label="What changed, and why", max_length=200, scale=2, min_width=160)
            save = gr.Button("Save new version", elem_classes="tf-button", size="sm", min_width=0)
        saved = gr.Textbox(visible=False)
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def offer(role_name: str) -> Any:
        names = references(settings, role_name)
        return gr.update(choices=names, value=_production(settings, role_name, names))

    def read(reference: str | None) -> str:
        with shown_refusals():
            use_home(settings)
            return text_of(reference) if reference else ""

    def keep(role_name: str, stem: str, words: str, why: str, request: gr.Request) -> Any:
        with shown_refusals():
            reference = kept(settings, checked(request, Role.ADMIN), role_name, stem, words, why)
        gr.Info(f"{reference} is kept. It is tried below, and production stays what it was.")
        return reference, gr.update(choices=references(settings, role_name), value=reference)

    gr.on(None, offer, [role], [version], **quiet)
    version.change(read, [version], [text], **quiet)
    save.click(keep, [role, name, text, message], [saved, version], **{**quiet, "queue": True})
    return PromptForm(role=role, version=version, saved=saved)


def references(settings: Settings, role: str) -> list[str]:
    """The usable versions of a role, the newest of each name first."""
    use_home(settings)
    return [one.reference for one in reversed(list_prompts()) if _is_usable(one, role)]


def kept(settings: Settings, caller: Caller, role: str, stem: str, text: str, message: str) -> str:
    """Keep a text as the next version of ``role/stem``, by the caller. Raises RequestError or ConfigError."""
    if role not in ROLES:
        raise RequestError(f"role {role[:40]!r}: expected one of {', '.join(ROLES)}")
    if not message.strip():
        raise RequestError("what changed, and why? A version without a reason helps nobody who reads it later")
    if len(text) > LONGEST_PROMPT:
        raise RequestError(f"the text has {len(text):,} characters, expected at most {LONGEST_PROMPT:,}")
    use_home(settings)
    found = add_version(f"{role}/{stem.strip()}", text, author=caller.name, message=" ".join(message.split()))
    return found.reference


def _is_usable(one: Listed, role: str) -> bool:
    return one.reference.startswith(f"{role}/") and one.problem is None


def _production(settings: Settings, role: str, names: list[str]) -> str | None:
    try:
        found = load_prompt(resolve(f"{role}/production")).reference
    except ConfigError:
        return names[0] if names else None
    return found if found in names else None
