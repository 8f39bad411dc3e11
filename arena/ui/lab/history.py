"""What was compared before, and what the prompts of the shown comparison differ by."""

from collections.abc import Sequence

from arena.evaluating import use_home
from arena.lab.comparison import Comparison
from arena.lab.findings import Findings
from arena.settings import Settings
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import count, day_clock
from arena.ui.pressed import here
from prompts.library import diff
from trading.domain.errors import ConfigError

_SHOWN = 12


def history_panel(comparisons: Sequence[Comparison], shown: Comparison | None) -> Html:
    """The newest comparisons as links."""
    if not comparisons:
        return empty("Nothing was compared yet", "Choose a prompt or a model above and run it. It stays here.")
    rows = [_row(one, is_shown=one == shown) for one in comparisons[:_SHOWN]]
    return element("ul", *rows, class_="tf tf-lab-history")


def _row(one: Comparison, *, is_shown: bool) -> Html:
    names = [text.partition("=")[0] for text in (one.baseline, *one.candidates)]
    title = f"{', '.join(names[1:])} against {names[0]}"
    link = here(title, "lab", {"comparison": one.comparison_id}, current=is_shown)
    facts = f"{one.suite}, {count(one.cases, 'case', 'cases')}, {one.by}, {day_clock(one.at_ms)} UTC"
    return element("li", link, element("span", facts, class_="tf-caption"))


def prompt_changes(found: Findings, settings: Settings) -> Html | None:
    """The unified difference of each candidate's prompts from the baseline's; None where they are the same."""
    use_home(settings)
    base, parts, seen = found.columns[0].prompts, [], set()
    for column in found.columns[1:]:
        for role, prompt in column.prompts.items():
            before = base.get(role, f"{role}/production")
            if prompt == before or (before, prompt) in seen:
                continue
            seen.add((before, prompt))
            parts.append(_change(before, prompt))
    if not parts:
        return None
    head = element("div", element("h2", "What the prompts differ by"), class_="tf-lab-head")
    body = element("div", *parts, class_="tf-lab-file")
    return element("section", head, body, class_="tf tf-panel", aria_label="Prompts")


def _change(before: str, after: str) -> Html:
    try:
        text = diff(before, after) or "the same text"
    except ConfigError as error:
        text = str(error)
    summary = element(
        "summary", f"{before} to {after}", element("span", f"{len(text.splitlines())} lines", class_="tf-side")
    )
    body = element("div", element("pre", text, tabindex="0"))
    return element("details", summary, body, class_="tf-more", data_key=f"diff-{before}-{after}", open=True)
