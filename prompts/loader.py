"""Prompts by name and version, checked when they are loaded: before any model is called.

A file is ``<role>/<name>.v<N>.md``: a TOML head between ``+++`` lines (role, version, slots with their types), then
the system message, then the user message after a line ``=== user ===``. Slots stand as ``{{slot}}``.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prompts.slots import SlotType, slot_text
from trading.domain.errors import ConfigError

HERE = Path(__file__).parent
_REFERENCE = re.compile(r"[a-z]+/[a-z0-9_]+\.v([1-9]\d*)")
_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
_USER_MARK = "\n=== user ===\n"
_HEAD_KEYS = {"role", "version", "slots"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a role's prompt. ``user_parts`` alternates literal text and slot names, text first."""

    reference: str
    role: str
    version: int
    sha256: str
    slots: Mapping[str, SlotType]
    system: str
    user_parts: tuple[str, ...]

    def messages(self, values: Mapping[str, object]) -> list[dict[str, object]]:
        """The system and the user message with every slot filled.

        Raises ConfigError when a slot has no value or a value has no slot.
        """
        if values.keys() != self.slots.keys():
            missing = sorted(self.slots.keys() - values.keys())
            unused = sorted(values.keys() - self.slots.keys())
            raise ConfigError(
                f"prompt {self.reference}: slots without a value {missing}, values without a slot {unused}"
            )
        filled = {name: slot_text(name, kind, values[name]) for name, kind in self.slots.items()}
        text = "".join(filled[part] if number % 2 else part for number, part in enumerate(self.user_parts))
        return [{"role": "system", "content": self.system}, {"role": "user", "content": text}]


def resolve(reference: str) -> str:
    """The version that ``reference`` means: itself, or what ``aliases.toml`` points it to."""
    if _REFERENCE.fullmatch(reference):
        return reference
    aliases = _table("aliases.toml")
    if reference not in aliases:
        raise ConfigError(f"prompt {reference!r}: expected one of {', '.join(sorted(aliases))} or role/name.v1")
    return aliases[reference]


@cache
def load_prompt(reference: str) -> Prompt:
    """The prompt that ``reference`` (an alias or ``role/name.v1``) means.

    Raises ConfigError when there is no such file, when it is not well formed, or when its text is not the one that
    ``versions.toml`` recorded for that version: a changed prompt is a new version.
    """
    name = resolve(reference)
    path = HERE / f"{name}.md"
    if not path.is_file():
        raise ConfigError(f"prompt {name!r}: there is no file {path.name} in prompts/{path.parent.name}")
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    prompt = parse_prompt(name, text)
    recorded = _table("versions.toml").get(name)
    if recorded is not None and recorded != prompt.sha256:
        raise ConfigError(f"prompt {name} was changed after it was published: write the change as a new version")
    return prompt


def parse_prompt(reference: str, text: str) -> Prompt:
    """A prompt from the text of its file; every slot must be declared, typed and used."""
    match = _REFERENCE.fullmatch(reference)
    fields = text.split("+++\n", 2)
    if match is None or len(fields) != 3 or fields[0] or _USER_MARK not in fields[2]:
        raise ConfigError(
            f"prompt {reference}: expected a +++ head, the system text and '=== user ===' with the user text"
        )
    try:
        head = tomllib.loads(fields[1])
        slots = {str(name): SlotType(kind) for name, kind in head["slots"].items()}
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, ValueError) as error:
        raise ConfigError(f"prompt {reference}: head not understood: {error}") from None
    if head.keys() != _HEAD_KEYS:
        raise ConfigError(f"prompt {reference}: head has {sorted(head)}, expected {sorted(_HEAD_KEYS)}")
    if head["version"] != int(match[1]) or head["role"] != reference.partition("/")[0]:
        raise ConfigError(f"prompt {reference}: head says {head['role']} version {head['version']}")
    system, user = fields[2].split(_USER_MARK, 1)
    parts = tuple(_SLOT.split(user.strip()))
    used = set(parts[1::2])
    if used != slots.keys() or _SLOT.search(system):
        raise ConfigError(
            f"prompt {reference}: slots {sorted(slots)} are declared and {sorted(used)} are used in the user text; "
            "both must be the same, and the system text has none, so that it can be cached"
        )
    return Prompt(
        reference=reference,
        role=head["role"],
        version=head["version"],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        slots=slots,
        system=system.strip(),
        user_parts=parts,
    )


@cache
def _table(file: str) -> dict[str, str]:
    return {str(key): str(value) for key, value in tomllib.loads((HERE / file).read_text(encoding="utf-8")).items()}
