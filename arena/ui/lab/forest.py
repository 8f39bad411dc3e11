"""The forest: each candidate's difference from the baseline with its interval, on one scale."""

from arena.lab.findings import Findings
from arena.ui.components.markup import Html, element
from arena.ui.lab.verdict import score_text
from evals.promptlab.verdict import LabVerdict

_ROOM = 0.06


def forest_panel(found: Findings) -> Html:
    """One line a candidate; grey is what is too small to matter."""
    margin, unit = found.scorer.margin, found.scorer.unit
    rows = [one for one in found.verdicts if one.comparison.statistics is not None]
    head = element("div", element("h2", "Difference from the baseline"), class_="tf-lab-head")
    if not rows:
        words = "It is drawn as soon as both sides were tried on cases of three market days."
        body = element("p", words, class_="tf-note")
        return element("section", head, body, class_="tf tf-panel", aria_label="Differences")
    ends = [abs(end) for one in rows for end in _ends(one)] + [margin]
    reach = max(ends) * (1 + _ROOM) or 1.0
    lines = [_line(one, reach, margin) for one in rows]
    adjusted = f"{len(rows)} comparisons, Holm-adjusted." if len(rows) > 1 else "One comparison."
    better = "To the right the candidate scores higher" + (
        "." if found.scorer.rises else ", which is worse: it is a loss." if found.scorer.rises is False else "."
    )
    say = f"Grey: differences too small to matter (±{margin:g} {unit}). {better} {adjusted}"
    body = element("div", *lines, element("p", say, class_="tf-caption"), class_="tf-lab-forest")
    return element("section", head, body, class_="tf tf-panel", aria_label="Differences")


def _ends(one: LabVerdict) -> tuple[float, float]:
    found = one.comparison.statistics
    assert found is not None, "only those with statistics are drawn"
    return found.ci95


def _line(one: LabVerdict, reach: float, margin: float) -> Html:
    found = one.comparison.statistics
    assert found is not None, "only those with statistics are drawn"

    def at(value: float) -> float:
        return (value / reach + 1) * 50

    low, high = found.ci95
    unit = one.comparison.scorer.unit
    middle, least, most = (score_text(value, unit, signed=True) for value in (found.difference, low, high))
    words = f"{middle}, {least} to {most}"
    bar = element(
        "div",
        element("i", class_="tf-iv-luck", style=f"left:{at(-margin):.2f}%;width:{at(margin) - at(-margin):.2f}%"),
        element("i", class_="tf-iv-zero", style="left:50%"),
        element("i", class_="tf-iv-line", style=f"left:{at(low):.2f}%;width:{max(at(high) - at(low), 0.4):.2f}%"),
        element("i", class_="tf-iv-mark", style=f"left:{at(found.difference):.2f}%"),
        class_="tf-iv",
        style="--c:var(--tf-ink)",
        role="img",
        aria_label=f"{one.comparison.first}: {words} {unit}",
    )
    verdict = element("b", one.comparison.verdict)
    return element("div", element("span", one.comparison.first), verdict, bar, element("small", words))
