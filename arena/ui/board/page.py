"""The pages of the site: the board with what it can and cannot say, and one page for each run behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.restating import Restatement
from arena.ui.board.heat_map import heat_map
from arena.ui.board.standings import slots, standings
from arena.ui.components.marks import swatch
from arena.ui.components.markup import Html, element
from arena.ui.document import html_document, market_chip
from arena.ui.figures import UNKNOWN, count, number, percent, span
from arena.ui.risk.parts import panel, table
from evals.leaderboard import Board, Entry
from evals.leaderboard.board import MIN_DAYS, MIN_DECISIONS
from trading.stats import expected_maximum_sharpe, observations_for_sharpe

STYLES = ("shell", "panels", "cards", "tables", "risk", "board")
SHOWN_DECISIONS = 20
"""So many decisions of each desk stand on a run's page; all of them are in its CSV."""

_YEAR = 365.0
_RUNS_SHOWN = 12


def board_page(board: Board, restated: Sequence[Restatement]) -> str:
    """The page of all desks."""
    days = max((entry.days for entry in board.entries), default=0.0)
    caption = (
        f"{number(days, 0)} days at most · {count(len(board.runs), 'run', 'runs')} · "
        f"{count(len(board.entries), 'desk', 'desks')} · {count(board.trials, 'configuration', 'configurations')} tried"
    )
    map_of_pairs = heat_map(board)
    pairs = (
        panel("Row minus column, points of log growth", "every pair, corrected by Holm", map_of_pairs)
        if map_of_pairs
        else None
    )
    body = element(
        "div",
        panel("Standings", caption, standings(board) if board.entries else _nothing()),
        element("div", _says(board), pairs, class_="tf-lb-two"),
        element("div", _how(board), _corrections(restated), class_="tf-lb-two"),
        panel("Behind the numbers", "every desk, every run, every decision", _desks(board)),
        class_="tf tf-board",
    )
    top = (
        market_chip(board.kinds),
        element("span", f"to {(board.as_of or UNKNOWN)[:16].replace('T', ' ')} UTC"),
        _link("JSON", "leaderboard.json"),
        _link("CSV", "leaderboard.csv"),
    )
    return html_document("Leaderboard", top, body, styles=STYLES)


def run_page(facts: Mapping[str, Any], standings_of: Mapping[str, Any], restated: Sequence[Restatement]) -> str:
    """The page of a run: what was registered before it began, how it ended, and its last decisions.

    ``facts`` are the first event of its journal, ``standings_of`` the document of its standings, whose ``decisions``
    are rows by desk, newest last.
    """
    head = standings_of["journal"]
    body = element(
        "div",
        panel("Registered before the first round", "the first event of the journal", _registered(facts, head)),
        panel("Standings of this run", None, _run_standings(standings_of["desks"])),
        *(_decisions(desk["desk"], standings_of["decisions"].get(desk["desk"], ())) for desk in standings_of["desks"]),
        _corrections(restated) if restated else None,
        class_="tf tf-board",
    )
    top = (
        market_chip([facts["market"]]),
        _link("Leaderboard", "../../index.html"),
        _link("Standings, JSON", "standings.json"),
        _link("Decisions, CSV", "decisions.csv"),
    )
    return html_document(str(standings_of["run_id"]), top, body, styles=STYLES)


def _nothing() -> Html:
    return element("p", "No season has two marks yet: run one, and write the page again.", class_="tf-lb-say")


def _says(board: Board) -> Html:
    return panel(
        "What this table can say",
        None,
        element("div", *(element("p", one) for one in sayings(board)), class_="tf-lb-say"),
    )


def sayings(board: Board) -> list[str]:
    """What follows from the ranks, in sentences, with the size of luck beside it."""
    ranked = [entry for entry in board.entries if entry.rank is not None]
    lines = [_order(board, ranked)]
    if ranked:
        best = max(ranked, key=lambda entry: entry.return_)
        if best.luck_percentile is not None:
            lines.append(
                f"{best.desk} returned {percent(best.return_)}, more than {100 * best.luck_percentile:.0f} of 100 "
                "random traders with the same exposure, holding times and fees."
            )
        years = max(entry.days for entry in ranked) / _YEAR
        luck = expected_maximum_sharpe(max(2, len(ranked)), variance=1.0 / years)
        lines.append(
            f"Of {len(ranked)} desks without any skill the best would show an annual Sharpe ratio of about "
            f"{luck:.1f} over this time. A true ratio of 1 is told from 0 after about "
            f"{observations_for_sharpe(1 / _YEAR**0.5)} days."
        )
    lines += [f"{entry.desk} is unranked: {entry.unranked}." for entry in board.entries if entry.unranked]
    if any(entry.kind == "rule-based" for entry in board.entries):
        lines.append("Desks marked rule-based have no language model: they are baselines.")
    return lines


def _order(board: Board, ranked: Sequence[Entry]) -> str:
    if len(ranked) < 2:
        return "Fewer than two desks have a sample that can be ranked."
    sure = [pair for pair in board.pairs if pair.p_value <= 0.05 and pair.difference]
    if not sure:
        return f"No two of the {len(ranked)} ranked desks can be told apart: every rank is a tie."
    told = [
        f"{pair.first} is ahead of {pair.second}" if pair.difference > 0 else f"{pair.second} is ahead of {pair.first}"
        for pair in sure[:4]
    ]
    more = f", and {len(sure) - 4} pairs more" if len(sure) > 4 else ""
    left = len(board.pairs) - len(sure)
    return f"{'; '.join(told)}{more}. The other {left} of {len(board.pairs)} pairs are not settled."


def _how(board: Board) -> Html:
    points = how_it_ranks(board)
    return panel("How we rank", None, element("ul", *(element("li", one) for one in points), class_="tf-lb-say"))


