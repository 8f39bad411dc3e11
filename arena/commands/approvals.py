"""``tradefloor approvals``: what desks propose and a person has to answer, from any terminal."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from trading.domain.decision import IntentEdit
from trading.domain.errors import RequestError
from trading.domain.instants import iso
from trading.domain.intent import style_words
from trading.risk.approvals import ApprovalBoard, Asked, answered_how
from trading.risk.edits import EDITABLE, LegChange

_SET = re.compile(r"([0-9]{1,3})\.([a-z_]{1,40})=(.*)")


def show(*, every: bool, home: Path | None, as_json: bool) -> None:
    """Proposals that wait, oldest first; with ``every`` those that were answered, too."""
    board = _board(home)
    found = board.all() if every else board.waiting()
    if as_json:
        print_json({"approvals": [asdict(asked) for asked in found]})
        return
    for asked in found:
        typer.echo(_line(asked))
        for leg, ruling in enumerate(asked.rulings, start=1):
            typer.echo(f"    {leg}. {_words(ruling)}")
        for edit in asked.changed:
            typer.echo(f"    {edit['by']} changed {IntentEdit.of(edit).words}, and the gate did not let that through")
        typer.echo(f"    {asked.rationale}")


def answer(
    proposal: str,
    *,
    approved: bool,
    who: str,
    reason: str,
    home: Path | None,
    as_json: bool,
    changes: Sequence[LegChange] | None = None,
) -> None:
    """Approve or reject a proposal, or approve it with ``changes``."""
    asked = _board(home).answer(proposal, approved=approved, who=who, reason=reason, changes=changes)
    if as_json:
        print_json(asdict(asked))
    else:
        typer.echo(_line(asked))


def changes_of(sets: Sequence[str], drops: Sequence[int]) -> list[LegChange]:
    """What ``--set LEG.FIELD=VALUE`` and ``--drop LEG`` ask for. Raises RequestError for what is not written so."""
    values: dict[int, dict[str, str | None]] = {}
    for text in sets:
        found = _SET.fullmatch(text.strip())
        if found is None:
            raise RequestError(f"--set {text[:60]!r}: expected LEG.FIELD=VALUE, such as 1.quantity=0.5")
        leg, name, value = int(found[1]), found[2], found[3].strip()
        if name in values.setdefault(leg, {}):
            raise RequestError(f"--set {text[:60]!r}: {leg}.{name} is set twice")
        values[leg][name] = None if value == "none" else value
    changed = [LegChange(leg=leg, values=its) for leg, its in values.items()]
    return [*changed, *(LegChange(leg=leg, drop=True) for leg in drops)]


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
    told = "".join(f"; {edit.words}" for edit in given.edits)
    return f"{answered_how(given)} by {given.by}: {given.note}{told}"


def _words(ruling: object) -> str:
    """An intent with what the gate would say of it. The text of a model is shown and never read."""
    if not isinstance(ruling, dict) or not isinstance(ruling.get("intent"), dict):
        return "a proposal that cannot be read"
    intent = ruling["intent"]
    what = " ".join(str(intent.get(name)) for name in ("side", "quantity", "instrument", "order_type"))
    prices = [name for name in EDITABLE if name != "quantity" and intent.get(name) is not None]
    what += "".join(f", {name.replace('_', ' ')} {intent[name]}" for name in prices)
    if isinstance(intent.get("window_s"), int):
        what = f"{what}, {style_words(str(intent.get('style'))[:8], intent['window_s'])}"
    said = str(ruling.get("ruling"))
    return f"{what}: {said}" + (f", {ruling['message']}" if ruling.get("message") else "")
