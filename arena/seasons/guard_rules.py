"""What guards a season beyond its limits, each off until its table asks: a look at the markets, and alerts."""

from arena.seasons.fields import Duration, Switch, Table
from trading.domain.instants import duration_ms


class BreakerTable(Table):
    """``[breakers]``: ``watch_market`` looks at volatility, anomalies and silence of every instrument, every round.

    It costs some milliseconds an instrument and round.
    """

    watch_market: Switch = False


class AlertTable(Table):
    """``[alerts]``: people are told of breakers, liquidations and patterns that paint the tape.

    A critical alert that nobody acknowledges within ``escalate_after``, by the wall clock, halts everything. A season
    whose alerts escalate depends on its people: it need not repeat.
    """

    escalate_after: Duration = "5m"

    @property
    def patience_ms(self) -> int:
        """The same in milliseconds."""
        return duration_ms(self.escalate_after)
