"""Everything heavy that the page of risk shows of a run, computed beside the season from its journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from arena.jobs import Ticket
from arena.measured import Question, measure
from arena.risk.reporting import computed_report, computed_simulation
from arena.risk.season import Results, arena_trail, season_bars
from arena.seasons.standings import tally_run
from arena.settings import CONFIG, Settings
from trading.domain.errors import TradefloorError
from trading.domain.event import Event, EventKind
from trading.domain.instants import duration_text
from trading.domain.order import PROTECTIVE
from trading.risk import Limits
from trading.risk.breakers import Breakers
from trading.risk.simulation import SCENARIOS
from trading.risk.trip import Over, TripReason
from trading.storage.journal.reader import read_events
from trading.storage.runs import RunFolder, Runs

HORIZON = "24h"
SCENARIOS_SHOWN = ("baseline", "crash")
_FAN = "7d"
_PATHS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPath:
    """The protective stops of a desk in one instrument over time: when each was sent, and at which price it stood."""

    desk: str
    instrument: str
    ts_ms: tuple[int, ...]
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPicture:
    """A run's risk. ``report`` and ``fans`` are the documents of the commands, None with the reason in ``missing``.

    ``trips`` are the breakers that stand, ``stops`` empty where the season keeps none.
    """

    report: Mapping[str, Any] | None
    trail: Results | None
    fans: tuple[Mapping[str, Any], ...]
    trips: tuple[TripReason, ...]
    stops: tuple[StopPath, ...]
    has_stops: bool
    missing: Mapping[str, str]


def risk_picture(settings: Settings, run_id: str, ticket: Ticket) -> RiskPicture:
    """Measure a run as it stands on record. Raises RequestError for a stranger; what cannot be told says why."""
    run = Runs(settings.home).get(run_id)
    missing: dict[str, str] = {}
    report: Mapping[str, Any] | None = None
    trail: Results | None = None
    fans: list[Mapping[str, Any]] = []
    trips, stops = _from_journal(run)
    ticket.report(1, 4)
    question = Question(
        run=run_id, positions=None, data=(), at=None, lookback="365d", home=settings.home, data_root=settings.data_root
    )
    try:
        measured = measure(question)
        report = computed_report(measured, settings, horizon=HORIZON, proposal={})
        ticket.report(2, 4)
        tally, _, _ = tally_run(run)
        found = arena_trail(
            tally.market_record(),
            tally.desk_records({}),
            season_bars(measured, tally, settings),
            until_ms=measured.seen.as_of_ms,
        )
        trail, missing["trail"] = (None, found) if isinstance(found, str) else (found, "")
        ticket.report(3, 4)
        step = duration_text(measured.seen.step_ms)
        fans += [
            computed_simulation(
                measured, model="garch", scenario=SCENARIOS[name], horizon=_FAN, step=step, paths=_PATHS, seed=0
            )
            for name in SCENARIOS_SHOWN
        ]
    except TradefloorError as error:
        for name, value in (("report", report), ("trail", trail), ("fans", fans)):
            if not value:
                missing.setdefault(name, str(error))
    rules = run.manifest.get("rules")
    return RiskPicture(
        report=report,
        trail=trail,
        fans=tuple(fans),
        trips=tuple(trips),
        stops=tuple(stops),
        has_stops=isinstance(rules, dict) and rules.get("stops") is not None,
        missing={name: words for name, words in missing.items() if words},
    )


def _from_journal(run: RunFolder) -> tuple[list[TripReason], list[StopPath]]:
    """The breakers that stand, and where protective stops stood, after the last event."""
    breakers = Breakers(Limits.load(CONFIG / "limits.toml"))
    paths: dict[tuple[str, str], list[tuple[int, float]]] = {}
    scopes: dict[tuple[Over, str], None] = {}
    for stored in read_events(run.journal):
        event = stored.event()
        breakers.apply(event)
        if event.kind is EventKind.BREAKER_TRIPPED:
            scopes[Over(event.payload.get("over", "desk")), str(event.payload["scope"])] = None
        elif event.kind is EventKind.ORDERED:
            _note_stop(event, paths)
    trips = [trip for over, scope in scopes for trip in breakers.standing(over, scope)]
    return trips, _shown(paths)


def _note_stop(event: Event, paths: dict[tuple[str, str], list[tuple[int, float]]]) -> None:
    payload = event.payload
    if payload.get("origin") not in PROTECTIVE or payload.get("order_type") != "stop":
        return
    level = payload.get("trigger_price") or payload.get("stop_loss")
    if level is not None:
        key = str(payload["desk"]), str(payload["instrument"])
        paths.setdefault(key, []).append((event.ts_ms, float(Decimal(level))))


def _shown(paths: Mapping[tuple[str, str], Sequence[tuple[int, float]]]) -> list[StopPath]:
    """Those that moved last, first."""
    latest = sorted(paths.items(), key=lambda item: -item[1][-1][0])
    return [
        StopPath(
            desk=desk,
            instrument=instrument,
            ts_ms=tuple(at for at, _ in rows),
            levels=tuple(level for _, level in rows),
        )
        for (desk, instrument), rows in latest
    ]
