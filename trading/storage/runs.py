"""The runs of a home folder: one folder each, found again by what they run."""

import re
from collections.abc import Mapping
from contextlib import suppress
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
    def cassette(self) -> Path:
        """The answers of models, unless the season keeps them elsewhere."""
        return self.path / "cassette.sqlite"

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
                return found if found.manifest else self._describe(found.path, season, content_sha256, manifest)
            number += 1
        folder = self._root / f"{stem}-{number}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return self._describe(folder, season, content_sha256, manifest)
        except OSError as error:
            raise RequestError(
                f"{self._root}: cannot be written ({error.strerror}); name another home folder with --home"
            ) from error

    @staticmethod
    def _describe(folder: Path, season: str, content_sha256: str, manifest: Mapping[str, Any]) -> RunFolder:
        facts = {**manifest, "run_id": folder.name, "season": season, "content_sha256": content_sha256}
        partial = folder / "run.partial"
        partial.write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        partial.replace(folder / "run.json")
        return RunFolder(run_id=folder.name, path=folder, manifest=facts)

    def get(self, run_id: str) -> RunFolder:
        """A run by its id. Raises RequestError when there is none."""
        folder = self._root / run_id
        if not _RUN_ID.fullmatch(run_id) or not folder.is_dir():
            known = ", ".join(found.name for found in self._folders()) or "none yet"
            raise RequestError(f"no run {run_id[:100]!r} under {self._root}; the runs are: {known}")
        return RunFolder(run_id=run_id, path=folder, manifest=_manifest(folder))

    def all(self) -> list[RunFolder]:
        """Every run, the one worked on last at the end. One whose facts cannot be read has an empty manifest."""
        found = []
        for folder in self._folders():
            try:
                manifest = _manifest(folder)
            except RequestError:
                manifest = {}
            found.append(RunFolder(run_id=folder.name, path=folder, manifest=manifest))
        return found

    def latest(self) -> RunFolder:
        """The run worked on last. Raises RequestError when there is none."""
        folders = self._folders()
        if not folders:
            raise RequestError(f"no run under {self._root}: start one with `tradefloor run SEASON.toml`")
        return self.get(folders[-1].name)

    def _folders(self) -> list[Path]:
        """The run folders, the one worked on last at the end; what else lies there is not ours."""
        if not self._root.is_dir():
            return []
        folders = [folder for folder in self._root.iterdir() if folder.is_dir() and _RUN_ID.fullmatch(folder.name)]
        return sorted(folders, key=lambda folder: (_last_change(folder), folder.name))


def _manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / "run.json"
    try:
        manifest = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}  # killed between making the folder and writing the file; the journal alone counts
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: cannot be read ({error}); mend it or move the folder away") from error
    if not isinstance(manifest, dict):
        raise RequestError(f"{path}: found {type(manifest).__name__}, expected an object; move the folder away")
    return manifest


def _last_change(folder: Path) -> float:
    times = [folder.stat().st_mtime]
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # a run at work adds and removes files
            times.append(file.stat().st_mtime)
    return max(times)