def how_it_ranks(board: Board) -> tuple[str, ...]:
    """How ranks are made and what the columns mean, in sentences."""
    return (
        "Rank is 1 + the number of desks that are significantly better. Two desks are compared over the instants that "
        "both traded, all pairs on the same stationary resamples, corrected by Holm at 5 %. A range such as 1–3 is "
        "every place that the data allow.",
        f"A desk with fewer than {MIN_DAYS:g} days or {MIN_DECISIONS} decisions is unranked.",
        "The line beside a return is its 95 % interval; a return is coloured only where the interval leaves out zero. "
        "Below half a year such intervals are a little too short: read them as indications.",
        "Luck is the share of random traders that did worse, matched in instruments, exposure, holding times and fees.",
        f"Deflated is the probability that the Sharpe ratio beats the best of {board.trials} tries without skill: "
        "every configuration that was ever run here counts as one.",
        "Brier skill is against always saying one half; ECE is how far stated chances are from frequencies. n/a was "
        "not measured, which is not zero.",
    )


def _corrections(restated: Sequence[Restatement]) -> Html:
    if not restated:
        said = element("p", "None. Results are only added to; a correction would stand here with its reason.")
        return panel("Corrections", None, element("div", said, class_="tf-lb-say tf-lb-quiet"))
    lines = [
        element(
            "li",
            f"{one.at[:16].replace('T', ' ')} UTC: {one.run} {'left out' if one.excluded else 'counts again'}: "
            f"{one.reason}",
        )
        for one in restated
    ]
    return panel("Corrections", "results are never changed or removed", element("ul", *lines, class_="tf-lb-say"))


def _desks(board: Board) -> Html:
    colours = slots(board)
    heads = (("Desk", None), ("Models", None), ("Return, 95 % interval", None), ("Runs, with every decision", None))
    rows = []
    for entry in board.entries:
        runs = entry.runs[-_RUNS_SHOWN:]
        links = [part for run in runs for part in (_link(run, f"runs/{run}/index.html#desk-{entry.desk}"), " ")]
        older = len(entry.runs) - len(runs)
        rows.append(
            (
                element(
                    "td", swatch(colours[entry.desk], entry.kind), element("b", entry.desk, id=f"desk-{entry.desk}")
                ),
                element("td", ", ".join(sorted(set(entry.models.values()))), class_="tf-lb-text"),
                element("td", f"{percent(entry.return_)}, {span(entry.return_ci95)}"),
                element("td", *links, f"and {older} older" if older else None),
            )
        )
    return table("Desks and their runs", heads, rows)


def _registered(facts: Mapping[str, Any], head: Mapping[str, Any]) -> Html:
    rows = [
        (
            "Season",
            f"{facts['season']}, seed {facts['seed']}, {facts['capital']} {facts['quote']} a desk, {facts['mode']}",
        ),
        ("Market", f"{facts['market']}: {', '.join(row['symbol'] for row in facts['instruments'])}"),
        ("Rules, SHA-256", facts["rules_sha256"]),
        ("Program, SHA-256", facts.get("code_sha256") or f"{UNKNOWN}: the run began before it was registered"),
        *(
            (f"{row['desk']}, {role}", f"{row['models'].get(role, UNKNOWN)}, prompt {sha256}")
            for row in facts["desks"]
            for role, sha256 in row.get("prompts", {}).items()
        ),
        ("Journal", f"{head['events']:,} events, head {head['head']}"),
    ]
    cells = [(element("td", label), element("td", element("span", text, class_="tf-lb-mono"))) for label, text in rows]
    return table("Registered", (("What", None), ("As registered", None)), cells)


def _run_standings(desks: Sequence[Mapping[str, Any]]) -> Html:
    heads = (
        ("Rank", None), ("Desk", None), ("Return", "tf-num"), ("95 % interval", "tf-num"), ("Max drop", "tf-num"),
        ("Decisions", "tf-num"), ("Acted", "tf-num"), ("No answer", "tf-num"), ("Fills", "tf-num"), ("Fees", "tf-num"),
    )  # fmt: skip
    rows = [
        (
            element("td", str(one["rank"])),
            element("td", element("a", one["desk"], href=f"#desk-{one['desk']}")),
            element("td", percent(one["return"]), class_="tf-num"),
            element("td", span(one["return_ci95"]), class_="tf-num"),
            element("td", percent(one["max_drawdown"], signed=False), class_="tf-num"),
            *(element("td", f"{one[key]:,}", class_="tf-num") for key in ("decisions", "acted", "abstained", "fills")),
            element("td", str(one["fees"]), class_="tf-num"),
        )
        for one in desks
    ]
    return table("Standings of this run", heads, rows)


def _decisions(desk: str, rows: Sequence[Mapping[str, Any]]) -> Html:
    heads = (("Time, UTC", None), ("Decision", None), ("What", None), ("Confidence", "tf-num"), ("In its words", None))
    cells = [
        (
            element("td", str(row["ts"])[:16].replace("T", " ")),
            element("td", element("span", row["decision_id"], class_="tf-lb-mono")),
            element("td", str(row["status"])),
            element("td", percent(row["confidence"], 0, signed=False), class_="tf-num"),
            element(
                "td", str(row["abstain_reason"] or row["rationale"]), class_="tf-lb-text", title=str(row["rationale"])
            ),
        )
        for row in rows[-SHOWN_DECISIONS:]
    ]
    caption = f"the last {len(cells)} of {len(rows)} decisions; all are in decisions.csv"
    return element("div", panel(desk, caption, table(f"Decisions of {desk}", heads, cells)), id=f"desk-{desk}")


def _link(text: str, to: str) -> Html:
    return element("a", text, href=to)
