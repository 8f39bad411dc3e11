"""What a season's models have cost so far, and what its budgets say to that: a fold, so that a replay says the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from agents.llm import BUDGET_REASONS, SEASON_BUDGET, Charge
from arena.seasons.budget_rules import BudgetRules
from arena.seasons.desk_rules import Desk
from arena.seasons.rules import SeasonRules
from trading.domain.event import Event, EventKind
from trading.domain.money import decimal_from_float, money_text
from trading.engine import Entrant

_USD_DIGITS = 9
"""A thousandth of the price of the cheapest token; what lies behind it is noise of adding floats."""

_STEPS = (EventKind.BUDGET_WARNED, EventKind.BUDGET_DEGRADED, EventKind.BUDGET_EXHAUSTED)


@dataclass(slots=True, kw_only=True)
class _Account:
    """A budget: of the season, or of ``desk``. ``taken`` are the steps on record, ``refused`` the calls not made."""

    desk: str | None
    desks: tuple[str, ...]
    usd: Decimal | None
    tokens: int | None
    spent: Charge = field(default_factory=Charge)
    refused: int = 0
    taken: set[EventKind] = field(default_factory=set)

    def fullest(self) -> tuple[str, Decimal, Decimal]:
        """The measure of which the greatest share is gone: its name, what is spent of it, and the limit."""
        measures = [("usd", self.spent.usd, self.usd), ("tokens", Decimal(self.spent.tokens), self.tokens)]
        limited = [(name, spent, Decimal(limit)) for name, spent, limit in measures if limit is not None]
        return max(limited, key=lambda measure: measure[1] / measure[2])


class Spending:
    """Follows the model calls of a run. :meth:`due` says what a budget demands next; the runner puts that on record.

    What was billed for a call that gave no answer is not known, and not counted here. ``llm_desks`` are the desks that
    a budget of the season concerns.
    """

    def __init__(self, rules: BudgetRules, desks: Sequence[Desk], llm_desks: Sequence[str]) -> None:
        self.rules = rules
        self._season = _Account(desk=None, desks=tuple(llm_desks), usd=rules.usd, tokens=rules.tokens)
        self._desks = {
            desk.name: _Account(desk=desk.name, desks=(desk.name,), usd=desk.budget_usd, tokens=desk.budget_tokens)
            for desk in desks
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        if event.kind is EventKind.MODEL_CALLED:
            own = self._desks[payload["desk"]]
            charge = _charge(payload)
            for account in (self._season, own):
                account.spent += charge
            if payload["outcome"] in BUDGET_REASONS:
                (self._season if payload["outcome"] == SEASON_BUDGET else own).refused += 1
        elif event.kind in _STEPS:
            self._account(payload).taken.add(event.kind)

    def due(self, ts_ms: int) -> Iterator[Event]:
        """What is to be put on record now: warnings, degradations, exhaustion, each once a budget."""
        for account in (self._season, *self._desks.values()):
            if account.usd is None and account.tokens is None:
                continue
            measure, spent, limit = account.fullest()
            for kind in self._reached(account, spent / limit):
                payload = {
                    "scope": "season" if account.desk is None else "desk",
                    "desk": account.desk,
                    "desks": list(account.desks),
                    "measure": measure,
                    "spent": money_text(round(spent, _USD_DIGITS)),
                    "limit": money_text(limit),
                }
                yield Event(ts_ms=ts_ms, kind=kind, payload=payload)

    def spent(self, desk: str | None) -> Charge:
        """What a desk has cost so far; the season without one."""
        return (self._season if desk is None else self._desks[desk]).spent

    @property
    def exhausted(self) -> bool:
        """Whether the season's budget ran out."""
        return EventKind.BUDGET_EXHAUSTED in self._season.taken

    def is_out(self, desk: str) -> bool:
        """Whether a desk's own budget ran out."""
        return EventKind.BUDGET_EXHAUSTED in self._desks[desk].taken

    def is_degraded(self, desk: str) -> bool:
        """Whether a desk goes on with cheaper models or fewer roles."""
        accounts = (self._season, self._desks[desk])
        return any(EventKind.BUDGET_DEGRADED in account.taken and desk in account.desks for account in accounts)

    def _reached(self, account: _Account, share: Decimal) -> Iterator[EventKind]:
        degrade = self.rules.degrade
        reached = {
            EventKind.BUDGET_WARNED: share >= self.rules.warn_at,
            EventKind.BUDGET_DEGRADED: degrade is not None and share >= degrade.at,
            EventKind.BUDGET_EXHAUSTED: account.refused > 0 or share >= 1,
        }
        return (kind for kind in _STEPS if reached[kind] and kind not in account.taken)

    def _account(self, payload: Any) -> _Account:
        return self._season if payload["scope"] == "season" else self._desks[payload["desk"]]


def _charge(payload: Any) -> Charge:
    usd = Decimal(0) if payload["usd"] is None else decimal_from_float(payload["usd"])
    return Charge(usd=usd, tokens=(payload["tokens_in"] or 0) + (payload["tokens_out"] or 0))


def spending_of(rules: SeasonRules, entrants: Sequence[Entrant]) -> Spending | None:
    """What follows the season's budgets, None where it has none."""
    if not rules.budget and not any(desk.limited for desk in rules.desks):
        return None
    llm = [entrant.desk for entrant in entrants if entrant.kind == "llm"]
    return Spending(rules.budget or BudgetRules(), rules.desks, llm)
