"""The verdict of a comparison in words, how its making goes, and what can be done next."""

from collections.abc import Sequence

from arena.beside import Known
from arena.jobs import Job, JobStatus
from arena.lab.comparison import Comparison
from arena.lab.findings import Findings, Promotion
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.figures import UNKNOWN, count, dollars, number
from arena.ui.pressed import press, press_twice
from evals.compare import NOT_SEPARABLE
from evals.compare import Comparison as Compared
from evals.promptlab.verdict import LabVerdict

MORE, CANCEL, RETRY, PROMOTE = "tf-lab-more", "tf-lab-cancel", "tf-lab-retry", "tf-lab-promote"

RULES_NOTE = (
    "Rule-based models call no language model: they read the facts and reports in a prompt's slots and none of its "
    "sentences. A changed sentence changes nothing they do; what differs in house/random is chance."
)


def verdict_panel(comparison: Comparison, known: Known[Findings], job: Job | None) -> Html:
    """The head of the page: the first candidate's verdict, the others under it."""
    found = known.value
    running = job is not None and job.is_running
    if found is None:
        words = known.trouble or "Reading the record."
        body = element("div", element("h1", "Comparison"), element("p", words))
        return _box("plain", body, _progress(job), _actions(comparison, None, running=running))
    verdicts = found.verdicts
    if not verdicts:
        title = "Making the attempts" if running else "Nothing on record yet" if found.missing else "Too few cases"
        words = f"{count(found.missing, 'attempt is', 'attempts are')} missing, {price_words(found.missing_usd)}."
        body = element("div", element("h1", title), element("p", words), _rules(found))
        return _box("plain", body, _progress(job), _actions(comparison, found, running=running))
    first = verdicts[0]
    others = [element("p", f"{headline(one)}. {evidence(one)}") for one in verdicts[1:]]
    body = element(
        "div",
        element("h1", headline(first)),
        element("p", evidence(first), *_obstacles(found.promotions)),
        *others,
        _rules(found),
        _stale(known, found, job),
    )
    tone = {"better": "gain", "worse": "loss"}.get(first.comparison.verdict, "plain")
    return _box(tone, body, _progress(job), _actions(comparison, found, running=running))


def headline(one: LabVerdict) -> str:
    """Who against whom, and what can be said: ``Not separable: B against A, n = 40``."""
    compared = one.comparison
    word = "too few cases" if compared.statistics is None else compared.verdict
    return f"{word[:1].upper()}{word[1:]}: {compared.first} against {compared.second}, n = {compared.cases}"


def evidence(one: LabVerdict) -> str:
    """The difference with its interval, what it would take, and what else changed."""
    compared = one.comparison
    found = compared.statistics
    if found is None:
        return f"{compared.cases} cases of both are too few to tell anything by {compared.scorer.name}."
    unit = compared.scorer.unit
    low, high = (score_text(end, unit, signed=True) for end in found.ci95)
    rate = "higher" if found.difference > 0 else "lower" if found.difference < 0 else "no different"
    gap = score_text(abs(found.difference), unit)
    head = f"It scores {gap} {unit} {rate} by {compared.scorer.name}" if found.difference else "Both score the same"
    said = [
        f"{head}; the 95\N{NO-BREAK SPACE}% interval is {low} to {high} (paired, clustered by market day, "
        f"p = {number(one.p_adjusted, 3)}, {found.clusters} days).",
        f"{compared.wins} won, {compared.ties} tied, {compared.losses} lost.",
    ]
    said += _needed(compared)
    if one.usd is not None and (one.usd.first or one.usd.second):
        said.append(f"A try costs {dollars(one.usd.first, 4)} against {dollars(one.usd.second, 4)}.")
    if one.trials > 2:
        said.append(f"{one.trials} variants were tried on this suite: the best of many is flattered.")
    return " ".join(said)


