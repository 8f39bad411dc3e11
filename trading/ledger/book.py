"""The double-entry book: every movement has two sides, so nothing appears and nothing vanishes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from trading.domain.errors import JournalError
from trading.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount`` of ``commodity`` added to ``account``. A commodity is a currency, an asset or a contract."""

    account: str
    commodity: str
    amount: Decimal


def transfer(source: str, target: str, commodity: str, amount: Decimal) -> tuple[Posting, Posting]:
    """``amount`` moved from ``source`` to ``target``; a negative amount moves the other way."""
    return Posting(source, commodity, -amount), Posting(target, commodity, amount)


class Book:
    """Balances by account and commodity. The invariant: over all accounts, each commodity sums to zero."""

    def __init__(self) -> None:
        self._balances: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)

    def post(self, postings: Iterable[Posting]) -> None:
        """Book one transaction. Raises JournalError unless it balances in every commodity."""
        postings = tuple(postings)
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for posting in postings:
            sums[posting.commodity] += posting.amount
        if any(sums.values()):
            raise JournalError(f"transaction does not balance: {dict(sums)}; every amount needs its counterpart")
        for posting in postings:
            self._balances[posting.account, posting.commodity] += posting.amount

    def balance(self, account: str, commodity: str) -> Decimal:
        """What ``account`` holds of ``commodity``, zero when it never held any."""
        return self._balances.get((account, commodity), ZERO)

    @property
    def balances(self) -> Mapping[tuple[str, str], Decimal]:
        """Every balance by account and commodity."""
        return MappingProxyType(self._balances)

    def imbalance(self) -> dict[str, Decimal]:
        """Commodities whose accounts do not sum to zero, with the sum: empty unless the book is broken."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (_, commodity), amount in self._balances.items():
            sums[commodity] += amount
        return {commodity: amount for commodity, amount in sums.items() if amount}
