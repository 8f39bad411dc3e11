"""Prompts by name and version, checked when they are loaded: before any model is called.

A file is ``<role>/<name>.v<N>.md``: a TOML head between ``+++`` lines (role, version, slots with their types, where
they are known author and message, and what this version offers beyond others), then the system message, then the user
message after a line ``=== user ===``. Slots stand as ``{{slot}}``. Those that came with the project lie here, a home
folder may have more of them.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from prompts.shelf import Shelf
from prompts.slots import SlotType, slot_text
from trading.domain.errors import ConfigError

HERE = Path(__file__).parent
_REFERENCE = re.compile(r"[a-z]+/[a-z0-9_]+\.v([1-9]\d*)")
_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
USER_MARK = "\n=== user ===\n"
_HEAD_KEYS = {"role", "version", "slots"}
_REMARKS = {"author", "message", "offers"}
OFFERS = frozenset({"working"})
"""What a version may offer a model beyond what every version does: ``working`` has orders worked over a window."""

SHIPPED = Shelf(HERE)

_own: list[Shelf] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a role's prompt. ``user_parts`` alternates literal text and slot names, text first.

    ``offers`` are of :data:`OFFERS`: fields of tools and answers that a model is shown with this version only.
    """

    reference: str
    role: str
    version: int
    sha256: str
    slots: Mapping[str, SlotType]
    system: str
    user_parts: tuple[str, ...]
    author: str = ""
    message: str = ""
    offers: frozenset[str] = frozenset()

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


def use_prompts(folder: Path | None) -> None:
    """Look for prompts in ``folder`` too, from now on and in this process; None for the shipped ones alone."""
    _own[:] = [] if folder is None else [Shelf(folder, writable=True)]


def shelves() -> tuple[Shelf, ...]:
    """Where prompts are looked for: the shipped ones, then those of the home folder."""
    return (SHIPPED, *_own)


def aliases() -> dict[str, str]:
    """What each alias means; the home folder's word counts over the shipped one."""
    return {alias: reference for shelf in shelves() for alias, reference in shelf.aliases().items()}


def resolve(reference: str) -> str:
    """The version that ``reference`` means: itself, or what an alias points it to."""
    if _REFERENCE.fullmatch(reference):
        return reference
    known = aliases()
    if reference not in known:
        raise ConfigError(f"prompt {reference!r}: expected one of {', '.join(sorted(known))} or role/name.v1")
    return known[reference]


def load_prompt(reference: str) -> Prompt:
    """The prompt that ``reference`` (an alias or ``role/name.v1``) means.

    A prompt of the home folder is published with its first use. Raises ConfigError when there is no such file, when it
    is not well formed, or when its text is not the one that was published: a changed prompt is a new version.
    """
    name = resolve(reference)
    holding = [shelf for shelf in shelves() if shelf.has(name)]
    if not holding:
        role, _, file = name.rpartition("/")
        raise ConfigError(f"prompt {name!r}: there is no file {file}.md in prompts/{role}")
    if len(holding) > 1:
        raise ConfigError(f"prompt {name}: {holding[1].path(name)} has the name of a shipped prompt; give it another")
    shelf = holding[0]
    path = shelf.path(name)
    try:
        prompt = _parsed(name, path.read_text(encoding="utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt {path}: cannot be read ({error})") from None
    published = shelf.published().get(name)
    if published is not None and published != prompt.sha256:
        raise ConfigError(f"prompt {name} was changed after it was published: write the change as a new version")
    if published is None and shelf.writable:
        shelf.publish(name, prompt.sha256)
    return prompt


@lru_cache(maxsize=256)
def _parsed(name: str, text: str) -> Prompt:
    return parse_prompt(name, text)


def parse_prompt(reference: str, text: str) -> Prompt:
    """A prompt from the text of its file; every slot must be declared, typed and used."""
    match = _REFERENCE.fullmatch(reference)
    fields = text.split("+++\n", 2)
    if match is None or len(fields) != 3 or fields[0] or USER_MARK not in fields[2]:
        raise ConfigError(
            f"prompt {reference}: expected a +++ head, the system text and '=== user ===' with the user text"
        )
    try:
        head = tomllib.loads(fields[1])
        slots = {str(name): SlotType(kind) for name, kind in head["slots"].items()}
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, ValueError) as error:
        raise ConfigError(f"prompt {reference}: head not understood: {error}") from None
    if not _HEAD_KEYS <= head.keys() <= _HEAD_KEYS | _REMARKS:
        raise ConfigError(f"prompt {reference}: head has {sorted(head)}, expected {sorted(_HEAD_KEYS)}")
    offers = head.get("offers", [])
    if not isinstance(offers, list) or not OFFERS.issuperset(map(str, offers)):
        raise ConfigError(f"prompt {reference}: offers {offers!r}, expected a list of {', '.join(sorted(OFFERS))}")
    if head["version"] != int(match[1]) or head["role"] != reference.partition("/")[0]:
        raise ConfigError(f"prompt {reference}: head says {head['role']} version {head['version']}")
    system, user = fields[2].split(USER_MARK, 1)
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
        author=str(head.get("author", "")),
        message=str(head.get("message", "")),
        offers=frozenset(offers),
    )
