"""Orders sent while requests and answers get lost or come late: none goes twice, no fill is lost."""

import asyncio
from dataclasses import dataclass

import numpy as np

from tests.trading.execution.bench import Bench
from tests.trading.markets import flat
from tests.trading.venues.harness import order
from trading.testing.faulty_venue import Fault

EACH = 50
_FAULTS = (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.REQUEST_LATE, Fault.FILLED_BEFORE_ANSWER, None)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """``duplicates`` counts client ids that the venue got more than once, ``lost_fills`` what the record lacks."""

    sent: int
    duplicates: int
    lost_fills: int


def try_sends(trials: int, *, seed: int) -> Tried:
    """Send ``trials`` orders, each twice over, under a lost request, a lost answer (or a 5xx after acceptance), a
    request that arrives late, a fill before the answer, or none of these.
    """
    rng = np.random.default_rng(seed)
    sent = duplicates = lost = 0
    while sent < trials:
        bench = Bench(
            lambda call, _: _FAULTS[int(rng.integers(len(_FAULTS)))] if call == "place" else None,
            candles=flat(100, 80),
        )
        for number in range(EACH):
            one = order(number, "buy" if number % 2 else "sell", str(1 + number % 3))
            bench.send(one)
            bench.send(one)
            if rng.random() < 0.5:
                asyncio.run(bench.venue.arrive())
        asyncio.run(bench.venue.arrive())
        bench.harness.step(2)
        bench.poll()
        sent += EACH
        duplicates += sum(count > 1 for count in bench.venue.placed.values())
        lost += len(asyncio.run(bench.venue.fills_since(0))) - sum(kind == "filled" for kind in bench.kinds())
    return Tried(sent=sent, duplicates=duplicates, lost_fills=lost)
