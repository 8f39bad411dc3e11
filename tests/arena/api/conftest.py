"""Clients of the API over the house whose season was played to its end."""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from arena.api.app import create_api, create_app
from arena.services import Services
from arena.settings import Settings
from tests.arena.houses import HERE, PROGRAM, House


@pytest.fixture(scope="session")
def client(played: House) -> TestClient:
    """A client of the application over the played house, as this machine."""
    return TestClient(create_app(played.services), base_url=HERE, headers=PROGRAM)


@pytest.fixture
def own_client(played: House, tmp_path: Path) -> TestClient:
    """A client over a copy of the played house that a test may change."""
    home = shutil.copytree(played.services.home, tmp_path / "home")
    services = Services(floor=played.floor, settings=Settings.load({"home": home}))
    return TestClient(create_api(services), base_url=HERE, headers=PROGRAM)
