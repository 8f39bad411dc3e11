"""The tool that proposes orders. It asks the gate; nothing is sent."""

from typing import Annotated, ClassVar

from pydantic import Field

from tools.context import ToolContext
from tools.market import Symbol
from tools.numbers import PositiveDecimal, quotient_text
from tools.schema import OFFERED_WITH
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import ExecutionStyle, OrderType, Side, TimeInForce, TradeIntent, money_text, shape_problem
from trading.domain.errors import BadArguments


class ProposedOrder(Args):
    """One order as the desk would like it."""

    instrument: Symbol
    side: Side
    quantity: Annotated[PositiveDecimal, Field(description="Base units, positive, as a decimal text.")]
    order_type: OrderType = OrderType.MARKET
    limit_price: Annotated[PositiveDecimal | None, Field(description="Of limit and stop_limit, which need it.")] = None
    reduce_only: Annotated[bool, Field(description="May shrink a position, never open or turn it.")] = False
    reason: Annotated[str, Field(max_length=500)] = ""

    time_in_force: TimeInForce = TimeInForce.GTD
    post_only: Annotated[bool, Field(description="Refused rather than take.")] = False
    trigger_price: Annotated[
        PositiveDecimal | None, Field(description="Of stop, stop_limit and take_profit, which need it.")
    ] = None
    trail: Annotated[
        PositiveDecimal | None, Field(description="For trailing_stop: distance as a fraction of the price.")
    ] = None
    stop_loss: Annotated[PositiveDecimal | None, Field(description="Closes what this order opens, at a loss.")] = None
    take_profit: Annotated[PositiveDecimal | None, Field(description="Closes what this order opens, at a gain.")] = None
    style: Annotated[
        ExecutionStyle,
        Field(
            description="Other than now it is worked in parts over window_s.",
            json_schema_extra={OFFERED_WITH: "working"},
        ),
    ] = ExecutionStyle.NOW
    window_s: Annotated[
        int | None,
        Field(
            description="Seconds; of an order that is worked, which needs it.",
            json_schema_extra={OFFERED_WITH: "working"},
        ),
    ] = None

    def intent(self) -> TradeIntent:
        """The order as an intent. Raises BadArguments where its prices and conditions do not fit its type."""
        intent = TradeIntent(
            instrument=self.instrument,
            side=self.side,
            quantity=self.quantity,
            order_type=self.order_type,
            limit_price=self.limit_price,
            reduce_only=self.reduce_only,
            reason=self.reason,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            trigger_price=self.trigger_price,
            trail=self.trail,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            style=self.style,
            window_s=self.window_s,
        )
        problem = shape_problem(intent)
        if problem is not None:
            raise BadArguments(f"{self.instrument}: {problem}")
        return intent


class ProposalArgs(Args):
    """The orders of one proposal; the gate looks at them together, in this order."""

    orders: Annotated[list[ProposedOrder], Field(min_length=1, max_length=20)]


class VerdictRow(Row):
    """What the gate would do with one order, and by which rule. Limit and value are in ``unit``."""

    instrument: str
    side: str
    ruling: str
    rule: str
    limit: str | None
    value: str | None
    unit: str
    quantity_before: str
    quantity_after: str
    message: str


class Verdicts(Result):
    """One verdict an order."""

    bulk: ClassVar[str | None] = "verdicts"

    verdicts: list[VerdictRow]


@tool(effect=Effect.PROPOSE)
def propose_order(args: ProposalArgs, context: ToolContext) -> Verdicts:
    """Ask the gate what it would do with these orders. Nothing is traded: only your final answer is carried out.

    ruling: allowed, resized (quantity_after is what would pass) or refused, with the rule, its limit and the value that
    was found. Leave an order that is refused out of your answer, or change what the rule objects to.
    """
    context.chosen([order.instrument for order in args.orders])
    intents = [order.intent() for order in args.orders]
    rows = [
        VerdictRow(
            instrument=intent.instrument,
            side=intent.side,
            ruling=verdict.ruling,
            rule=verdict.rule,
            limit=None if verdict.limit is None else quotient_text(verdict.limit),
            value=None if verdict.value is None else quotient_text(verdict.value),
            unit=verdict.unit,
            quantity_before=money_text(verdict.quantity_before),
            quantity_after=money_text(verdict.quantity_after),
            message=verdict.message,
        )
        for intent, verdict in zip(intents, context.preview(intents), strict=True)
    ]
    return Verdicts(as_of=context.as_of, source="gate", verdicts=rows)
