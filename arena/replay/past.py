"""The seat of a desk in a round that is over, made of the record alone: the same view, account, limits and memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from arena.evaluating import use_home
from arena.records.standpoint import folded
from arena.refusal import one_line
from arena.registration import code_sha256
from arena.seasons.own_record import OwnRecords
from arena.seasons.rules import SeasonRules
from arena.seasons.seating import Seating, brief_of
from arena.seasons.spending import Spending, spending_of
from arena.seasons.teams import team_as_recorded
from arena.settings import Settings
from arena.traces import Trace
from arena.wiring import DEADLINE_S
from graphs import DeskTeam, Seat
from prompts.library import list_prompts
from trading.domain.errors import RequestError
from trading.domain.event import EventKind
from trading.engine import Engine, Setup
from trading.engine.round import Fold
from trading.storage.journal import select_events
from trading.storage.runs import RunFolder

_THOUGHT = frozenset({EventKind.MODEL_CALLED, EventKind.TOOL_CALLED, EventKind.DECIDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSeat:
    """A desk before it decided. ``engine`` stands in the open round and sends nothing.

    ``remarks`` say what is known to be otherwise than it was.
    """

    engine: Engine
    team: DeskTeam
    seat: Seat
    remarks: tuple[str, ...]


def check_replayable(trace: Trace) -> None:
    """Raise RequestError for a decision that no model made."""
    if trace.kind == "person":
        raise RequestError(f"{trace.desk} is traded by hand: there is no model to ask again")
    if not trace.calls:
        why = f" ({trace.abstain_reason})" if trace.abstain_reason else ""
        raise RequestError(f"no model was asked for {trace.decision_id}{why}: there is nothing to ask again")


def past_seat(folder: RunFolder, trace: Trace, settings: Settings) -> PastSeat:
    """The seat of the desk in the decision's round, as it was when the desks were asked.

    Raises RequestError where the run's rules or candles are not there any more, ConfigError for prompts that are not,
    JournalError for a damaged record.
    """
    use_home(settings)
    rules = _rules(folder)
    records = OwnRecords()
    spending: list[Spending] = []

    def watching(setup: Setup) -> tuple[Fold, ...]:
        found = spending_of(rules, setup.entrants)
        spending.extend([] if found is None else [found])
        return (records, *spending)

    found = folded(folder, settings, until=_last_before(folder, trace), watching=watching)
    opened = found.engine.round
    assert opened is not None, "a run that was folded has its last round open"
    chosen, remarks = _prompts(trace)
    degraded = any(one.is_degraded(trace.desk) for one in spending)
    team = team_as_recorded(rules, trace.desk, chosen, degraded=degraded)
    if found.opening.get("code_sha256") not in (None, code_sha256()):
        remarks.append("The program is another version than the one that played the season.")
    seating = Seating(
        engine=found.engine,
        brief=brief_of(found.engine, found.engine.costs, deadline_s=rules.season.deadline_s or DEADLINE_S),
        own_records=records,
        champions=found.champions,
        memory=found.memory,
    )
    seat = seating.seat(team, opened, {}, f"replay:{trace.decision_id}")
    return PastSeat(engine=found.engine, team=team, seat=seat, remarks=tuple(remarks))


def _rules(folder: RunFolder) -> SeasonRules:
    try:
        return SeasonRules.on_record(folder.manifest.get("rules", {}))
    except ValidationError as error:
        raise RequestError(
            f"the rules of {folder.run_id} cannot be read from its run.json, so its desks cannot be seated again: "
            f"{one_line(error, SeasonRules)}"
        ) from error


def _last_before(folder: RunFolder, trace: Trace) -> int:
    """The number of the last event that stood in the journal when the desks of the round were asked."""
    begun = 0
    rounds = select_events(folder.journal, until=trace.seq, kinds=(EventKind.ROUND_OPENED,))
    begun = rounds[-1].seq
    for stored in select_events(folder.journal, after=begun, until=trace.seq):
        if stored.kind in _THOUGHT:
            return stored.seq - 1
    return trace.seq - 1


def _prompts(trace: Trace) -> tuple[Mapping[str, str], list[str]]:
    """The prompt files that the desk was registered with, by role, and what is to be said of those that are gone."""
    kept = {one.sha256: one.reference for one in list_prompts() if one.sha256 is not None}
    chosen = {role: kept[sha256] for role, sha256 in trace.prompts if sha256 in kept}
    gone = [role for role, sha256 in trace.prompts if sha256 not in kept]
    said = f"The prompt of {' and '.join(gone)} is not kept any more; today's was used."
    return chosen, [said] if gone else []
