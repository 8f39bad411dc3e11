"""Lock files: exact versions with hashes, tied to no machine and no index, and in step with pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)( ; [^\\]+)?(( \\\n    --hash=sha256:[0-9a-f]{64})+)$")


def pins(lock: Path) -> dict[str, set[Version]]:
    """Versions by name: a universal lock may hold one a range of Python versions, and lines for no system."""
    found: dict[str, set[Version]] = {}
    for entry in entries(lock):
        match = PIN.match(entry)
        assert match, entry
        if "sys_platform == 'never'" in (match[3] or ""):
            continue
        found.setdefault(canonicalize_name(match[1]), set()).add(Version(match[2]))
    return found


def entries(lock: Path) -> list[str]:
    return re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())


def declared() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_lock_is_there() -> None:
    extras = declared()["project"]["optional-dependencies"]
    assert {lock.stem for lock in LOCKS} == {"core", "build", "installer", *extras}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_is_exact_and_hashed(lock: Path) -> None:
    assert [entry for entry in entries(lock) if not PIN.match(entry)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_lock_names_a_host_or_a_path(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|@ ", text)
    assert "/" not in text


def test_the_locks_hold_what_the_project_declares() -> None:
    project = declared()
    wanted = {
        "core": project["project"]["dependencies"],
        "build": project["build-system"]["requires"],
        "installer": project["dependency-groups"]["installer"],
        **project["project"]["optional-dependencies"],
    }
    for lock in LOCKS:
        locked = pins(lock)
        for requirement in map(Requirement, wanted[lock.stem]):
            if requirement.name == project["project"]["name"]:
                continue  # other extras of the project, each with a lock of its own
            versions = locked.get(canonicalize_name(requirement.name), set())
            assert versions, f"{lock.name} lacks {requirement}: make lock"
            assert all(requirement.specifier.contains(version) for version in versions), f"{lock.name}: {requirement}"


@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if lock.stem not in ("core", "installer")], ids=lambda lock: lock.stem
)
def test_environments_agree_on_versions(lock: Path) -> None:
    """An extra is installed over the core: both must mean the same versions."""
    core, extra = pins(ROOT / "requirements" / "core.lock"), pins(lock)
    assert {name: extra[name] for name in core if name in extra} == {name: core[name] for name in core if name in extra}
    if lock.stem != "build":
        assert set(core) <= set(extra)


def test_the_core_stays_lean() -> None:
    heavy = re.compile(r"^(torch|nvidia-.*|triton|tensorflow|jax|ray|onnxruntime|kubernetes|cuda-.*)$")
    assert [name for name in pins(ROOT / "requirements" / "core.lock") if heavy.match(name)] == []
