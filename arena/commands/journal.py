"""``tradefloor journal``: check a run's record, or write it out as tables."""

from pathlib import Path

import typer

from arena.commands.output import print_json, say
from arena.settings import Settings
from trading.execution.book_audit import audit_book_fills
from trading.ledger import audit_journal
from trading.ledger.export import export_journal
from trading.storage.runs import RunFolder, Runs


def verify(run_id: str | None, *, home: Path | None, as_json: bool) -> None:
    """Check chain, seal and accounts; exit 1, naming the event, when something does not hold."""
    run = find_run(run_id, home)
    report = audit_journal(run.journal)
    books = audit_book_fills(run.journal) if report.problem is None else None
    problem = report.problem if books is None else books.problem
    if as_json:
        print_json(
            {
                "run_id": run.run_id,
                "ok": problem is None,
                "events": report.events,
                "marks": report.marks,
                "head": report.head,
                "sealed": run.is_finished,
                "book_fills": None if books is None else books.fills,
                "problem": problem,
            }
        )
    elif books is not None and problem is None:
        seal = "sealed" if run.is_finished else "not finished, so not sealed"
        typer.echo(
            f"{run.run_id}: {report.events} events chained, {report.marks} marks re-derived to the last digit, "
            f"{seal}; head {report.head}"
        )
        if books.fills:
            typer.echo(f"{books.fills} fills re-derived from the books on record")
    if problem is not None:
        say(f"tradefloor: {run.run_id}: {problem}")
        raise typer.Exit(1)


def export(run_id: str | None, *, to: Path, home: Path | None, as_json: bool) -> None:
    """Write the tables to a folder."""
    run = find_run(run_id, home)
    rows = export_journal(run.journal, run.telemetry, to)
    if as_json:
        print_json({"run_id": run.run_id, "to": str(to), "rows": rows})
        return
    for table, count in rows.items():
        typer.echo(f"{to / f'{table}.parquet'}  {count} rows")


def find_run(run_id: str | None, home: Path | None) -> RunFolder:
    """The run of that id, the latest without one."""
    runs = Runs(Settings.load({"home": home}).home)
    return runs.get(run_id) if run_id else runs.latest()
