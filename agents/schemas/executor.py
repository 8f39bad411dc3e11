"""What the executor answers: a hold, or intents with exact quantities."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agents.schemas.answer import Answer, InstrumentName, Share, Text
from trading.domain import OrderType, Side, TradeIntent


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
    order_type: Annotated[OrderType, Field(description="market or limit")]
    limit_price: Annotated[
        DecimalText | None, Field(description="Price of a limit order as a decimal string; null for a market order")
    ]
    reduce_only: Annotated[bool, Field(description="true: may shrink a position, never open or turn it")]
    good_for_rounds: Annotated[int, Field(ge=1, le=100, description="Rounds a limit order rests, 1 to 100")]
    reason: Annotated[str, Field(max_length=1000, description="Why, in one sentence")]

    @model_validator(mode="after")
    def _limit_has_a_price(self) -> Self:
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise ValueError("limit_price belongs to limit orders: give it with order_type limit, null with market")
        return self

    def intent(self) -> TradeIntent:
        """The intent in domain terms."""
        return TradeIntent(
            instrument=self.instrument,
            side=self.side,
            quantity=Decimal(self.quantity),
            order_type=self.order_type,
            limit_price=None if self.limit_price is None else Decimal(self.limit_price),
            reduce_only=self.reduce_only,
            good_for_rounds=self.good_for_rounds,
            reason=self.reason,
        )


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
