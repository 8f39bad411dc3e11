"""From a run's journal to the moment of one decision: when it was, what the desk held, and on which market."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from arena.evaluating import conditions_of, eval_folder
from arena.seasons.tally import Tally
from arena.settings import Settings
from arena.wiring import HISTORY_BARS
from evals.case import Case, MarketSpec, Split
from evals.promptlab.frozen import Moment, frozen_case, write_case
from evals.stage import Stage
from trading.domain.errors import RequestError
from trading.domain.event import Event, EventKind
from trading.domain.instants import duration_ms, iso, parse_instant, to_ms
from trading.storage.journal.reader import read_events
from trading.storage.runs import RunFolder, Runs


def add_case(
    settings: Settings, run_id: str, decision_id: str, *, horizon: str = "24h", split: Split = "dev"
) -> tuple[Case, Path]:
    """Make a case of a decision, for the suite ``own``, and say where it is kept.

    It is set up once before it is kept, so that what cannot be staged is refused. Raises RequestError.
    """
    moment = moment_of(Runs(settings.home).get(run_id), decision_id)
    try:
        case = frozen_case(moment, horizon=horizon, split=split)
    except ValueError as error:
        raise RequestError(f"{decision_id} cannot be a case: {' '.join(str(error).split())[:200]}") from None
    Stage(case, "desk", conditions_of(settings)).play_out(None)
    return case, write_case(case, eval_folder(settings) / "cases")


def moment_of(run: RunFolder, decision_id: str) -> Moment:
    """The moment of a decision. Raises RequestError when the run has no such decision."""
    tally, decided = Tally(), None
    for stored in read_events(run.journal):
        event = stored.event()
        tally.apply(event)
        if event.kind is EventKind.DECIDED and event.decision_id == decision_id:
            decided = event
            break
    if decided is None:
        raise RequestError(
            f"{run.run_id} has no decision {decision_id[:80]!r}; `tradefloor journal export {run.run_id}` lists them"
        )
    return _moment(run, tally, decided)


def _moment(run: RunFolder, tally: Tally, decided: Event) -> Moment:
    desk = decided.payload["desk"]
    equity, quantities = tally.marked(desk, decided.ts_ms)
    prices = dict(zip(tally.symbols, tally.closes[-1], strict=True))
    return Moment(
        run_id=run.run_id,
        decision_id=decided.decision_id,
        desk=desk,
        at=iso(decided.ts_ms),
        equity=Decimal(repr(equity)).quantize(Decimal("0.01")),
        held={symbol: units * prices[symbol] for symbol, units in quantities.items() if units},
        market=_market(run.manifest.get("rules", {})),
    )


def _market(rules: dict[str, Any]) -> MarketSpec:
    """The market of a season, by the rules in its manifest."""
    season, market = rules.get("season"), rules.get("market")
    if not season or not market:
        raise RequestError("the run's run.json does not hold its rules, so its market is not known")
    symbols = tuple(market["instruments"])
    if market["kind"] == "replay":
        return MarketSpec(
            kind="recorded", symbols=symbols, paths=tuple(market["paths"]), funding=tuple(market.get("funding") or ())
        )
    step = market.get("step") or "1h"
    begin_ms = to_ms(parse_instant(season["start"])) - HISTORY_BARS * duration_ms(step)
    return MarketSpec(
        kind="simulated",
        symbols=symbols,
        step=step,
        seed=season["seed"],
        begin=iso(begin_ms),
        until=iso(to_ms(parse_instant(season["end"]))),
    )
