"""The standings document of a run: scored from its journal, the same while it runs and afterwards."""

from typing import Any

import numpy as np

from arena.seasons.scoring import score_season
from arena.seasons.standing import Standing
from arena.seasons.tally import Tally
from trading.domain.errors import RequestError
from trading.storage.journal.reader import read_events
from trading.storage.journal.telemetry import read_latencies
from trading.storage.runs import RunFolder


def tally_run(run: RunFolder) -> tuple[Tally, int, str]:
    """The tally of a run's journal, the number of its events and its head."""
    tally = Tally()
    events, head = 0, ""
    for stored in read_events(run.journal):
        tally.apply(stored.event())
        events, head = stored.seq, stored.hash
    return tally, events, head


def standings_of(tally: Tally, latencies: dict[str, float]) -> list[Standing]:
    """Every desk's standing, best first. The same tally always gives the same intervals."""
    seed = int(tally.rules_sha256[:12] or "0", 16)
    return score_season(tally.desk_records(latencies), tally.market_record(), rng=np.random.default_rng(seed))


def standings_document(run: RunFolder) -> dict[str, Any]:
    """What ``standings --json`` prints. Raises RequestError for a run that was stopped before its first round."""
    tally, events, head = tally_run(run)
    if not events:
        raise RequestError(f"{run.run_id} has no round on record yet: run its season again, or ask for another run")
    desks = standings_of(tally, read_latencies(run.telemetry, "decision"))
    return {
        "run_id": run.run_id,
        "season": tally.season,
        "rules_sha256": tally.rules_sha256,
        "rounds": tally.rounds,
        "rounds_done": tally.rounds_done,
        "status": _status(tally, run),
        "halt_reason": tally.halted,
        "budget_reason": tally.out_of_budget,
        "market": {
            "kind": tally.market,
            "simulated": tally.market == "simulated",
            "data_sha256": tally.data_sha256 or run.manifest.get("data_sha256"),
        },
        "journal": {"events": events, "head": head},
        "desks": [standing.to_json() for standing in desks],
    }


def _status(tally: Tally, run: RunFolder) -> str:
    if tally.halted:
        return "halted"
    if run.is_finished:
        return "finished"
    return "out of budget" if tally.out_of_budget else "unfinished"
