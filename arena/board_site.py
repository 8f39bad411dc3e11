"""Writing the leaderboard as a folder of files: pages to read, and the same numbers as JSON and CSV."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.restating import Restatement
from arena.seasons.standings import standings_document
from arena.settings import Settings
from arena.ui.board.page import board_page, run_page
from evals.leaderboard import Board
from trading.domain.errors import RequestError
from trading.domain.event import Event, EventKind
from trading.domain.instants import iso
from trading.storage.journal.reader import read_events
from trading.storage.runs import RunFolder, Runs

DECISION_COLUMNS = ("decision_id", "ts", "desk", "status", "confidence", "rationale", "abstain_reason", "prompt_hash")


def write_site(to: Path, board: Board, restated: Sequence[Restatement], settings: Settings, *, table: str) -> Path:
    """Write the site into ``to`` and give its first page. ``table`` is the board as CSV.

    Pages of runs stay where they are: a site can be written again over itself. Raises RequestError where it cannot be
    written.
    """
    runs = Runs(settings.home)
    try:
        to.mkdir(parents=True, exist_ok=True)
        _write(to / "leaderboard.json", _json({**board.to_json(), "restatements": [one.to_json() for one in restated]}))
        _write(to / "leaderboard.csv", table)
        for run in board.runs:
            _write_run(to / "runs" / run, runs.get(run), [one for one in restated if one.run == run])
        return _write(to / "index.html", board_page(board, restated))
    except OSError as error:
        raise RequestError(f"--html {to}: cannot be written ({error.strerror}); name another folder") from error


def _write_run(to: Path, run: RunFolder, restated: Sequence[Restatement]) -> None:
    to.mkdir(parents=True, exist_ok=True)
    facts, decisions = _read(run)
    document = standings_document(run)
    by_desk: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in decisions:
        by_desk[row["desk"]].append(row)
    _write(to / "standings.json", _json(document))
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=DECISION_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(decisions)
    _write(to / "decisions.csv", out.getvalue())
    _write(to / "index.html", run_page(facts, {**document, "decisions": by_desk}, restated))


def _read(run: RunFolder) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """The first event of a run and a row for each of its decisions."""
    facts: Mapping[str, Any] = {}
    rows = []
    for stored in read_events(run.journal):
        if stored.kind == EventKind.SEASON_OPENED:
            facts = stored.event().payload
        elif stored.kind == EventKind.DECIDED:
            rows.append(_row(stored.event()))
    return facts, rows


def _row(event: Event) -> dict[str, Any]:
    payload = event.payload
    known = {"decision_id": event.decision_id, "ts": iso(event.ts_ms)}
    return {**known, **{name: payload.get(name) for name in DECISION_COLUMNS if name not in known}}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> Path:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
    return path
