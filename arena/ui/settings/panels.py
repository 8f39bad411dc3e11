"""The panels of the page of settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.beside import Known
from arena.diagnosis import SECRETS, Diagnosis, program_version
from arena.seasons.snapshot import FloorSnapshot
from arena.settings import Settings
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import count, day_clock, duration
from arena.ui.pressed import press
from arena.ui.risk.parts import facts, panel, table
from trading.risk.alerts import Alert

ACKNOWLEDGE, LOOK_AGAIN = "tf-acknowledge", "tf-look-again"
_PREFIX = "TRADEFLOOR_"
_VARIABLES = {"data_root": "TRADEFLOOR_DATA"}


def state_facts(
    settings: Settings,
    snapshot: FloorSnapshot | None,
    known: Known[Diagnosis],
    alerts: Sequence[Alert],
    *,
    next_mode: str | None = None,
) -> Html:
    """Whether all is well, in five facts. ``next_mode`` is the mode of the next run where it is another one."""
    found = known.value
    usable = None if found is None else sum(bool(model["usable"]) for model in found.models)
    problems = "n/a" if found is None else str(len(found.problems))
    live = settings.live_acknowledged is not None and settings.max_live_notional is not None
    mode = "n/a" if snapshot is None else f"mode {snapshot.mode}, market {snapshot.market}"
    if next_mode is not None:
        mode += f"; the next run is {next_mode}"
    keys = [settings.live_acknowledged is not None, settings.max_live_notional is not None, _has_live_file(settings)]
    return facts(
        (
            ("Trading", "PAPER", mode),
            ("Live latch", f"{sum(keys)} of 3 keys", "no live season is open" if not live else "see below"),
            ("Problems", problems, "what doctor says"),
            ("Models", "n/a" if usable is None else f"{usable} usable", _of_models(found)),
            ("Alerts", str(len(alerts)), "wait for somebody to acknowledge them"),
        )
    )


def problems_panel(known: Known[Diagnosis]) -> Html:
    """What is wrong, and what to do about it."""
    found = known.value
    again = press("Look again", LOOK_AGAIN)
    if found is None:
        body = empty("The installation cannot be looked at", known.trouble) if known.trouble else skeleton("Looking.")
        return panel("Problems", None, body)
    when = f"looked at {day_clock(known.made_ms or 0)} UTC"
    if not found.problems:
        body = element("p", "No problem was found.", class_="tf-rk-say")
    else:
        rows = [
            element("li", element("b", one["what"]), element("span", "Do: ", element("code", one["do"])))
            for one in found.problems
        ]
        body = element("ul", *rows, class_="tf-set-list")
    return panel("Problems", when, body, element("div", again, class_="tf-rk-body"))


def alerts_panel(alerts: Sequence[Alert], trouble: str, now_ms: int) -> Html:
    """Alerts that wait, each with its act."""
    if trouble:
        return panel("Alerts", None, empty("The alerts cannot be read", trouble))
    if not alerts:
        words = "Nothing waits. A critical alert that nobody acknowledges in time halts trading."
        return panel("Alerts", None, element("p", words, class_="tf-rk-say"))
    rows = [
        element(
            "li",
            element("b", alert.text),
            element(
                "span",
                chip("critical", "halt") if alert.is_critical else chip("note", "plain"),
                f" {alert.alert_id}, since {duration(max(0, now_ms - alert.raised_ms))}",
            ),
            press("Acknowledge", ACKNOWLEDGE, value=alert.alert_id),
        )
        for alert in alerts
    ]
    return panel(
        "Alerts", "one that is critical and unanswered halts everything", element("ul", *rows, class_="tf-set-list")
    )


def settings_panel(settings: Settings) -> Html:
    """Every effective setting with the place it came from. Of a secret only whether it is set."""
    rows = [
        (
            element("td", one.key),
            element("td", one.value or "unset", class_="tf-mono" if one.value else "tf-unknown"),
            element("td", one.source),
            element("td", _VARIABLES.get(one.key, f"{_PREFIX}{one.key.upper()}"), class_="tf-mono"),
        )
        for one in settings.effective()
    ]
    heads = (("Setting", None), ("Value", None), ("From", None), ("Environment variable", None))
    say = (
        "The command line counts over the environment, the environment over config/arena.toml, and that over the "
        f"default. Secrets ({', '.join(SECRETS)} and the keys of models) are never stored or shown here: set the "
        "environment variable, or a line in .env beside the program, and start again."
    )
    return panel(
        "Settings", "in force in this process", table("Settings", heads, rows), element("p", say, class_="tf-rk-say")
    )


def latch_panel(settings: Settings) -> Html:
    """The three keys before real orders, and which of them lie there."""
    file = settings.home / "live-limits.toml"
    acknowledged = settings.live_acknowledged
    keys = (
        ("TRADEFLOOR_LIVE_ACKNOWLEDGED", f"names {acknowledged}" if acknowledged else "unset", bool(acknowledged)),
        (str(file), "there" if _has_live_file(settings) else "not there", _has_live_file(settings)),
        ("--max-live-notional", str(settings.max_live_notional or "not given"), settings.max_live_notional is not None),
    )  # fmt: skip
    rows = [
        (
            element("td", name, class_="tf-mono"),
            element("td", state),
            element("td", chip("set" if is_set else "missing")),
        )
        for name, state, is_set in keys
    ]
    heads = (("Key", None), ("State", None), ("", None))
    say = "Real orders need all three and a season of kind “live”. This page opens none of them."
    return panel("Before real orders", None, table("Live latch", heads, rows), element("p", say, class_="tf-rk-say"))


def models_panel(known: Known[Diagnosis]) -> Html:
    """Every known model: usable, or what it lacks."""
    if known.value is None:
        return panel("Models and venues", None, skeleton("Looking for keys and servers; nothing is asked of a model."))
    found = known.value
    rows = [_usable(model) for model in found.models if model["usable"]]
    rows += [_venue(venue) for venue in found.venues]
    needs: dict[str, list[str]] = {}
    for model in found.models:
        if not model["usable"]:
            needs.setdefault(", ".join(model["missing"]), []).append(model["id"])
    lacking = [
        (element("td", need, class_="tf-mono tf-rk-wrap"), element("td", ", ".join(names), class_="tf-rk-wrap"))
        for need, names in needs.items()
    ]
    heads = (("Model or venue", None), ("State", None), ("Context", "tf-num"))
    other = (("Set or start", None), ("And these can be asked", None))
    return panel(
        "Models and venues",
        "keys are looked for, no model is asked",
        table("Models and venues that are usable", heads, rows),
        table("What other models need", other, lacking) if lacking else None,
    )


def files_panel(settings: Settings) -> Html:
    """Where everything lies."""
    home = settings.home.resolve()
    rows = (
        ("Version", program_version()),
        ("Home folder", str(home)),
        ("Runs and journals", str(home / "runs")),
        ("Evals, comparisons", str(home / "evals")),
        ("Own prompts", str(home / "prompts")),
        ("Trained models", str(home / "models")),
        ("Candles", str(settings.data_root or home / "data")),
        ("Live limits", str(home / "limits.sqlite")),
        ("Alerts", str(home / "alerts.jsonl")),
    )
    pairs = [part for label, value in rows for part in (element("dt", label), element("dd", value, class_="tf-mono"))]
    return panel("Where things lie", None, element("dl", *pairs, class_="tf-set-files"))


def _usable(model: Mapping[str, Any]) -> tuple[Html, ...]:
    words = "rule-based, no LLM" if model["rule_based"] else "free" if model["free"] else ""
    kind = chip(words, "rule" if model["rule_based"] else "plain") if words else None
    window = model["context_window"]
    size = element("td", f"{window:,}" if window else "", class_="tf-num")
    return element("td", model["id"], " ", kind), element("td", "usable"), size


def _venue(venue: Mapping[str, Any]) -> tuple[Html, ...]:
    state = "usable" if venue["usable"] else f"needs {', '.join(venue['missing'])}"
    return element("td", f"venue {venue['id']}"), element("td", state), element("td", "", class_="tf-num")


def _of_models(found: Diagnosis | None) -> str:
    if found is None:
        return "looking"
    llm = sum(bool(model["usable"]) and not model["rule_based"] for model in found.models)
    return f"{count(llm, 'language model', 'language models')}, the rest are rules"


def _has_live_file(settings: Settings) -> bool:
    return (settings.home / "live-limits.toml").is_file()
