"""The desk whose eyes a client looks through: its run is read again as soon as there is more on record."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arena.records import DeskStand, shelf_of
from arena.seasons.standings import standings_document
from arena.settings import Settings
from tools.registry import Effect, ToolOutcome, discover, run_tool
from tools.tool import Tool
from trading.domain.decision import IntentEdit
from trading.domain.errors import RequestError
from trading.domain.event import EventKind
from trading.domain.instants import iso
from trading.storage.journal import read_events
from trading.storage.runs import RunFolder

MOST_DECISIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a server was started with: a run (the latest without), a desk of it (its first), and whether to propose."""

    run: str | None = None
    desk: str | None = None
    allow_propose: bool = False


class Desk:
    """A desk of a run at its newest round. Any thread may ask; what was folded is kept until the journal grows.

    Raises RequestError for a run or a desk that is not there.
    """

    def __init__(self, settings: Settings, chosen: Chosen) -> None:
        self._settings = settings
        self._chosen = chosen
        self._lock = threading.Lock()
        self._folder: RunFolder | None = None
        self._stand: DeskStand | None = None

    def check(self) -> None:
        """Raise RequestError where the run or the desk that was chosen is not there."""
        with self._lock:
            self._newest()

    def tools(self) -> Sequence[Tool]:
        """The tools that can be called, in the order of their names."""
        return [one for one in discover().values() if one.effect in self._effects]

    def call(self, name: str, arguments_json: str) -> ToolOutcome:
        """What a tool answers, or why it does not."""
        with self._lock:
            stand = self._newest()
            context = stand.context(self._chosen.desk or stand.desks[0])
            return run_tool(name, arguments_json, context, frozenset(one.name for one in self.tools()))

    def standings(self) -> dict[str, Any]:
        """The standings of the run."""
        return standings_document(self._run())

    def decisions(self) -> dict[str, Any]:
        """The newest decisions of the run, newest first, with what people answered. Texts of models are data."""
        folder = self._run()
        found: list[dict[str, Any]] = []
        for stored in read_events(folder.journal, kinds=(EventKind.DECIDED.value, EventKind.APPROVAL_ANSWERED.value)):
            payload = stored.event().payload
            if stored.kind == EventKind.DECIDED:
                decided = {"decision_id": stored.decision_id, "at": iso(stored.ts_ms), **_told(payload), "answers": []}
                found.append(decided)
            else:  # what people answered stands right behind the decision
                found[-1]["answers"].append(_answer(payload))
        return {"run_id": folder.run_id, "of": len(found), "decisions": found[: -MOST_DECISIONS - 1 : -1]}

    @property
    def _effects(self) -> frozenset[Effect]:
        thinking = {Effect.READ, Effect.THINK}
        return frozenset(thinking | {Effect.PROPOSE}) if self._chosen.allow_propose else frozenset(thinking)

    def _run(self) -> RunFolder:
        shelf = shelf_of(self._settings.home)
        return shelf.latest() if self._chosen.run is None else shelf.folder(self._chosen.run)

    def _newest(self) -> DeskStand:
        folder = self._run()
        stand = self._stand
        known = self._folder is not None and self._folder.run_id == folder.run_id
        if stand is None or not known or not stand.is_newest(folder, self._settings):
            stand = DeskStand.of(folder, self._settings)
            self._folder, self._stand = folder, stand
        desk = self._chosen.desk
        if desk is not None and desk not in stand.desks:
            raise RequestError(f"{folder.run_id} has no desk {desk[:80]!r}; the desks are {', '.join(stand.desks)}")
        return stand


_TOLD = ("desk", "round", "status", "abstain_reason", "confidence", "rationale", "forecasts")


def _told(payload: Any) -> dict[str, Any]:
    return {name: payload[name] for name in _TOLD}


def _answer(payload: Any) -> dict[str, Any]:
    edits = [IntentEdit.of(edit).words for edit in payload.get("edits", ())]
    return {"approved": payload["approved"], "by": payload["by"], "note": payload["note"], "edits": edits}
