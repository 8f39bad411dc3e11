"""An anomaly: what was seen at a bar, how far out of the ordinary it is, and what speaks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How much it matters; comparable."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """``info``, ``warning`` or ``critical``."""
        return self.name.lower()


class Kind(StrEnum):
    """Whose anomaly it is. ``UNCONFIRMED``: nothing but the price itself speaks for it, it may be either."""

    MARKET = "market move"
    FAULT = "data fault"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """Lengths in bars and lines of alarm.

    ``window`` is what a bar is compared with, the bars before it. ``levels`` are the robust deviations of info, warning
    and critical. ``ewma_weight`` with ``ewma_limit`` and ``cusum_slack`` with ``cusum_limit`` are the constants of the
    control charts, in standard deviations; as given, they alarm once in about 500 and 465 bars of noise (Lucas and
    Saccucci 1990; Montgomery, Introduction to Statistical Quality Control, the table of tabular CUSUM).
    """

    window: int = 240
    recent: int = 60
    levels: tuple[float, float, float] = (4.5, 6.0, 10.0)
    ewma_weight: float = 0.1
    ewma_limit: float = 2.814
    cusum_slack: float = 0.5
    cusum_limit: float = 5.0
    forest_refit: int = 168
    seed: int = 0

    def __post_init__(self) -> None:
        if self.window < 60 or not 20 <= self.recent <= self.window:
            raise ValueError("a window needs at least 60 bars, and the recent part 20 of them")
        if list(self.levels) != sorted(self.levels) or self.levels[0] <= 0:
            raise ValueError("levels must be positive and rise")

    @property
    def history_bars(self) -> int:
        """How many bars the last bar is judged well with: the forest's fits and their calibration."""
        return 3 * self.window + self.forest_refit + 1

    def severity(self, score: float) -> Severity | None:
        """The severity of a robust deviation, either sign; None below the first line."""
        reached = sum(abs(score) >= level for level in self.levels)
        return Severity(reached) if reached else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """Seen at the close of the bar that opens at ``open_ms``, and known from then on.

    ``what`` is such as ``price``, ``volume``, ``spread``, ``correlation``, ``shape`` (the forest) or the name of a
    fault. ``method`` found it; ``score`` is in that method's own unit, which ``evidence`` explains in numbers.
    """

    open_ms: int
    kind: Kind
    what: str
    method: str
    severity: Severity
    score: float
    evidence: Mapping[str, float]
