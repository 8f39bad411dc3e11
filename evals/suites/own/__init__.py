"""Decisions of one's own seasons, frozen as cases: what a desk did there once is asked again of every variant."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from evals.case import Case
from evals.suite import Suite
from evals.suites.decisions import SUITE as DECISIONS
from trading.domain.errors import ConfigError

_folders: list[Path] = []


def use_cases(folder: Path | None) -> None:
    """Read the cases of ``folder`` from now on and in this process; None for no folder."""
    _folders[:] = [] if folder is None else [folder]


def read_case(path: Path) -> Case:
    """A case from its file. Raises ConfigError in one line."""
    try:
        return Case.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"case {path}: {where}: {first['msg']}; mend it or move it away") from None
    except OSError as error:
        raise ConfigError(f"case {path}: cannot be read ({error.strerror})") from None


def _cases(data_root: Path | None) -> Sequence[Case]:
    cases = [read_case(path) for folder in _folders for path in sorted(folder.glob("*.json"))]
    return [case for case in cases if case.market.kind == "simulated" or data_root is not None]


SUITE = Suite(
    name="own",
    title="Decisions of one's own seasons, frozen as cases",
    cases=_cases,
    scorers=DECISIONS.scorers,
    primary=DECISIONS.primary,
)
