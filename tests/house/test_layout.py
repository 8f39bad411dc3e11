"""The house stands where it says: every room is ours, wired into the checks, and light and silent to enter."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("agents", "arena", "evals", "graphs", "memory", "prompts", "tools", "trading")
STANDING = [room for room in ROOMS if (ROOT / room / "__init__.py").is_file()]
HEAVY = {"arch", "gradio", "langgraph", "litellm", "numba", "pandas", "plotly", "pyarrow", "scipy", "talib"}
OWNED = {"graphs": {"langgraph"}}  # a room may open with the library that it is about

# Runs in a process of its own, so that nothing the tests have imported hides what a room would import.
SILENT_IMPORT = """
import importlib, pkgutil, socket, sys

def refuse(*args, **kwargs):
    raise AssertionError(f"a socket was opened on import: {args}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
for name in sys.argv[1:]:
    room = importlib.import_module(name)
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def declared() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("room", STANDING)
def test_a_room_is_ours_and_not_a_package_of_the_same_name(room: str) -> None:
    found = importlib.util.find_spec(room)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin) == ROOT / room / "__init__.py"


def test_every_folder_of_code_is_a_package_that_says_what_lives_there() -> None:
    for room in STANDING:
        for folder in {path.parent for path in (ROOT / room).rglob("*.py")}:
            init = folder / "__init__.py"
            assert init.is_file(), f"{folder} has no __init__.py"
            assert init.read_text("utf-8").startswith('"""'), f"{init} does not say what lives there"


def test_import_contracts_cover_every_room(declared: dict) -> None:
    contracts = declared["tool"]["importlinter"]
    assert sorted(contracts["root_packages"]) == STANDING
    for contract in contracts["contracts"]:
        if contract["type"] == "forbidden":
            missing = set(STANDING) - set(contract["source_modules"])
            assert len(missing) <= 1, (
                f"{contract['name']}: does not look into {missing}, yet one room at most is exempt"
            )


def test_every_room_is_packaged(declared: dict) -> None:
    included = declared["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]
    assert {f"/{room}" for room in ROOMS} <= set(included)


def test_no_module_reaches_for_the_network_on_import() -> None:
    done = python(SILENT_IMPORT, *reversed(STANDING))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", STANDING)
def test_a_room_is_entered_without_heavy_libraries(room: str) -> None:
    done = python("import importlib, sys; importlib.import_module(sys.argv[1]); print(*sys.modules)", room)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & HEAVY <= OWNED.get(room, set())
