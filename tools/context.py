"""What a tool may look at: the market view, the desk's account, its limits, and a preview of the gate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from trading.domain import AccountView, Instrument, LimitRow, TradeIntent, Verdict, iso
from trading.domain.errors import BadArguments
from trading.marketdata import MarketView

_T = TypeVar("_T")


class LimitsView(Protocol):
    """The desk's hard limits and their use at the instant of the view."""

    def rows(self) -> Sequence[LimitRow]:
        """One row a rule, in the order in which the gate applies them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Everything a tool call of one desk in one round can reach.

    ``preview`` rules on intents as the gate would, without sending anything: one verdict an intent, in order.
    ``memo`` is shared by all desks and roles of the round; only what follows from the market view alone goes in.
    """

    view: MarketView
    account: AccountView
    instruments: Mapping[str, Instrument]
    limits: LimitsView
    preview: Callable[[Sequence[TradeIntent]], Sequence[Verdict]]
    round_index: int
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

    def once(self, key: str, kind: type[_T], make: Callable[[], _T]) -> _T:
        """``make()``, computed once a round for ``key``. It must follow from the market view alone."""
        full_key = f"{self.view.as_of_ms}|{key}"
        found = self.memo.get(full_key)
        if not isinstance(found, kind):
            found = self.memo[full_key] = make()
        return found
