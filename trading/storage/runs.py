"""The runs of a home folder: one folder each, found again by what they run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from trading.domain.errors import RequestError

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """Where a run keeps its files, and the facts it was started with."""

    run_id: str
    path: Path
    manifest: Mapping[str, Any]

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal.sqlite"

    @property
    def telemetry(self) -> Path:
        """Measured latencies."""
        return self.path / "telemetry.sqlite"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of decisions in flight; worthless once their round is in the journal."""
        return self.path / "checkpoints.sqlite"

    @property
    def is_finished(self) -> bool:
        """Whether the run was completed and sealed."""
        return self.journal.with_suffix(".seal").exists()


class Runs:
    """The run folders under ``<home>/runs``. A run is identified by what it runs: rules, data, limits and costs."""

    def __init__(self, home: Path) -> None:
        self._root = home / "runs"

    def open(self, season: str, content_sha256: str, manifest: Mapping[str, Any]) -> RunFolder:
        """The unfinished run of exactly this content, or a new folder when there is none."""
        stem = f"{season}-{content_sha256[:8]}"
        number = 1
        while (self._root / f"{stem}-{number}").exists():
            found = self.get(f"{stem}-{number}")
            if not found.is_finished:
                return found
            number += 1
        folder = self._root / f"{stem}-{number}"
        folder.mkdir(parents=True)
        facts = {**manifest, "run_id": folder.name, "season": season, "content_sha256": content_sha256}
        partial = folder / "run.partial"
        partial.write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        partial.replace(folder / "run.json")
        return RunFolder(run_id=folder.name, path=folder, manifest=facts)

    def get(self, run_id: str) -> RunFolder:
        """A run by its id. Raises RequestError when there is none."""
        folder = self._root / run_id
        if not _RUN_ID.fullmatch(run_id) or not folder.is_dir():
            known = ", ".join(known.name for known in self._folders()) or "none yet"
            raise RequestError(f"no run {run_id[:100]!r} under {self._root}; the runs are: {known}")
        try:
            manifest = orjson.loads((folder / "run.json").read_bytes())
        except FileNotFoundError:
            manifest = {}  # killed between making the folder and writing the file; the journal alone counts
        except (OSError, ValueError) as error:
            raise RequestError(f"{folder / 'run.json'}: cannot be read ({error})") from error
        if not isinstance(manifest, dict):
            raise RequestError(f"{folder / 'run.json'}: holds no facts of a run; take the folder away and run again")
        return RunFolder(run_id=run_id, path=folder, manifest=manifest)

    def all(self) -> list[RunFolder]:
        """Every run, the one worked on last at the end."""
        return [self.get(folder.name) for folder in self._folders()]

    def latest(self) -> RunFolder:
        """The run worked on last. Raises RequestError when there is none."""
        runs = self.all()
        if not runs:
            raise RequestError(f"no run under {self._root}: start one with `tradefloor run SEASON.toml`")
        return runs[-1]

    def _folders(self) -> list[Path]:
        # What bears no name of ours was put there by somebody else and is left alone.
        found = self._root.iterdir() if self._root.is_dir() else ()
        folders = [folder for folder in found if _RUN_ID.fullmatch(folder.name) and folder.is_dir()]
        return sorted(folders, key=lambda folder: (_last_change(folder), folder.name))


def _last_change(folder: Path) -> float:
    return max((_changed(file) for file in folder.iterdir()), default=_changed(folder))


def _changed(path: Path) -> float:
    # A database takes its log away when its last reader leaves, which may be just now.
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
