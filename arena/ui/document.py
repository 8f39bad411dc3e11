"""A page as one HTML file that needs nothing else: no server, no network, both themes, a phone or a wide screen."""

from collections.abc import Sequence
from pathlib import Path

from arena.ui.components.markup import Html, element
from arena.ui.tokens import css_variables

_FOLDER = Path(__file__).parent / "styles"
_BODY = """
body { margin: 0; background: var(--tf-page); color: var(--tf-ink); font: 13px/19px "IBM Plex Sans", system-ui, sans-serif; }
.tf-page-top { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; min-height: 48px; padding: 8px 16px; border-bottom: 1px solid var(--tf-line); background: var(--tf-panel); }
.tf-page-top h1 { margin: 0; font-size: 15px; line-height: 20px; }
.tf-page-top span { color: var(--tf-ink-2); font-size: 12px; }
.tf-page-top button { min-height: 28px; margin-left: auto; padding: 0 10px; border: 1px solid var(--tf-line-strong); border-radius: 4px; background: none; color: var(--tf-ink); font: inherit; font-size: 12px; cursor: pointer; }
.tf-page-top button:focus-visible { outline: 2px solid var(--tf-focus); outline-offset: 2px; }
main { padding: 12px 16px 24px; }
@media (max-width: 760px) { main { padding: 10px; } .tf-page-top button { min-height: 44px; } }
@media print { .tf-page-top button { display: none; } }
"""  # noqa: E501 - a style sheet reads better a rule a line
_SCRIPT = """
(() => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark", dark.matches);
  follow();
  dark.addEventListener("change", follow);
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("button").addEventListener("click", () => root.classList.toggle("dark"));
  });
})();
"""


def html_document(title: str, top: Sequence[Html | None], body: Html, *, styles: Sequence[str]) -> str:
    """The whole file. ``top`` stands beside the title in the header; ``styles`` are names of our own style files."""
    sheet = css_variables() + "".join((_FOLDER / f"{name}.css").read_text("utf-8") for name in styles) + _BODY
    header = element(
        "header",
        element("h1", title),
        *top,
        element("button", "Light or dark", type="button"),
        class_="tf-page-top",
    )
    # The style sheet and the script are our own files; everything else went through ``element``.
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{element('title', f'{title} - Tradefloor')}\n<style>\n{sheet}</style>\n<script>{_SCRIPT}</script>\n</head>\n"
        f"<body>\n{header}\n{element('main', body)}\n</body>\n</html>\n"
    )


def market_chip(kinds: Sequence[str]) -> Html | None:
    """The word that stands over everything that was not traded on recorded prices."""
    return element("b", "SIMULATED MARKET", class_="tf-chip tf-chip-outline") if "simulated" in kinds else None
