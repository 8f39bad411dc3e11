"""The panels of the page of runs and evals."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.beside import Known
from arena.jobs import Job
from arena.results import RunRow, SuiteRow, VariantRow
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import UNKNOWN, count, day_clock, dollars, number, percent, rank
from arena.ui.pressed import here
from arena.ui.risk.parts import numeric, panel, table

PATH = "runs"


def runs_panel(rows: Sequence[RunRow], chosen: str, current: str) -> Html:
    """Every run with a link to its standings."""
    if not rows:
        words = "`tradefloor run config/seasons/demo.toml` plays one; the season of this page is kept as one too."
        return panel("Runs", None, empty("No run yet", words))
    lines = [
        (
            element("td", here(row.run_id, PATH, {"run": row.run_id}, current=row.run_id == chosen)),
            element("td", row.season or UNKNOWN),
            element("td", chip("SIMULATED", "outline") if row.market == "simulated" else row.market or UNKNOWN),
            element("td", "on the floor now" if row.run_id == current else row.status),
            numeric(str(len(row.desks))),
            numeric(UNKNOWN if row.changed_ms is None else f"{day_clock(row.changed_ms)} UTC"),
            numeric(f"{row.journal_bytes / 1e6:,.1f} MB"),
        )
        for row in rows
    ]
    heads = (
        ("Run", None), ("Season", None), ("Market", None), ("Status", None), ("Desks", "tf-num"),
        ("Last change", "tf-num"), ("Journal", "tf-num"),
    )  # fmt: skip
    return panel("Runs", f"{count(len(rows), 'run', 'runs')} of this home folder", table("Runs", heads, lines))


def standings_panel(run_id: str, known: Known[dict[str, Any]]) -> Html:
    """The standings of the chosen run."""
    title = f"Standings of {run_id}"
    if known.value is None:
        body = empty("There are no standings", known.trouble) if known.trouble else skeleton("Scoring the journal.")
        return panel(title, None, body)
    found = known.value
    rows = [
        (
            element("td", rank(desk["rank"], desk["rank_last"])),
            element("td", desk["desk"], " ", chip("rule-based", "rule") if desk["kind"] == "rule-based" else None),
            _return(desk),
            numeric(_span(desk["return_ci95"])),
            numeric(percent(None if desk["max_drawdown"] is None else desk["max_drawdown"], 1, signed=False)),
            numeric(UNKNOWN if desk["luck_percentile"] is None else f"{desk['luck_percentile'] * 100:.0f} of 100"),
            numeric(str(desk["acted"])),
            numeric(str(desk["abstained"])),
        )
        for desk in found["desks"]
    ]
    heads = (
        ("Rank", None), ("Desk", None), ("Return", "tf-num"), ("95 % interval", "tf-num"), ("Max drop", "tf-num"),
        ("Beats random", "tf-num"), ("Acted", "tf-num"), ("No answer", "tf-num"),
    )  # fmt: skip
    caption = (
        f"round {found['rounds_done']:,} of {found['rounds']:,}, {found['status']}, {found['market']['kind']} market"
    )
    head = str(found["journal"]["head"])[:16]
    say = f"Journal: {found['journal']['events']:,} events, head {head}. As of {day_clock(known.made_ms or 0)} UTC."
    return panel(title, caption, table(title, heads, rows), element("p", say, class_="tf-rk-say"))


def jobs_panel(jobs: Sequence[Job]) -> Html | None:
    """What is being done beside the app now, and how far it is."""
    shown = [job for job in jobs if job.key.startswith("lab-")][:6]
    if not shown:
        return None
    rows = [
        (
            element("td", job.title),
            element("td", job.status.value),
            numeric(f"{job.done:,} of {UNKNOWN if job.total is None else f'{job.total:,}'}"),
            element("td", job.said, class_="tf-rk-wrap"),
        )
        for job in shown
    ]
    heads = (("Work", None), ("Status", None), ("Attempts", "tf-num"), ("", None))
    return panel("Being made", "beside this page", table("Jobs", heads, rows))


def evals_panel(known: Known[list[SuiteRow]], chosen: Mapping[str, str]) -> Html:
    """Every suite and what was tried on it."""
    if known.value is None:
        body = empty("The evals cannot be read", known.trouble) if known.trouble else skeleton("Reading the record.")
        return panel("Evals", None, body)
    tried = [suite for suite in known.value if suite.variants]
    untried = [suite for suite in known.value if not suite.variants]
    rows = [_variant(suite, one, chosen) for suite in tried for one in suite.variants]
    heads = (
        ("Suite", None), ("Variant", None), ("Cases", "tf-num"), ("", None), ("Errors", "tf-num"), ("Mean", "tf-num"),
        ("By", None), ("Paid", "tf-num"), ("Compare", None),
    )  # fmt: skip
    body = table("Evals", heads, rows) if rows else empty("Nothing was tried yet", "The prompt lab makes attempts.")
    names = ", ".join(f"{suite.name} ({suite.cases} cases, {suite.heldout} held out)" for suite in untried)
    say = element("p", f"Not tried yet: {names}.", class_="tf-rk-say") if names else None
    return panel("Evals", "by suite and variant, the newest first", body, say)


def comparison_panel(chosen: Mapping[str, str], known: Known[list[str]] | None) -> Html | None:
    """What the scorers say of the two chosen variants."""
    if not chosen.get("first"):
        return None
    if known is None:
        words = f"First: {chosen['first']}. Choose the second one among the variants of {chosen.get('suite', '')}."
        return panel("Compare two", None, element("p", words, class_="tf-rk-say"))
    if known.value is None:
        body = empty("They cannot be compared", known.trouble) if known.trouble else skeleton("Comparing.")
        return panel("Compare two", None, body)
    lines = [element("p", text, class_="tf-rk-say") for text in known.value]
    return panel("Compare two", f"{chosen['first']} against {chosen.get('second', '')}", *lines)


def pages_panel(home: str) -> Html:
    """Pages that commands write, to keep or to send."""
    rows = (
        (f"tradefloor leaderboard --html board --home {home}", "the board of all runs as a site, with every decision"),
        (f"tradefloor risk report RUN --html risk.html --home {home}", "the risk report of a run as one file"),
        (f"tradefloor risk simulate RUN --html fan.html --home {home}", "what may come of its positions"),
        (f"tradefloor eval gate CANDIDATE --baseline NAME --suite decisions --home {home}", "a gate for pipelines"),
    )  # fmt: skip
    pairs = [element("li", element("code", command), element("span", what)) for command, what in rows]
    return panel(
        "Pages to keep", "written by commands, they need no server", element("ul", *pairs, class_="tf-set-list")
    )


def _variant(suite: SuiteRow, one: VariantRow, chosen: Mapping[str, str]) -> tuple[Html, ...]:
    share = 100 * one.cases / one.of if one.of else 0.0
    first = chosen.get("first", "")
    second = {"suite": suite.name, "first": first, "second": one.name}
    is_second = bool(first) and chosen.get("suite") == suite.name and first != one.name
    link = (
        here("against it", PATH, second, current=chosen.get("second") == one.name)
        if is_second
        else here("first", PATH, {"suite": suite.name, "first": one.name}, current=first == one.name)
    )
    return (
        element("td", suite.name),
        element("td", one.name, class_="tf-cut tf-run-name", title=f"{one.name} ({one.sha256[:12]})"),
        numeric(f"{one.cases} of {one.of}"),
        element(
            "td", element("span", element("i", style=f"width:{share:.0f}%"), class_="tf-track"), class_="tf-run-bar"
        ),
        numeric(str(one.errors)),
        numeric(number(one.mean, 3)),
        element("td", f"{suite.scorer}, {suite.unit}"),
        numeric(dollars(one.usd)),
        element("td", link, class_="tf-run-link"),
    )


def _return(desk: Mapping[str, Any]) -> Html:
    text = percent(desk["return"])
    interval = desk["return_ci95"]
    known = interval is not None and (interval[0] > 0 or interval[1] < 0)
    if not known or desk["return"] is None:
        return numeric(text)
    return element("td", text, class_=f"tf-num {'tf-gain' if desk['return'] > 0 else 'tf-loss'}")


def _span(interval: Sequence[float] | None) -> str:
    return UNKNOWN if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"
