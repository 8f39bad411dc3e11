"""What the executor answers: a hold, or intents with exact quantities."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agents.schemas.answer import Answer, InstrumentName, Share, Text
from tools.schema import OFFERED_WITH
from trading.domain import ExecutionStyle, OrderType, Side, TimeInForce, TradeIntent, shape_problem


class Action(StrEnum):
    """Whether anything is to be traded."""

    TRADE = "trade"
    HOLD = "hold"


def _positive(text: str) -> str:
    if Decimal(text) <= 0:
        raise ValueError("must be above zero")
    return text


DecimalText = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$"), AfterValidator(_positive)]
"""A positive amount in plain digits: no sign, no exponent, so neither NaN nor 1e30 gets further than here."""


class IntentAnswer(Answer):
    """One change of a position."""

    instrument: InstrumentName
    side: Annotated[Side, Field(description="buy or sell")]
    quantity: Annotated[DecimalText, Field(description='Base units as a plain decimal string, such as "0.25"')]
    order_type: Annotated[OrderType, Field(description="market, limit, stop, stop_limit, take_profit or trailing_stop")]
    limit_price: Annotated[
        DecimalText | None,
        Field(description="Price of a limit or stop_limit order as a decimal string; null for the others"),
    ]
    reduce_only: Annotated[bool, Field(description="true: may shrink a position, never open or turn it")]
    good_for_rounds: Annotated[int, Field(ge=1, le=100, description="Rounds an order rests, 1 to 100")]
    reason: Annotated[str, Field(max_length=1000, description="Why, in one sentence")]

    time_in_force: Annotated[
        TimeInForce,
        Field(description="gtd: good_for_rounds counts; gtc: until cancelled; ioc: fill at once; fok: all or none"),
    ] = TimeInForce.GTD
    post_only: Annotated[bool, Field(description="true: a limit order that is refused rather than take")] = False
    trigger_price: Annotated[
        DecimalText | None,
        Field(description="Where a stop, stop_limit or take_profit wakes; null for the others"),
    ] = None
    trail: Annotated[
        DecimalText | None,
        Field(description='Distance of a trailing stop as a fraction of the price, such as "0.02"; else null'),
    ] = None
    stop_loss: Annotated[
        DecimalText | None, Field(description="Price that closes what this order opens at a loss; null for none")
    ] = None
    take_profit: Annotated[
        DecimalText | None, Field(description="Price that closes what this order opens at a gain; null for none")
    ] = None
    style: Annotated[
        ExecutionStyle,
        Field(
            description="now, or over window_s: twap evenly, vwap with the usual volume, pov a tenth of it at most",
            json_schema_extra={OFFERED_WITH: "working"},
            exclude_if=lambda value: value is ExecutionStyle.NOW,
        ),
    ] = ExecutionStyle.NOW
    window_s: Annotated[
        int | None,
        Field(
            description="Seconds over which a worked order leaves, 60 to 86400; null for one that goes now",
            json_schema_extra={OFFERED_WITH: "working"},
            exclude_if=lambda value: value is None,
        ),
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = shape_problem(self.intent())
        if problem is not None:
            raise ValueError(problem)
        return self

    def intent(self) -> TradeIntent:
        """The intent in domain terms."""
        return TradeIntent(
            instrument=self.instrument,
            side=self.side,
            quantity=Decimal(self.quantity),
            order_type=self.order_type,
            limit_price=_decimal(self.limit_price),
            reduce_only=self.reduce_only,
            good_for_rounds=self.good_for_rounds,
            reason=self.reason,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            trigger_price=_decimal(self.trigger_price),
            trail=_decimal(self.trail),
            stop_loss=_decimal(self.stop_loss),
            take_profit=_decimal(self.take_profit),
            style=self.style,
            window_s=self.window_s,
        )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


class ExecutorDecision(Answer):
    """The executor's decision."""

    action: Annotated[Action, Field(description="trade or hold")]
    intents: Annotated[tuple[IntentAnswer, ...], Field(max_length=50, description="Empty when the action is hold")]
    confidence: Annotated[Share, Field(description="Probability that this turns out better than holding, 0 to 1")]
    rationale: Annotated[Text, Field(description="Two or three sentences that can be checked")]

    @model_validator(mode="after")
    def _action_fits(self) -> Self:
        if (self.action is Action.TRADE) != bool(self.intents):
            raise ValueError("action trade needs at least one intent, action hold needs none")
        return self
