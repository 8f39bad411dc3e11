"""Runs and evals: what was played and tried in this home folder, how far it is, and how two of it compare."""

from collections.abc import Hashable
from typing import Any

from arena.beside import Beside
from arena.evaluating import eval_folder
from arena.results import SuiteRow, compared, evals_of, run_standings, runs_of
from arena.ui.components.markup import element
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page
from arena.ui.runs.panels import (
    comparison_panel,
    evals_panel,
    jobs_panel,
    pages_panel,
    runs_panel,
    standings_panel,
)
from evals.attempts import latest_attempt

FRESH_MS = 60_000
"""How long the standings of a run that still grows count."""


def build(page: LivePage) -> None:
    """One live panel; the address chooses a run (``?run=``) or two variants (``?suite=&first=&second=``)."""
    services = page.services
    settings, jobs = services.settings, services.jobs
    standings: Beside[dict[str, Any]] = Beside("standings", jobs, fresh_ms=FRESH_MS)
    evals: Beside[list[SuiteRow]] = Beside("evals", jobs)
    pairs: Beside[list[str]] = Beside("compare", jobs)
    attempts = eval_folder(settings) / "attempts.sqlite"

    def edition() -> Hashable:
        folder = settings.home / "runs"
        stamp = folder.stat().st_mtime_ns if folder.is_dir() else 0
        return jobs.version, stamp, latest_attempt(attempts)

    def content(address: Address, now_ms: int) -> str:
        newest = latest_attempt(attempts)
        rows = runs_of(settings)
        run = address.get("run", "")[:100]
        snapshot = services.floor.snapshot()
        chosen = {key: address[key][:200] for key in ("suite", "first", "second") if address.get(key)}
        pair = None
        if len(chosen) == 3:
            suite, first, second = chosen["suite"], chosen["first"], chosen["second"]
            pair = pairs.ask(
                f"{suite}\n{first}\n{second}",
                lambda ticket: compared(settings, suite, first, second),
                edition=newest,
            )
        shown = standings.ask(run, lambda ticket: run_standings(settings, run)) if run else None
        return element(
            "div",
            runs_panel(rows, run, "" if snapshot is None else snapshot.run_id),
            None if shown is None else standings_panel(run, shown),
            jobs_panel(jobs.all()),
            evals_panel(evals.ask("all", lambda ticket: evals_of(settings), edition=newest), chosen),
            comparison_panel(chosen, pair),
            pages_panel(str(settings.home)),
            class_="tf tf-risk",
        )

    page.housed_html(content, edition=edition, elem_id="tf-runs")


PAGE = Page(title="Runs", path="runs", order=70, build=build)
