"""Every operation holds to its own description, whatever is sent: schemathesis over a real house."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from arena.api.app import create_api
from arena.services import Services
from arena.settings import Settings
from arena.tickets.counter import Counter
from tests.arena.conftest import SampleFloor
from tests.arena.houses import PROGRAM, House

EXAMPLES = int(os.environ.get("TRADEFLOOR_API_EXAMPLES", "3"))
STREAM = "/api/v1/events"
HEADERS = PROGRAM | {"Host": "127.0.0.1"}
COMPUTED = re.compile(r"/(features|regime|anomalies|forecast)/|/risk/|/leaderboard|/standings|/memory/")
"""Operations that take the processor a while: fewer examples of those."""


@pytest.fixture(scope="module")
def described(played: House, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The description of the API over a house of its own, which the requests may change."""
    home = shutil.copytree(played.services.home, tmp_path_factory.mktemp("conformance") / "home")
    floor = SampleFloor(played.floor.snapshot())
    counter = Counter(home, floor.snapshot)
    services = Services(floor=floor, settings=Settings.load({"home": home}), counter=counter)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_api(services), headers=HEADERS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_is_as_it_is_described(described: Any, mode: GenerationMode) -> None:
    """Requests that fit the description and requests that do not: no server error, and answers that conform."""
    failures: list[str] = []
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path == STREAM:
            continue
        few = COMPUTED.search(operation.path)
        tried += 1
        try:
            _check(operation, mode, examples=max(1, EXAMPLES // 3) if few else EXAMPLES)
        except (AssertionError, BaseExceptionGroup, Unsatisfiable) as error:
            if not isinstance(error, Unsatisfiable):  # an operation that no request can be wrong about
                failures.append(f"{operation.label}: {error!r}\n{getattr(error, 'exceptions', '')!r}")
    assert not failures, "\n\n".join(failures)
    assert tried > 40


def _check(operation: Any, mode: GenerationMode, *, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, timeout=120)

    check()


def test_the_description_is_complete(client: TestClient, tmp_path: Path) -> None:
    """Every operation has a summary, a tag and a body that is described; every refusal is a problem document."""
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["tags"], where
            answers = operation["responses"]
            refusals = {status: found for status, found in answers.items() if status.startswith(("4", "5"))}
            assert {"403", "404", "422", "429", "503"} <= refusals.keys(), where
            for found in refusals.values():
                assert list(found["content"]) == ["application/problem+json"], where
            if method != "get":
                assert {"409", "413"} <= refusals.keys(), where
                assert {"Idempotency-Key", "X-Tradefloor"} <= {one["name"] for one in operation["parameters"]}, where
            for status in answers.keys() - refusals.keys() - {"204"}:
                assert answers[status]["content"], where
