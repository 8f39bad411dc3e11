"""The floor at an instant, as frozen values: what pages show. Pages read a snapshot; they compute nothing."""

from dataclasses import dataclass

from arena.seasons.book_card import BookCard
from arena.seasons.forecast_board import ForecastBoard
from arena.seasons.portrait import DeskPortrait


@dataclass(frozen=True, slots=True, kw_only=True)
class LuckBand:
    """Quantiles of the returns of random traders along the season, as fractions. All of one length with ``ts_ms``."""

    ts_ms: tuple[int, ...]
    q05: tuple[float, ...]
    q25: tuple[float, ...]
    q75: tuple[float, ...]
    q95: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """An equity curve in the quote currency, decimated to at most 400 points."""

    ts_ms: tuple[int, ...]
    equity: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """An open position as shown.

    ``exits`` are the orders that guard it: ``("stop", price)``, ``("target", price)``, ``("trail", distance)``.
    """

    instrument: str
    quantity: str
    value: float
    average_price: float | None
    unrealised: float
    exits: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCard:
    """One desk. ``slot`` (0 to n) is its colour for ever. ``kind`` is llm, rule-based or person.

    Returns and drawdown are fractions; an interval is None where there is too little data.
    """

    slot: int
    name: str
    tag: str
    kind: str
    models: tuple[tuple[str, str], ...]
    status: str
    equity: float
    total_return: float
    return_ci95: tuple[float, float] | None
    max_drawdown: float
    sharpe: float | None
    sharpe_ci95: tuple[float, float] | None
    luck_percentile: float | None
    rank: int
    rank_last: int
    tied_with: tuple[str, ...]
    fees: float
    turnover: float
    decisions: int
    acted: int
    held: int
    abstained: int
    failovers: int
    refused_intents: int
    llm_calls: int
    usd: float | None
    brier_skill: float | None
    last_action: str
    last_action_ms: int | None
    positions: tuple[PositionRow, ...]
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictLine:
    """The gate's word on one intent, e.g. ``sell 2.4 SOL-USDT-PERP`` resized by ``max_order_value``."""

    intent: str
    ruling: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLine:
    """One tool call of a decision."""

    role: str
    tool: str
    arguments_json: str
    outcome: str
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCard:
    """One decision in the feed. All texts come from models: data to be shown inert."""

    decision_id: str
    desk: str
    slot: int
    kind: str
    ts_ms: int
    round_index: int
    status: str
    rationale: str
    abstain_reason: str | None
    confidence: float | None
    notes: tuple[tuple[str, str], ...]
    verdicts: tuple[VerdictLine, ...]
    tools: tuple[ToolLine, ...]
    prompt_hash: str
    llm_calls: int
    usd: float | None
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """A fill as shown."""

    ts_ms: int
    desk: str
    slot: int
    instrument: str
    side: str
    quantity: str
    price: float
    fee: float
    decision_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOdds:
    """How often each desk ended above each other one in joint resamples of the season, as fractions.

    ``ahead[row][column]`` for the desks ``names``; None on the diagonal and where there is too little data.
    """

    names: tuple[str, ...]
    ahead: tuple[tuple[float | None, ...], ...]
    resamples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastLine:
    """A desk's newest forecast of an instrument, made at ``ts_ms``; the quantiles are of the simple return."""

    ts_ms: int
    desk: str
    slot: int
    instrument: str
    horizon_s: int
    p_up: float
    q05: float
    q50: float
    q95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorSnapshot:
    """Everything the arena page shows, built once per round and shared by all viewers.

    ``status`` is starting, running, halted, finished, out of budget or failed; ``market`` is simulated or replay.
    ``memory_lost`` says why desks that have memory go without it, None where they do not. ``books`` are the order books
    that were seen last, of the instruments that have one.
    """

    version: int
    season: str
    run_id: str
    market: str
    mode: str
    status: str
    status_text: str
    as_of_ms: int
    start_ms: int
    end_ms: int
    round_index: int
    rounds: int
    step_ms: int
    capital: float
    instruments: tuple[str, ...]
    prices: tuple[tuple[str, float], ...]
    desks: tuple[DeskCard, ...]
    benchmark: Curve | None
    benchmark_name: str
    luck: LuckBand | None
    luck_traders: int
    decisions: tuple[DecisionCard, ...]
    trades: tuple[TradeRow, ...]
    breaker: str
    halt_reason: str | None
    published_ms: int
    memory_lost: str | None = None
    forecasts: ForecastBoard | None = None
    odds: PairOdds | None = None
    portraits: tuple[DeskPortrait, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()
    newest_forecasts: tuple[ForecastLine, ...] = ()
    books: tuple[BookCard, ...] = ()
