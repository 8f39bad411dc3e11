"""The gate: the deterministic control that every intent passes before it can become an order.

The controls stand in order in ``trading.risk.controls``; each may let an intent through, cut it down or refuse it.
The gate knows prices, accounts and limits; it knows nothing of models and cannot be talked to.
"""

from collections.abc import Sequence
from decimal import localcontext

from trading.domain.intent import TradeIntent
from trading.domain.money import EXACT, ZERO
from trading.domain.verdict import Ruling, Verdict
from trading.risk.controls import CONTROLS, Finding
from trading.risk.gate_state import GateState


class Gate:
    """Rules on intents one after the other. The same state and intents always give the same verdicts."""

    def rule(self, intents: Sequence[TradeIntent], state: GateState) -> list[Verdict]:
        """One verdict for each intent, in order. ``state`` is moved on by what is allowed."""
        with localcontext(EXACT):
            return [self._rule(intent, state) for intent in intents]

    def _rule(self, intent: TradeIntent, state: GateState) -> Verdict:
        quantity = intent.quantity
        cut: Finding | None = None
        for control in CONTROLS:
            finding = control.check(intent, quantity, state)
            if finding is None:
                continue
            if finding.quantity <= 0:
                return _verdict(Ruling.REFUSED, intent, finding)
            quantity, cut = finding.quantity, finding
        state.commit(intent, quantity)
        if cut is None:
            return Verdict(ruling=Ruling.ALLOWED, quantity_before=quantity, quantity_after=quantity)
        return _verdict(Ruling.RESIZED, intent, cut)


def _verdict(ruling: Ruling, intent: TradeIntent, finding: Finding) -> Verdict:
    return Verdict(
        ruling=ruling,
        quantity_before=intent.quantity,
        quantity_after=finding.quantity if ruling is Ruling.RESIZED else ZERO,
        rule=finding.rule,
        limit=finding.limit,
        value=finding.value,
        unit=finding.unit,
        message=finding.message,
    )
