"""What a season is registered with before its first round: the prompts of every role and the program that plays it."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from arena.seasons.fields import ROLES
from arena.settings import Settings
from prompts import load_prompt

ROOM_NAMES = ("agents", "arena", "config", "evals", "graphs", "memory", "prompts", "tools", "trading")
_KINDS = frozenset({".py", ".toml", ".md"})
_HOUSE = Path(__file__).resolve().parents[1]


def prompt_folder(settings: Settings) -> Path:
    """Where the home folder keeps prompts of its own."""
    return settings.home / "prompts"


def prompt_hashes(chosen: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each role's prompt file: the one ``chosen`` for it, else its production prompt. Raises ConfigError."""
    from agents.roles import discover_roles

    specs = discover_roles()
    return {role: load_prompt(chosen.get(role) or specs[role].prompt).sha256 for role in ROLES}


@cache
def code_sha256() -> str:
    """Digest of every Python, TOML and prompt file of the program, by path; it needs no version control."""
    digest = hashlib.sha256()
    files = (path for room in ROOM_NAMES for path in (_HOUSE / room).rglob("*") if path.suffix in _KINDS)
    for path in sorted(files):
        digest.update(f"{path.relative_to(_HOUSE).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    return digest.hexdigest()
