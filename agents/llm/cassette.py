"""A cassette: answers from what was recorded, and records what was not."""

import hashlib
from collections.abc import Callable
from typing import Literal

from agents.llm.cassette_miss import explain_miss
from agents.llm.cassette_store import CassetteStore
from agents.llm.outcome import Outcome
from agents.llm.purse import BUDGET_REASONS
from agents.llm.request import Complete, Completion, CompletionRequest
from trading.domain.errors import CassetteMiss, ModelFailure

Replayed = Callable[[CompletionRequest, Outcome], None]


class Cassette:
    """A link in the chain to the models: whole outcomes of ``inner``, failures included, kept by content.

    ``auto`` asks only for what is not recorded. ``record`` asks for everything once more. ``replay`` asks nobody, and
    raises CassetteMiss for what it does not have. The epoch in a request's key makes it unique in a season, so order
    and concurrency play no part; a request that is repeated all the same gets the same outcome again.

    ``replayed`` is told of outcomes that were not asked for now. ``terms`` are the limits under which ``inner`` refuses
    to ask: such a refusal counts only under the same terms, while answers count under any. Without ``keeps_failures``
    only answers are kept, so that what failed is asked anew.
    """

    def __init__(
        self,
        inner: Complete,
        store: CassetteStore,
        mode: Literal["record", "replay", "auto"],
        *,
        replayed: Replayed | None = None,
        terms: str = "",
        keeps_failures: bool = True,
    ) -> None:
        self._inner = inner
        self._store = store
        self._mode = mode
        self._replayed = replayed
        self._terms = terms
        self._keeps_failures = keeps_failures
        self._asked: set[str] = set()

    async def complete(self, request: CompletionRequest) -> Completion:
        """The recorded outcome of ``request``, or the one that ``inner`` has now. Raises ModelFailure, CassetteMiss."""
        key = request.cassette_key
        outcome = self._found(key)
        if outcome is None:
            outcome = await self._ask(key, request)
        elif self._replayed is not None:
            self._replayed(request, outcome)
        if isinstance(outcome, ModelFailure):
            raise outcome
        return outcome

    def _found(self, key: str) -> Outcome | None:
        if self._mode == "record" and key not in self._asked:
            return None
        refusal = self._store.find(self._refusal_key(key)) if self._terms else None
        return refusal or self._store.find(key)

    async def _ask(self, key: str, request: CompletionRequest) -> Outcome:
        if self._mode == "replay":
            raise CassetteMiss(explain_miss(self._store, request))
        try:
            outcome: Outcome = await self._inner(request)
        except ModelFailure as failure:
            if not self._keeps_failures:
                raise
            outcome = failure
        refused = isinstance(outcome, ModelFailure) and outcome.reason in BUDGET_REASONS
        anew = self._mode == "record" and key not in self._asked
        self._asked.add(key)
        return self._store.keep(self._refusal_key(key) if refused else key, request, outcome, replace=anew)

    def _refusal_key(self, key: str) -> str:
        return hashlib.sha256(f"{key}|{self._terms}".encode()).hexdigest()
