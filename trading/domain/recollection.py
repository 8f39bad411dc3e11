"""What a desk can remember, as frozen values: earlier decisions and what became of them, lessons, open plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The mean of ``n`` returns that lie apart in time.

    ``ci95`` is Student's interval, None below three. ``share_positive`` is the part of them above zero.
    """

    n: int
    mean: float
    ci95: tuple[float, float] | None
    share_positive: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeOutcome:
    """What became of a decision, after costs, known from ``closed_ms`` on.

    ``kind`` is ``"realised"`` (a position was opened and is closed), ``"counterfactual"`` (nothing was traded, or a
    position was left: what the side named would have brought over the horizon) or ``"missed"`` (an order that found no
    fill, measured the same way). ``net_return`` is a fraction of the entry's value; ``pnl`` is in the quote currency,
    None where no position was opened. ``lesson`` sets it against forecast and holding, in words,
    by rule. ``insight`` is what the desk's model wrote when it looked back, None where it wrote nothing by then.
    """

    kind: str
    net_return: float
    pnl: Decimal | None
    closed_ms: int
    lesson: str
    insight: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledEpisode:
    """An earlier decision on one instrument, with the journal event it rests on.

    ``side`` is +1 for long, -1 for short, 0 for neither. ``outcome`` and ``move`` (the instrument's return over the
    horizon from the decision) are None until they had closed before the reader's instant. ``text`` was written by a
    model and is not to be trusted.
    """

    episode_id: str
    decision_id: str
    event_seq: int
    event_hash: str
    desk: str
    instrument: str
    status: str
    side: int
    regime: str
    decided_ms: int
    similarity: float
    text: str
    outcome: EpisodeOutcome | None
    move: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What was found for one instrument: the nearest episodes, and how they and their like went.

    ``considered`` counts the episodes known at the instant, ``comparable`` those alike that lie apart in time. ``move``
    estimates the market's return over the horizon after comparable states, ``own`` the desk's net result of positions
    opened in them; both are None where nothing comparable has closed.
    """

    instrument: str
    regime: str | None
    horizon_ms: int
    considered: int
    comparable: int
    episodes: tuple[RecalledEpisode, ...]
    move: Estimate | None
    own: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A rule distilled from episodes, with its record.

    ``status`` is candidate, confirmed, rejected or retired. ``effect`` is the mean return of the evidence;
    ``evidence_for`` and ``evidence_against`` count independent stretches of time, not trades. ``p_value`` is that of
    the confirmation on later data, ``level`` what it had to stay under; both are None before it.
    """

    lesson_id: str
    rule: str
    about: str
    side: int
    status: str
    effect: float
    evidence_for: int
    evidence_against: int
    episodes: int
    regimes: Mapping[str, float]
    p_value: float | None
    level: float | None
    proposed_ms: int
    confirmed_ms: int | None
    retired_ms: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPlan:
    """A position that stands and what it was opened for.

    Prices are in the quote currency. ``target`` and ``stop`` are the forecast's outer quantiles at entry, None where
    the desk gave no forecast. ``standing`` says whether the plan holds: open, target reached, stop passed or overdue.
    """

    decision_id: str
    instrument: str
    side: int
    quantity: Decimal
    entry_price: Decimal
    opened_ms: int
    reason: str
    target: float | None
    stop: float | None
    invalidation: str
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRecord:
    """Closed positions of a desk in one group (an instrument and side, or a regime)."""

    group: str
    closed: int
    won: int
    pnl: Decimal
    net: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeCount:
    """How many episodes of a status a desk has, and of how many the outcome is known."""

    status: str
    episodes: int
    closed: int
