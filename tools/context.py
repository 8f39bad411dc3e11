"""What a tool may look at: the market view, the desk's account, its limits, a preview of the gate, its memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from trading.domain import AccountView, Instrument, LimitRow, TradeIntent, Verdict, iso
from trading.domain.errors import BadArguments
from trading.domain.recollection import EpisodeCount, Lesson, OpenPlan, Recollection, TradeRecord
from trading.forecasting import ServedForecast
from trading.marketdata import MarketView

_T = TypeVar("_T")


@runtime_checkable
class KnowsStaleness(Protocol):
    """A market view of live data, which may have stopped to come."""

    def staleness(self, symbol: str) -> tuple[str, ...]:
        """What of the instrument is stale, and since when, in words; empty where all of it is fresh."""
        ...


class LimitsView(Protocol):
    """The desk's hard limits and their use at the instant of the view."""

    def rows(self) -> Sequence[LimitRow]:
        """One row a rule, in the order in which the gate applies them."""
        ...


class ChampionForecasts(Protocol):
    """The trained models that may speak in this season."""

    def forecast(self, view: MarketView, symbol: str, horizon_ms: int) -> ServedForecast | None:
        """The champion's forecast at the view's last bar; None where none may speak. Raises Unavailable."""
        ...


class Memory(Protocol):
    """The desk's trade memory as of the instant of the view: nothing that became known at or after it."""

    def similar(self, symbols: Sequence[str], text: str, count: int) -> Sequence[Recollection]:
        """For each instrument the episodes most like its state now, and how they went."""
        ...

    def lessons(self) -> Sequence[Lesson]:
        """Lessons that were confirmed and still hold."""
        ...

    def lesson_counts(self) -> Mapping[str, int]:
        """How many rules are candidates, confirmed, rejected and retired."""
        ...

    def record(self) -> Sequence[TradeRecord]:
        """Closed positions by group."""
        ...

    def counts(self) -> Sequence[EpisodeCount]:
        """Decisions by status."""
        ...

    def plans(self) -> Sequence[OpenPlan]:
        """What the open positions were opened for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Everything a tool call of one desk in one round can reach.

    ``preview`` rules on intents as the gate would, without sending anything: one verdict an intent, in order.
    Where ``champions`` is None or has none for an instrument and horizon, the statistical forecaster speaks.
    ``memo`` is shared by all desks and roles of the round; only what follows from the market view alone goes in.
    ``memory`` is None for a desk that has none, and says in words why it cannot be had where it should be there.
    """

    view: MarketView
    account: AccountView
    instruments: Mapping[str, Instrument]
    limits: LimitsView
    preview: Callable[[Sequence[TradeIntent]], Sequence[Verdict]]
    round_index: int
    champions: ChampionForecasts | None = None
    memory: Memory | str | None = None
    memo: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def as_of(self) -> str:
        """The instant of the view in ISO 8601."""
        return iso(self.view.as_of_ms)

    def chosen(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """The instruments asked for, without repeats; all of them for None or an empty list.

        Raises BadArguments when the market of the view does not have one.
        """
        symbols = self.view.symbols
        if not names:
            return symbols
        strangers = [name for name in names if name not in symbols]
        if strangers:
            raise BadArguments(
                f"{', '.join(strangers)}: not traded here; choose from {', '.join(symbols)}, spelled exactly so"
            )
        return tuple(dict.fromkeys(names))

    def stale(self, symbols: Sequence[str]) -> str | None:
        """What of ``symbols`` is stale and since when; None where all of it is fresh, or cannot be stale."""
        if not isinstance(self.view, KnowsStaleness):
            return None
        words = [each for symbol in symbols for each in self.view.staleness(symbol)]
        return f"not the present: {'; '.join(words)}" if words else None

    def once(self, key: str, kind: type[_T], make: Callable[[], _T]) -> _T:
        """``make()``, computed once a round for ``key``. It must follow from the market view alone."""
        full_key = f"{self.view.as_of_ms}|{key}"
        found = self.memo.get(full_key)
        if not isinstance(found, kind):
            found = self.memo[full_key] = make()
        return found
