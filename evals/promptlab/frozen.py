"""A decision of a run made into a case: the market, the instant and what the desk held, for every variant to decide in.

Orders that rested and what the desk remembered are no part of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from evals.case import Case, MarketSpec, Split
from trading.domain.errors import RequestError

_SMALLEST_SHARE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A decision as its run has it on record.

    ``equity`` is of the desk at the instant ``at`` (ISO 8601), ``held`` the value of each position, signed, both in the
    quote currency.
    """

    run_id: str
    decision_id: str
    desk: str
    at: str
    equity: Decimal
    held: Mapping[str, float]
    market: MarketSpec


def frozen_case(moment: Moment, *, horizon: str, split: Split) -> Case:
    """The case of a decision. Raises RequestError for a desk that had nothing left."""
    if moment.equity < 1:
        raise RequestError(f"{moment.desk} had {moment.equity:.2f} at {moment.at}: there is nothing to decide about")
    shares = {symbol: value / float(moment.equity) for symbol, value in moment.held.items()}
    return Case(
        case_id=f"own-{moment.decision_id}",
        cluster=moment.at[:10],
        split=split,
        market=moment.market,
        at=moment.at,
        horizon=horizon,
        capital=int(moment.equity),
        holding={symbol: round(share, 6) for symbol, share in shares.items() if abs(share) >= _SMALLEST_SHARE},
        labels=("own", f"run:{moment.run_id}", f"desk:{moment.desk}"),
    )


def write_case(case: Case, folder: Path) -> Path:
    """Keep a case as a file. Raises RequestError where another case has its name: a case does not change."""
    path = folder / f"{case.case_id}.json"
    text = json.dumps(case.model_dump(mode="json", exclude_none=True), indent=2) + "\n"
    if path.exists():
        if path.read_text("utf-8") == text:
            return path
        raise RequestError(f"{path}: another case has this name already; remove it first if it is not wanted")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        raise RequestError(f"{path}: cannot be written ({error.strerror})") from error
    return path
