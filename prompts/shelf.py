"""A folder of prompt files with what was published of them and which alias points where."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trading.domain.errors import ConfigError

VERSIONS, ALIASES = "versions.toml", "aliases.toml"

_VERSIONS_HEAD = "# What each published version says, by SHA-256 of its file. A published prompt does not change.\n"
_ALIASES_HEAD = "# What an alias of a prompt means in this home folder.\n"


@dataclass(frozen=True, slots=True)
class Shelf:
    """``<role>/<name>.v<N>.md`` files in ``folder``, ``versions.toml`` and ``aliases.toml`` beside them.

    A shelf that is not ``writable`` came with the project.
    """

    folder: Path
    writable: bool = False

    def path(self, reference: str) -> Path:
        """Where the file of ``role/name.vN`` stands, or would stand."""
        return self.folder / f"{reference}.md"

    def has(self, reference: str) -> bool:
        """Whether the file is there."""
        return self.path(reference).is_file()

    def references(self) -> list[str]:
        """Every prompt of the shelf, by name and version."""
        found = [f"{path.parent.name}/{path.stem}" for path in self.folder.glob("*/*.v*.md")]
        return sorted(found, key=lambda name: (stem_of(name), version_of(name)))

    def published(self) -> Mapping[str, str]:
        """SHA-256 of the published text by reference. Raises ConfigError for a file that cannot be read."""
        return _table(self.folder / VERSIONS)

    def aliases(self) -> Mapping[str, str]:
        """The version that each alias means. Raises ConfigError for a file that cannot be read."""
        return _table(self.folder / ALIASES)

    def publish(self, reference: str, sha256: str) -> None:
        """Remember the text of a version for good."""
        self._rewrite(VERSIONS, _VERSIONS_HEAD, {**self.published(), reference: sha256})

    def point(self, alias: str, reference: str) -> None:
        """Let ``alias`` mean ``reference`` from now on."""
        self._rewrite(ALIASES, _ALIASES_HEAD, {**self.aliases(), alias: reference})

    def _rewrite(self, file: str, head: str, table: Mapping[str, str]) -> None:
        if not self.writable:
            raise ConfigError(f"prompts {self.folder}: came with the project and are not written to")
        lines = [f'"{key}" = "{value}"\n' for key, value in sorted(table.items())]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self.folder / f"{file}.partial"
            partial.write_text(head + "".join(lines), encoding="utf-8")
            partial.replace(self.folder / file)
        except OSError as error:
            raise ConfigError(f"prompts {self.folder / file}: cannot be written ({error.strerror})") from error
        _read_table.cache_clear()


def stem_of(reference: str) -> str:
    """``role/name`` of ``role/name.vN``."""
    return reference.rpartition(".v")[0]


def version_of(reference: str) -> int:
    """``N`` of ``role/name.vN``, 0 for a name that ends otherwise."""
    number = reference.rpartition(".v")[2]
    return int(number) if number.isdecimal() else 0


def _table(path: Path) -> Mapping[str, str]:
    try:
        changed = path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):  # a home that is no folder is refused by whoever claims it
        return {}
    return _read_table(path, changed)


@cache
def _read_table(path: Path, changed_ns: int) -> Mapping[str, str]:
    """The table of a file; ``changed_ns`` lets a later edit be seen."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"prompts {path}: cannot be read ({error}); mend it or move it away") from None
    if not all(isinstance(value, str) for value in table.values()):
        raise ConfigError(f'prompts {path}: expected lines such as "executor/candidate" = "executor/mine.v1"')
    return table
