"""The house's own limits and costs, a few simulated cases, and a store of attempts in a fresh folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.attempts import AttemptStore
from evals.case import Case
from evals.scenarios import simulated_states
from evals.stage import Conditions
from trading.risk import Limits
from trading.venues.simulated import Costs
from trading.venues.simulated.costs import venue_facts

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="session")
def conditions() -> Conditions:
    facts = venue_facts(CONFIG / "venues.toml")
    return Conditions(
        limits=Limits.load(CONFIG / "limits.toml"), costs=Costs.from_mapping(facts["costs"], {}), facts=facts
    )


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return simulated_states(6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AttemptStore]:
    with AttemptStore(tmp_path / "evals" / "attempts.sqlite") as opened:
        yield opened
