"""``tradefloor replay``: a decision asked once more where it was made; nothing it says is carried out."""

import getpass
from decimal import Decimal
from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.commands.progress import StepProgress
from arena.jobs import Jobs
from arena.replay import Replay, Replayer
from arena.settings import Settings
from arena.traces import TraceArchive
from trading.domain.instants import iso
from trading.storage.runs import Runs


def replay(
    decision_id: str, *, run: str | None, cap_usd: float, home: Path | None, data_root: Path | None, as_json: bool
) -> None:
    """Ask a decision of a run, the latest without one, again and say what is the same and what is not."""
    settings = Settings.load({"home": home, "data_root": data_root})
    run_id = Runs(settings.home).latest().run_id if run is None else run
    trace = TraceArchive(settings.home).trace(run_id, decision_id)
    expected = len(trace.calls)
    with StepProgress("replay") as progress:
        found = Replayer(settings, Jobs()).replay(
            trace,
            by=_who(),
            cap_usd=Decimal(str(cap_usd)),
            on_call=lambda done: progress.advance("asking the desk", done, max(done + 1, expected)),
        )
    if as_json:
        print_json(_document(found))
    else:
        _say(found)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "this machine"


def _document(found: Replay) -> dict[str, object]:
    document = found.model_dump(mode="json", exclude={"asked_ms"})
    extra = {"identical": found.is_identical, "traded": False, "verdict": found.verdict}
    return {**document, **extra, "asked_at": iso(found.asked_ms)}


def _say(found: Replay) -> None:
    typer.echo(f"{found.decision_id} of {found.desk} in {found.run_id}, asked again; nothing traded")
    typer.echo(found.verdict)
    for remark in found.remarks:
        typer.echo(remark)
    for one in found.differences:
        typer.echo(f"{one.what}\n  then: {' '.join(one.then.split())}\n  now:  {' '.join(one.now.split())}")
    if found.same:
        typer.echo(f"the same: {', '.join(found.same)}")
