"""The look as Gradio takes it: a theme that points at our variables, our styles, and what goes into the page's head."""

import hashlib
from functools import cache
from pathlib import Path

import gradio as gr

from arena.ui.tokens import css_variables

_HERE = Path(__file__).parent
_STYLES = (
    "shell",
    "panels",
    "cards",
    "feed",
    "tables",
    "risk",
    "board",
    "decision",
    "desk",
    "leaderboard",
    "markets",
    "trade",
    "pressed",
    "lab",
    "runs",
    "settings",
    "limits",
    "account",
    "refusal",
    "chat",
    "phone",
)
_SCRIPTS = ("shell", "live", "refusals", "who", "chat", "address", "press")

_VARIABLES = {
    "body_background_fill": "page",
    "body_text_color": "ink",
    "body_text_color_subdued": "ink-2",
    "background_fill_primary": "panel",
    "background_fill_secondary": "sunken",
    "border_color_primary": "line",
    "border_color_accent": "line-strong",
    "block_background_fill": "panel",
    "block_border_color": "line",
    "block_label_text_color": "ink-2",
    "block_title_text_color": "ink-2",
    "input_background_fill": "panel",
    "input_border_color": "line-strong",
    "input_placeholder_color": "ink-3",
    "button_secondary_background_fill": "panel",
    "button_secondary_border_color": "line-strong",
    "button_secondary_text_color": "ink",
    "button_primary_background_fill": "ink",
    "button_primary_text_color": "panel",
    "checkbox_label_background_fill_selected": "raised",
    "checkbox_label_text_color_selected": "ink",
    "table_border_color": "line",
    "code_background_fill": "sunken",
    "link_text_color": "ink",
    "loader_color": "ink-2",
    "color_accent_soft": "raised",
}


def gradio_theme() -> gr.themes.Base:
    """The base theme with every colour read from ``--tf-`` variables, so that one style sheet holds both themes."""
    theme = gr.themes.Base(
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
        text_size="sm",
        spacing_size="sm",
        radius_size="sm",
    )
    settable = theme.set.__code__.co_varnames
    values = {name: f"var(--tf-{token})" for name, token in _VARIABLES.items()}
    twins = {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in settable}
    return theme.set(**values, **twins, block_shadow="none", input_shadow="none", input_shadow_focus="none")


def style_sheet() -> str:
    """The palette and all style files, in the order in which they override each other."""
    files = ((_HERE / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    return css_variables() + "\n".join(files)


def page_head() -> str:
    """Our own scripts, as a file: the page's policy lets no script in its text run."""
    return f'<script src="{script_url()}"></script>'


@cache
def script() -> str:
    """What keeps theme and page, arms what needs two steps, and says who is logged in."""
    return "".join((_HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


def script_url() -> str:
    """Where the page finds it: under another name once it has changed, so that it may be kept for ever."""
    return f"/assets/tradefloor-{hashlib.sha256(script().encode()).hexdigest()[:12]}.js"
