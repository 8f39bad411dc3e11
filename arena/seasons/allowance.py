"""What the floor's assistant may spend on its model: dollars and tokens a day, questions a minute."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic

from agents.llm import Budget, Complete, Purse
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError

_DAY_MS = 86_400_000
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceRules:
    """The bounds. A call whose model has no known price counts towards tokens only."""

    usd_a_day: Decimal = Decimal(1)
    tokens_a_day: int = 2_000_000
    questions_a_minute: int = 12


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Counts against the rules while the process lives, by days of UTC; a call that is on its way counts for its day.

    ``complete`` is the road to models. Asked on one loop alone.
    """

    rules: AllowanceRules
    complete: Complete
    clock: Clock = field(default_factory=SystemClock)
    now_s: Callable[[], float] = monotonic
    _day: int = -1
    _today: Budget | None = None
    _left: float = -1.0
    _then_s: float = 0.0

    def road(self) -> Complete:
        """The road to models within what is left of today."""
        day = self.clock.now_ms() // _DAY_MS
        if self._today is None or day != self._day:
            purse = Purse("assistant's daily", usd=self.rules.usd_a_day, tokens=self.rules.tokens_a_day)
            self._day, self._today = day, Budget(self.complete, season=purse, desks={})
        return self._today.complete

    def take_question(self) -> None:
        """Count a question. Raises RequestError where there were too many in the last minute."""
        most, now_s = self.rules.questions_a_minute, self.now_s()
        gained = most if self._left < 0 else (now_s - self._then_s) * most / _MINUTE_S
        self._left, self._then_s = min(most, max(self._left, 0.0) + gained), now_s
        if self._left < 1:
            raise RequestError(f"its model was asked {most} questions within a minute, which is all it may be")
        self._left -= 1
