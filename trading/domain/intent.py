"""What a desk wants. An intent is never an order: the gate stands between the two."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.domain.instants import duration_text


class Side(StrEnum):
    """The direction of an intent, an order or a fill."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How an order wants to be filled.

    A stop, a take-profit and a trailing stop wait for their trigger and then take what the market offers; a stop-limit
    becomes a limit order when it is triggered.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"

    @property
    def has_limit(self) -> bool:
        """Whether it names a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT)

    @property
    def has_trigger(self) -> bool:
        """Whether it names a trigger price; a trailing stop derives its own."""
        return self in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT)

    @property
    def waits(self) -> bool:
        """Whether it does nothing until it is triggered."""
        return self.has_trigger or self is OrderType.TRAILING_STOP


class TimeInForce(StrEnum):
    """How long an order stands: to its expiry, until cancelled, or not at all beyond what fills on arrival."""

    GTD = "gtd"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class ExecutionStyle(StrEnum):
    """How a desk wants a quantity worked: at once; evenly in time; with the usual volume; or as a share of it."""

    NOW = "now"
    TWAP = "twap"
    VWAP = "vwap"
    POV = "pov"


LEAST_WINDOW_S, MOST_WINDOW_S = 60, 86_400
"""The shortest and the longest time over which an intent can ask to be worked, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeIntent:
    """A wish to trade ``quantity`` (base units, positive) of ``instrument``.

    A limit intent names its ``limit_price``; whatever rests does so for ``good_for_rounds`` rounds (GTD), until it is
    cancelled (GTC), or not at all (IOC keeps what fills at once, FOK takes all or nothing). A ``reduce_only`` intent
    can shrink a position, never open or turn it; a ``post_only`` one is refused rather than take. Stops and
    take-profits wait for ``trigger_price``; a trailing stop follows the best price since it arrived at a distance of
    ``trail``, a fraction of it. ``stop_loss`` and ``take_profit`` are a bracket: prices of two protective orders that
    follow the fill, of which one cancels the other. ``confidence`` is what the desk stated for the decision it belongs
    to, in [0, 1]; None where nothing was stated. Another ``style`` than now has a market or limit intent worked in
    parts over the ``window_s`` seconds from the decision on.
    """

    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    reduce_only: bool = False
    good_for_rounds: int = 1
    reason: str = ""
    time_in_force: TimeInForce = TimeInForce.GTD
    post_only: bool = False
    trigger_price: Decimal | None = None
    trail: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    confidence: float | None = None
    style: ExecutionStyle = ExecutionStyle.NOW
    window_s: int | None = None


MOST_TRAIL = Decimal("0.5")
"""The widest trailing distance, as a fraction of the price."""


def _is_price(value: Decimal) -> bool:
    return value.is_finite() and value > 0 and value.adjusted() <= 15


def shape_problem(intent: TradeIntent) -> str | None:
    """What does not fit together in an intent, in one sentence for who asked; None where all does."""
    kind = intent.order_type
    for name, value in (
        ("limit_price", intent.limit_price),
        ("trigger_price", intent.trigger_price),
        ("stop_loss", intent.stop_loss),
        ("take_profit", intent.take_profit),
    ):
        if value is not None and not _is_price(value):
            return f"{name} must be a positive price."
    if kind.has_limit != (intent.limit_price is not None):
        return "limit_price belongs to limit and stop-limit orders, and they need one."
    if kind.has_trigger != (intent.trigger_price is not None):
        return "trigger_price belongs to stop, stop-limit and take-profit orders, and they need one."
    if (kind is OrderType.TRAILING_STOP) != (intent.trail is not None):
        return "trail belongs to trailing stops, and they need one."
    if intent.trail is not None and not (intent.trail.is_finite() and 0 < intent.trail <= MOST_TRAIL):
        return f"trail is a fraction of the price above 0 and up to {MOST_TRAIL}."
    if intent.post_only and (kind is not OrderType.LIMIT or intent.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)):
        return "post_only belongs to limit orders that may rest."
    if kind.waits and intent.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return "An order that waits for a trigger cannot be IOC or FOK."
    return _style_problem(intent) or _bracket_problem(intent)


def _style_problem(intent: TradeIntent) -> str | None:
    if (intent.style is ExecutionStyle.NOW) != (intent.window_s is None):
        return "window_s belongs to intents that are worked (twap, vwap, pov), and they need one."
    if intent.window_s is None:
        return None
    if not LEAST_WINDOW_S <= intent.window_s <= MOST_WINDOW_S:
        return f"window_s is a time in seconds from {LEAST_WINDOW_S} to {MOST_WINDOW_S}."
    if intent.order_type.waits or intent.post_only or intent.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return "Only a plain market or limit order can be worked over a window."
    if intent.stop_loss is not None or intent.take_profit is not None:
        return "A bracket belongs to an order that goes at once, not to one that is worked over a window."
    return None


def style_payload(intent: TradeIntent) -> dict[str, Any]:
    """What the event of an intent holds of how it is worked: nothing for one that goes at once."""
    return {} if intent.window_s is None else {"style": intent.style.value, "window_s": intent.window_s}


def style_words(style: str, window_s: int) -> str:
    """How an intent is worked, for a person: ``twap over 4h``."""
    return f"{style} over {duration_text(1000 * window_s) if window_s > 0 else f'{window_s}s'}"


def _bracket_problem(intent: TradeIntent) -> str | None:
    stop, target = intent.stop_loss, intent.take_profit
    if stop is None and target is None:
        return None
    if intent.reduce_only or intent.order_type.waits:
        return "A bracket belongs to a market or limit order that opens a position."
    if stop is not None and target is not None and (target - stop) * intent.side.sign <= 0:
        return "stop_loss and take_profit stand on the wrong sides: a buy stops below and profits above."
    entry = intent.limit_price
    if entry is not None and (
        (stop is not None and (entry - stop) * intent.side.sign <= 0)
        or (target is not None and (target - entry) * intent.side.sign <= 0)
    ):
        return "stop_loss and take_profit must stand on either side of the limit price."
    return None