def score_text(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A score or a difference with as many digits as its unit asks for."""
    return number(value, 1 if unit.startswith("bp") else 3, signed=signed)


def price_words(usd: float | None) -> str:
    """``free``, ``about $5.50`` or that it is not known."""
    if usd is None:
        return "at a price that is not known"
    return f"about {dollars(usd)}" if usd else "free"


def _needed(compared: Compared) -> list[str]:
    found = compared.statistics
    if found is None or compared.verdict != NOT_SEPARABLE:
        return []
    if found.needed is None:
        return ["There is no difference that more cases could show."]
    return [f"About {number(found.needed, 0)} cases would settle a gap of this size."]


def _rules(found: Findings) -> Html | None:
    if not any(column.is_rule_based for column in found.columns):
        return None
    names = ", ".join(dict.fromkeys(model for one in found.columns if one.is_rule_based for model in one.models))
    return element("p", chip("rule-based, no LLM", "rule"), f" {names}. {RULES_NOTE}", class_="tf-lab-rules")


def _stale(known: Known[Findings], found: Findings, job: Job | None) -> Html | None:
    if known.trouble:
        return element("p", f"The newest look at the record failed: {known.trouble}", class_="tf-lab-trouble")
    if job is not None and job.is_running and found.missing:
        return element("p", f"{count(found.missing, 'attempt is', 'attempts are')} still being made.")
    if found.missing:
        words = f"{count(found.missing, 'attempt is', 'attempts are')} missing, {price_words(found.missing_usd)}."
        return element("p", words)
    return None


def _obstacles(promotions: Sequence[Promotion]) -> list[Html]:
    words = [text for text in promotions[0].obstacles if text.startswith("it ")] if promotions else []
    return [element("b", f" Not to be promoted: {text}.") for text in words]


def _actions(comparison: Comparison, found: Findings | None, *, running: bool) -> Html:
    if running:
        return element("div", press("Cancel", CANCEL), class_="tf-acts")
    if found is None:
        return element("div", class_="tf-acts")
    parts: list[Html | None] = []
    errors = sum(column.errors for column in found.columns)
    if found.missing:
        text = (
            f"Retry {count(errors, 'error', 'errors')}" if errors == found.missing else f"Run {found.missing} attempts"
        )
        parts.append(press(f"{text}, {price_words(found.missing_usd)}", RETRY))
    if found.more:
        cases = count(found.more, "more case", "more cases")
        parts.append(press(f"Run {cases}, {price_words(found.more_usd)}", MORE, value=str(found.more)))
    parts += [_promote(number_, one, found) for number_, one in enumerate(found.promotions)]
    return element("div", *parts, class_="tf-acts")


def _promote(number_: int, promotion: Promotion, found: Findings) -> Html | None:
    if not promotion.prompts:
        return None
    names = ", ".join(promotion.prompts.values())
    why = "" if promotion.is_open else f"Not yet: {'; '.join(promotion.obstacles)}"
    models = found.columns[number_ + 1].models
    label = f"Promote {names}…" if len(found.promotions) == 1 else f"Promote {names} ({', '.join(models)})…"
    return press_twice(label, f"Make {names} production", PROMOTE, value=str(number_), disabled=why)


def _progress(job: Job | None) -> Html | None:
    if job is None:
        return None
    if job.is_running:
        share = 100 * job.done / job.total if job.total else 0
        words = f"{job.done:,} of {UNKNOWN if job.total is None else f'{job.total:,}'} attempts"
        bar = element("span", element("i", style=f"width:{share:.1f}%"), class_="tf-track")
        return element(
            "div",
            bar,
            element("span", words),
            class_="tf-lab-progress",
            role="progressbar",
            aria_valuemin="0",
            aria_valuemax=str(job.total or 0),
            aria_valuenow=str(job.done),
            aria_label=f"Attempts: {words}",
        )
    tone = "tf-lab-trouble" if job.status is JobStatus.FAILED else "tf-lab-said"
    return element("p", f"{job.said[:1].upper()}{job.said[1:]}.", class_=tone) if job.said else None


def _box(tone: str, body: Html, progress: Html | None, actions: Html) -> Html:
    return element(
        "section",
        element("div", body, actions, class_="tf-lab-top"),
        progress,
        class_=f"tf tf-lab-verdict tf-lab-{tone}",
        aria_label="Verdict",
        aria_live="polite",
    )
