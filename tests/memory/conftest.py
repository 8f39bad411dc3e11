"""Episodes from a generator of chance, with whatever a test needs planted in them."""

from collections.abc import Callable

import numpy as np
import pytest

from memory.episode import NEVER_MS, Episode, episode_id
from memory.state import COMPONENTS, regime_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_700_006_400_000 // DAY_MS * DAY_MS

Make = Callable[..., Episode]


def make_episode(number: int, **changes: object) -> Episode:
    """An episode decided ``number`` hours after the start and closed a day later."""
    decided = START_MS + number * HOUR_MS
    digest = f"{number:064x}"
    facts = dict(  # noqa: C408  (named as the fields are)
        episode_id=episode_id(digest, "BTC-USDT-PERP"),
        decision_id=f"d-{number}",
        seq=number + 1,
        event_hash=digest,
        desk="a",
        instrument="BTC-USDT-PERP",
        round_index=number,
        decided_ms=decided,
        status="held",
        action="none",
        side=0,
        state=(0.0,) * len(COMPONENTS),
        regime="ranging",
        price=100.0,
        text=f"note {number}",
        expected=None,
        touched_seq=number + 1,
        moved_ms=decided + DAY_MS,
        move=0.01,
        closed_ms=decided + DAY_MS,
        kind="counterfactual",
        net_return=0.0,
        reflection="rule-based: nothing was expected.",
    )
    return Episode(**(facts | changes))  # type: ignore[arg-type]  # tests name the fields they replace


def by_chance(count: int, rng: np.random.Generator, *, every_h: float = 1.0, **changes: object) -> list[Episode]:
    """Episodes with states and moves from independent normals."""
    states = np.round(rng.standard_normal((count, len(COMPONENTS))), 4)
    moves = 0.02 * rng.standard_normal(count)
    found = []
    for number, (state, move) in enumerate(zip(map(tuple, states.tolist()), moves.tolist(), strict=True)):
        decided = START_MS + int(number * every_h * HOUR_MS)
        later = {"decided_ms": decided, "moved_ms": decided + DAY_MS, "closed_ms": decided + DAY_MS}
        found.append(make_episode(number, state=state, regime=regime_of(state), move=move, **later, **changes))
    return found


@pytest.fixture
def open_episode() -> Episode:
    return make_episode(0, moved_ms=NEVER_MS, move=None, closed_ms=NEVER_MS, kind="", net_return=None, reflection="")
