"""A house with three people and a program in it, reached as trade.example: everybody has to log in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fastapi
import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from arena.access import Audit, People, Role, Written, door_for, passwords
from arena.api.app import create_app
from arena.meters import Meters
from arena.seasons.reception import Reception
from tests.arena.conftest import SampleFloor, sample_snapshot
from tests.arena.housing import house

ADDRESS = "https://trade.example"
PASSWORD = "correct horse battery"
ROLES = {"vera": Role.VIEWER, "tom": Role.TRADER, "ada": Role.ADMIN}


@dataclass
class Exposed:
    """The application behind a door with a login, the floor behind it, and a token of each person."""

    app: fastapi.FastAPI
    floor: SampleFloor
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, who: str | None = None, **options: object) -> TestClient:
        """A client without cookies; of ``who``, a program with their token."""
        given = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        options = {"base_url": ADDRESS, "headers": given, "follow_redirects": False} | options
        return TestClient(self.app, **options)

    def audited(self) -> list[Written]:
        """The lines of the audit so far."""
        return Audit(self.home).last(10_000)[0]


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exposed]:
    """One house for the tests of a file. Passwords are hashed fast."""
    home = tmp_path_factory.mktemp("exposed")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        passwords._nobody.cache_clear()
        people = People(home)
        for name, role in ROLES.items():
            people.add(name, role, PASSWORD)
        snapshot = sample_snapshot(played=30)
        floor = SampleFloor(snapshot)
        services = house(floor, home=home, meters=Meters(), reception=Reception(snapshot=floor.snapshot))
        door = door_for("0.0.0.0", allow_hosts=["trade.example"])
        tokens = {name: people.issue_token(name) for name in ROLES}
        yield Exposed(app=create_app(services, door), floor=floor, home=home, tokens=tokens)
    passwords._nobody.cache_clear()
