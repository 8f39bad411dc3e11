"""Standing stops by volatility: the policy that keeps a stop and a target under every position of every desk."""

from trading.domain.event import Event, EventKind
from trading.domain.position import Position
from trading.engine.protection import ProtectiveLevels
from trading.engine.setup import Setup
from trading.ledger.ledger import Ledger
from trading.marketdata.tape import Tape
from trading.marketdata.view import MarketView, TapeView
from trading.risk import stops as risk_stops


class StandingStops:
    """The levels of :func:`trading.risk.stops.all_protective_levels`, moved on at every mark of a round.

    A fold over the journal, beside the ledger that has seen the same events: after a restart the stops stand where they
    stood, and none was loosened by forgetting how far it had come.
    """

    def __init__(self, tape: Tape, ledger: Ledger, setup: Setup, rules: risk_stops.StopRules) -> None:
        self._tape = tape
        self._ledger = ledger
        self._setup = setup
        self._rules = rules
        self._levels: dict[str, dict[str, risk_stops.ProtectiveLevels]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in: a round's marks move the levels on, and a position that is closed takes its own along."""
        if event.kind is EventKind.FILLED:
            self._forget_closed(event.payload["desk"], event.payload["instrument"])
        if event.kind is not EventKind.MARKED or event.payload["round"] is None:
            return
        view = TapeView(self._tape, event.ts_ms)
        for desk, account in self._ledger.accounts.items():
            self._levels[desk] = risk_stops.all_protective_levels(
                account.positions, view, self._setup.instruments, self._levels.get(desk, {}), rules=self._rules
            )

    def _forget_closed(self, desk: str, instrument: str) -> None:
        """Opened anew before the next mark, a position begins with levels of its own."""
        if instrument not in self._ledger.accounts[desk].positions:
            self._levels.get(desk, {}).pop(instrument, None)

    def levels(self, desk: str, position: Position, view: MarketView) -> ProtectiveLevels | None:
        """Where the position is to be closed; see :class:`~trading.engine.protection.ProtectionPolicy`."""
        found = self._levels.get(desk, {}).get(position.instrument)
        return None if found is None else ProtectiveLevels(stop=found.stop, take_profit=found.take_profit)
