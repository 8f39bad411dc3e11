"""The file of one case: for each variant what it was told, what its tools said, what it answered. All of it is data."""

from collections.abc import Mapping

from arena.beside import Known
from arena.lab.case_file import CaseFile, RoleFile, VariantFile
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import count, dollars, number, percent
from arena.ui.pressed import here

_PARTS = {"user": "rendered prompt", "system": "instructions"}


def drawer_panel(known: Known[CaseFile | None], case_id: str, where: Mapping[str, str]) -> Html:
    """The drawer of a case that was chosen."""
    closing = here("Close", "lab", {**where, "case": ""}, class_="tf-act")
    head = element("div", element("h2", case_id), closing, class_="tf-lab-head")
    return element("section", head, _body(known), class_="tf tf-panel tf-lab-drawer", aria_label="Case")


def _body(known: Known[CaseFile | None]) -> Html:
    if known.trouble:
        return empty("The case cannot be read", known.trouble)
    if known.made_ms is None:
        return skeleton("Reading what is on record.")
    if known.value is None:
        return empty("No such case", "The suite has no case of this name.")
    file = known.value
    market = "simulated market" if file.market == "simulated" else "recorded market"
    parts = [element("p", f"Decided at {file.at}, {market}.", class_="tf-caption")]
    parts += [_variant(variant, number_) for number_, variant in enumerate(file.variants)]
    return element("div", *parts, class_="tf-lab-file")


def _variant(variant: VariantFile, number_: int) -> Html:
    head = element(
        "div", element("b", variant.name), chip(variant.did or "no answer", "plain" if variant.did else "warn")
    )
    if not variant.did:
        return element("article", head, element("p", variant.problem))
    facts = [f"{percent(variant.returned, 2)} over the horizon, after costs"]
    if variant.tokens:
        facts.append(f"{variant.tokens:,} tokens")
    if variant.usd:
        facts.append(dollars(variant.usd, 4))
    return element(
        "article",
        head,
        element("p", " · ".join(facts), class_="tf-caption"),
        *(_role(role, f"{number_}-{at}") for at, role in enumerate(variant.roles)),
        _rulings(variant, number_),
        _scores(variant, number_),
    )


def _role(role: RoleFile, key: str) -> Html:
    name = (role.role or "desk").capitalize()
    told = [_more(f"{name}: {_PARTS.get(who, who)}", f"{key}-{who}", [text], _length(text)) for who, text in role.told]
    tools = [_more(f"{name}: tool result", f"{key}-t{at}", [text], tool) for at, (tool, text) in enumerate(role.tools)]
    answer = [_more(f"{name}: answer", f"{key}-a", [role.answer], _length(role.answer))] if role.answer else []
    return element("div", *told, *tools, *answer)


def _length(text: str) -> str:
    return f"{len(text):,} characters"


def _rulings(variant: VariantFile, number_: int) -> Html | None:
    if not variant.rulings:
        return None
    lines = [f"{ruling}: {message}" if message else ruling for ruling, message in variant.rulings]
    return _more("The gate's word", f"{number_}-gate", lines, count(len(lines), "intent", "intents"))


def _scores(variant: VariantFile, number_: int) -> Html:
    lines = [
        f"{name}: {reason or 'no score'}" if value is None else f"{name}: {number(value, 3)} {unit}"
        for name, unit, value, reason in variant.scores
    ]
    return _more("Scores", f"{number_}-scores", lines, count(len(lines), "measure", "measures"))


def _more(title: str, key: str, texts: list[str], side: str) -> Html:
    summary = element("summary", title, element("span", side, class_="tf-side"))
    return element(
        "details",
        summary,
        element("div", element("pre", "\n".join(texts), tabindex="0")),
        class_="tf-more",
        data_key=f"lab-{key}",
    )
