"""``tradefloor approvals``: what desks propose and a person has to answer, from any terminal."""

from dataclasses import asdict
from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from trading.domain.instants import iso
from trading.domain.intent import style_words
from trading.risk.approvals import ApprovalBoard, Asked


def show(*, every: bool, home: Path | None, as_json: bool) -> None:
    """Proposals that wait, oldest first; with ``every`` those that were answered, too."""
    board = _board(home)
    found = board.all() if every else board.waiting()
    if as_json:
        print_json({"approvals": [asdict(asked) for asked in found]})
        return
    for asked in found:
        typer.echo(_line(asked))
        for ruling in asked.rulings:
            typer.echo(f"    {_words(ruling)}")
        typer.echo(f"    {asked.rationale}")


def answer(proposal: str, *, approved: bool, who: str, reason: str, home: Path | None, as_json: bool) -> None:
    """Approve or reject a proposal."""
    asked = _board(home).answer(proposal, approved=approved, who=who, reason=reason)
    if as_json:
        print_json(asdict(asked))
    else:
        typer.echo(_line(asked))


def _board(home: Path | None) -> ApprovalBoard:
    return ApprovalBoard(Settings.load({"home": home}).home)


def _line(asked: Asked) -> str:
    return f"{asked.proposal}  {asked.desk}, round {asked.round_index + 1} of {asked.run_id}: {_stand(asked)}"


def _stand(asked: Asked) -> str:
    given = asked.answer
    if given is None:
        return f"waits until {iso(asked.deadline_ms)}"
    if given.by is None:
        return "nobody answered in time"
    return f"{'approved' if given.approved else 'rejected'} by {given.by}: {given.note}"


def _words(ruling: object) -> str:
    """An intent with what the gate would say of it. The text of a model is shown and never read."""
    if not isinstance(ruling, dict) or not isinstance(ruling.get("intent"), dict):
        return "a proposal that cannot be read"
    intent = ruling["intent"]
    what = " ".join(str(intent.get(name)) for name in ("side", "quantity", "instrument", "order_type"))
    if isinstance(intent.get("window_s"), int):
        what = f"{what}, {style_words(str(intent.get('style'))[:8], intent['window_s'])}"
    said = str(ruling.get("ruling"))
    return f"{what}: {said}" + (f", {ruling['message']}" if ruling.get("message") else "")
