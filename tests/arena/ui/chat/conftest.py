"""A served chat: two desks that sit in a round, one of them of rules, one of a model that does as a test says."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from starlette.requests import Request

from agents.llm import Completion, CompletionRequest, complete
from arena.access import Caller, Role
from arena.access.caller import SCOPE_KEY
from arena.api.app import create_app
from arena.seasons.reception import Reception
from arena.services import Services
from graphs import DeskTeam
from tests.agents.staging import ROLES, seat
from tests.arena.api.test_chat import serving
from tests.arena.conftest import SampleFloor, sample_snapshot
from tests.arena.housing import house
from trading.domain.errors import ModelUnavailable

FULL = sample_snapshot()
SNAPSHOT = replace(FULL, desks=tuple(desk for desk in FULL.desks if desk.name in ("momentum", "breakout")))
"""A floor of two desks."""


async def speaking(request: CompletionRequest) -> Completion:
    """House models answer as they do; any other is down."""
    if request.model.startswith("house/"):
        return await complete(request)
    raise ModelUnavailable(f"{request.model} cannot be reached", reason="timeout")


def staffed(home: Path, *, models: tuple[str, str] = ("house/momentum", "house/breakout")) -> Services:
    """A house over the floor of two desks, both seated."""
    reception = Reception(snapshot=lambda: SNAPSHOT, complete=speaking)
    names = ("momentum", "breakout")
    teams = [
        DeskTeam(name=name, models=dict.fromkeys(ROLES, model), seed=7)
        for name, model in zip(names, models, strict=True)
    ]

    async def sit() -> None:
        reception.seat(teams, [seat(held={"BTC-USDT-PERP": "0.5"}) for _ in teams])

    asyncio.run(sit())
    return house(SampleFloor(SNAPSHOT), home=home, reception=reception)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """A house whose desks can be asked."""
    return staffed(tmp_path)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where such a house is served."""
    services = staffed(tmp_path_factory.mktemp("home"))
    with serving(create_app(services)) as found:
        yield found


@pytest.fixture
def asked_by() -> Callable[..., gr.Request]:
    """The request of somebody with a role, as callbacks get it."""

    def request(role: Role = Role.TRADER, name: str = "ada") -> gr.Request:
        return gr.Request(request=Request({"type": "http", SCOPE_KEY: Caller(name=name, role=role)}))

    return request
