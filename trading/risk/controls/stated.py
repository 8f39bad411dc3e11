"""What the season's mode makes of the confidence that a desk states."""

from decimal import Decimal

from trading.domain.intent import TradeIntent
from trading.domain.money import ZERO
from trading.risk.controls.control import Finding, Scope, control
from trading.risk.controls.opening import split
from trading.risk.gate_state import GateState

COIN = Decimal("0.5")
"""A stated probability at which nothing is claimed."""


@control("confidence", stage=120, scope=Scope.DESK, unit="probability")
def confidence(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """What opens stands in full from the mode's confidence on; below it is cut or refused, as the mode says.

    An even bet with probability p of winning is worth the stake 2p - 1 (Kelly 1956): a cut leaves the share
    (p - 1/2) / (threshold - 1/2) of what would open, and at 1/2 nothing.
    """
    threshold = state.full_confidence
    if threshold is None or intent.confidence is None:
        return None
    stated = Decimal(repr(intent.confidence))
    if stated >= threshold:
        return None
    closing, opening = split(intent, quantity, state)
    if opening <= 0:
        return None
    share = ZERO
    if not state.refuses_doubt and stated > COIN:
        share = (stated - COIN) / (threshold - COIN)
    left = closing + state.instruments[intent.instrument].floor_quantity(opening * share)
    return Finding(
        rule="confidence",
        quantity=left,
        message=f"A confidence of {stated:.2f} was stated; the mode opens in full from {threshold:.2f}.",
        limit=threshold,
        value=stated,
        unit="probability",
    )
