"""A Plotly chart that is redrawn in place: a viewer's zoom and hover survive every refresh and a change of theme.

``gr.Plot`` builds its figure anew for each value, which loses both.
"""

from pathlib import Path

import gradio as gr
import plotly

from arena.ui.components.markup import element
from arena.ui.tokens import PHONE_MAX_PX, dark_twins

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_URL = f"/assets/plotly-{plotly.__version__}.min.js"

_SCRIPT = Path(__file__).parent.parent / "scripts" / "live_plot.js"


def live_plot(*, label: str, height_px: int, elem_id: str) -> gr.HTML:
    """A component whose value is figure JSON in light colours; the browser swaps them for the dark theme's.

    ``label`` is what a screen reader says of the drawing.
    """
    style = f"min-height:{height_px}px"
    return gr.HTML(
        "",
        html_template=element("div", class_="tf-plot", role="img", aria_label=label, style=style),
        js_on_load=_SCRIPT.read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
        plotly_url=PLOTLY_URL,
        twins=dark_twins(),
        phone_max_px=PHONE_MAX_PX,
    )
