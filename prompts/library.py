"""All prompts with their history, and writing new versions and aliases into a home folder."""

import difflib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from prompts.loader import Prompt, aliases, load_prompt, parse_prompt, resolve, shelves
from prompts.shelf import Shelf, stem_of, version_of
from trading.domain.errors import ConfigError

_NAME = re.compile(r"[a-z]+/[a-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One version of a prompt: ``problem`` says why it cannot be used, None when it can."""

    reference: str
    sha256: str | None
    author: str
    message: str
    aliases: tuple[str, ...]
    shipped: bool
    problem: str | None = None


def list_prompts() -> list[Listed]:
    """Every version of every prompt, the shipped ones first. One that cannot be used is listed with its problem."""
    pointing = aliases()
    found = []
    for shelf in shelves():
        for reference in shelf.references():
            mine = tuple(sorted(alias for alias, meant in pointing.items() if meant == reference))
            prompt, problem = _tried(reference)
            found.append(
                Listed(
                    reference=reference,
                    sha256=prompt.sha256 if prompt else None,
                    author=prompt.author if prompt else "",
                    message=prompt.message if prompt else "",
                    aliases=mine,
                    shipped=not shelf.writable,
                    problem=problem,
                )
            )
    return found


def text_of(reference: str) -> str:
    """The text of a prompt's file. Raises ConfigError as :func:`prompts.load_prompt` does."""
    name = load_prompt(reference).reference
    path = next(shelf.path(name) for shelf in shelves() if shelf.has(name))
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def diff(first: str, second: str) -> str:
    """What changed from the first prompt to the second, as a unified diff; empty for the same text."""
    texts = [text_of(one).splitlines(keepends=True) for one in (first, second)]
    return "".join(difflib.unified_diff(texts[0], texts[1], resolve(first), resolve(second)))


def add_version(name: str, text: str, *, author: str, message: str) -> Prompt:
    """Publish ``text`` as the next version of ``role/name`` in the home folder, with who wrote it and why.

    The text is that of a whole file; its version, author and message are written anew. Raises ConfigError when it is
    not well formed or when the name is a shipped prompt's.
    """
    shelf = _own_shelf()
    if not _NAME.fullmatch(name):
        raise ConfigError(f"prompt {name[:80]!r}: expected role/name in lower case, such as executor/patient")
    if any(stem_of(one) == name for place in shelves() if not place.writable for one in place.references()):
        raise ConfigError(f"prompt {name}: came with the project; choose another name for your own versions")
    version = 1 + max((version_of(one) for one in shelf.references() if stem_of(one) == name), default=0)
    reference = f"{name}.v{version}"
    whole = _with_head(reference, text, {"version": version, "author": author, "message": message})
    prompt = parse_prompt(reference, whole)
    path = shelf.path(reference)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(whole)
    except OSError as error:
        raise ConfigError(f"prompt {path}: cannot be written ({error.strerror})") from error
    shelf.publish(reference, prompt.sha256)
    return prompt


def point_alias(alias: str, reference: str) -> str | None:
    """Let ``role/word`` mean a version in this home folder. Gives what it meant before, None where it was new.

    Raises ConfigError when the version cannot be loaded, or is another role's.
    """
    shelf = _own_shelf()
    prompt = load_prompt(reference)
    if not _NAME.fullmatch(alias) or alias.partition("/")[0] != prompt.role:
        raise ConfigError(f"alias {alias[:80]!r}: expected {prompt.role}/ and a word, such as {prompt.role}/candidate")
    before = aliases().get(alias)
    shelf.point(alias, prompt.reference)
    return before


def read_text(path: Path) -> str:
    """The text of a file that a person wrote. Raises ConfigError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt {path}: cannot be read ({error}); expected a Markdown file in UTF-8") from None


def _own_shelf() -> Shelf:
    for shelf in shelves():
        if shelf.writable:
            return shelf
    raise ConfigError("prompts: no home folder to write to; name one with --home or TRADEFLOOR_HOME")


def _tried(reference: str) -> tuple[Prompt | None, str | None]:
    try:
        return load_prompt(reference), None
    except ConfigError as error:
        return None, str(error)


def _with_head(reference: str, text: str, given: dict[str, object]) -> str:
    fields = text.split("+++\n", 2)
    if len(fields) != 3 or fields[0]:
        raise ConfigError(f"prompt {reference}: expected a +++ head as `tradefloor prompts show` prints it")
    try:
        head = {**tomllib.loads(fields[1]), **given}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"prompt {reference}: head not understood: {error}") from None
    slots = head.pop("slots", None)
    if not isinstance(slots, dict):
        raise ConfigError(f"prompt {reference}: the head has no [slots]")
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in head.items() if value != ""]
    lines += ["\n[slots]\n", *(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in slots.items())]
    return f"+++\n{''.join(lines)}+++\n{fields[2]}"
