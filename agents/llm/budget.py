"""Budgets kept before the money is spent: a call is sent only when the most it can cost still fits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from time import monotonic

from pydantic_core import to_json

from agents.llm.ceiling import Ceilings, price_ceiling
from agents.llm.outcome import Outcome
from agents.llm.purse import DESK_BUDGET, NOTHING, SEASON_BUDGET, Charge, Purse
from agents.llm.request import Attempt, Complete, Completion, CompletionRequest
from trading.domain.errors import ModelFailure, ModelUnavailable
from trading.domain.money import decimal_from_float

MOST_OUTPUT_TOKENS = 8_192
"""What an answer is taken to have at most where the request sets no bound."""

LEAST_OUTPUT_TOKENS = 1_024
"""A call is refused rather than given less room for its answer than this."""

_UNSEEN_TOKENS = 512
"""What providers add to a prompt out of sight: framing of messages and tools."""


class Budget:
    """A link in the chain to the models that holds the purses of the season and of its desks.

    Before a call goes to ``inner`` the most it can cost is held in both purses: the prompt's size, the bound of the
    answer and the dearest rates. A call that fits only once others have come back waits for them; one that will not fit
    is given less room for its answer, and refused below :data:`LEAST_OUTPUT_TOKENS`. What was really billed is
    booked then; where that is not known, the most it can have been.

    A call whose model has no known price counts towards tokens only.
    """

    def __init__(
        self,
        inner: Complete,
        *,
        season: Purse | None,
        desks: Mapping[str, Purse],
        ceilings: Ceilings = price_ceiling,
    ) -> None:
        self._inner = inner
        self._season = season
        self._desks = desks
        self._ceilings = ceilings
        self._density: dict[str, float] = {}
        self._returned = asyncio.Event()
        self._booked: set[str] = set()

    @property
    def terms(self) -> str:
        """Every limit in words: what a refusal depends on."""
        purses = [*([self._season] if self._season else []), *self._desks.values()]
        return "; ".join(purse.terms for purse in purses)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask ``inner`` within the budgets. Raises ModelFailure, for a refusal with a reason of BUDGET_REASONS."""
        purses = self._of_desk(request.metadata.get("desk", ""))
        if not purses:
            return await self._inner(request)
        size, started = _prompt_bytes(request), monotonic()
        self._booked.add(request.cassette_key)
        sent, promised = await self._admitted(request, size, purses)
        billed = promised  # cancelled in flight, nobody knows what it cost
        try:
            completion = await self._inner(replace(sent, timeout_s=request.timeout_s - (monotonic() - started)))
            billed = self._billed(request, size, completion)
        except ModelFailure as failure:
            billed = self._billed(request, size, failure)
            raise
        finally:
            for purse in purses:
                purse.held -= promised
                purse.spent += billed
            self._returned.set()
            self._returned = asyncio.Event()
        return completion

    def book(self, request: CompletionRequest, outcome: Outcome) -> None:
        """Count an outcome that was recorded earlier; the same one is counted once."""
        self.book_recorded(request.cassette_key, request.metadata.get("desk", ""), outcome)

    def book_recorded(self, key: str, desk: str, outcome: Outcome) -> None:
        """Count the outcome recorded under ``key`` for ``desk``."""
        if key in self._booked:
            return
        self._booked.add(key)
        charges = [self._known(attempt) for attempt in attempts_of(outcome)]
        for purse in self._of_desk(desk):
            purse.spent += sum(charges, NOTHING)

    def _of_desk(self, desk: str) -> Sequence[Purse]:
        own = self._desks.get(desk)
        return [purse for purse in (self._season, own) if purse is not None]

    # -- before a call -----------------------------------------------------------------------------------------------

    async def _admitted(
        self, request: CompletionRequest, size: int, purses: Sequence[Purse]
    ) -> tuple[CompletionRequest, Charge]:
        """The request, with less room for its answer where need be, and what is held for it."""
        promised = self._most(request, size)
        try:
            async with asyncio.timeout(request.timeout_s):
                while not all(purse.has_room(promised) for purse in purses):
                    if all(purse.held == NOTHING for purse in purses):
                        request = self._shortened(request, size, purses)
                    else:
                        await self._returned.wait()
                    promised = self._most(request, size)
        except TimeoutError:
            raise ModelUnavailable(f"{request.model}: no room in the budget in time", reason="timeout") from None
        for purse in purses:
            purse.held += promised
        return request, promised

    def _shortened(self, request: CompletionRequest, size: int, purses: Sequence[Purse]) -> CompletionRequest:
        """The request with an answer short enough for what is left. Raises ModelFailure where that is too short."""
        tight = min(purses, key=lambda purse: self._room(request, size, purse))
        room = self._room(request, size, tight)
        if room >= LEAST_OUTPUT_TOKENS:
            return replace(request, max_tokens=room)
        reason = SEASON_BUDGET if tight is self._season else DESK_BUDGET
        least = self._most(replace(request, max_tokens=LEAST_OUTPUT_TOKENS), size)
        raise ModelFailure(
            f"the {tight.terms} has no room for another call of {request.model}: {tight.spent.words} spent, "
            f"and the call may take {least.words}",
            reason=reason,
            attempts=(Attempt(model=request.model, outcome=reason, tokens_in=0, tokens_out=0, usd=0.0),),
        )

    def _room(self, request: CompletionRequest, size: int, purse: Purse) -> int:
        """How many tokens an answer may have so that the call fits in what is left."""
        copies = _copies(request)
        prompt = self._most(replace(request, max_tokens=0), size)
        usd, tokens = purse.left()
        room = _most_output(request)
        if tokens is not None:
            room = min(room, (tokens - prompt.tokens) // copies)
        rates = [self._ceilings(model, prompt.tokens // copies) for model in _models(request)]
        rate = max((ceiling.usd_out for ceiling in rates if ceiling is not None), default=Decimal(0))
        if usd is not None and prompt.usd > usd:
            return -1
        if usd is not None and rate:
            room = min(room, int(((usd - prompt.usd) / copies / rate).to_integral_value(ROUND_FLOOR)))
        return room

    def _most(self, request: CompletionRequest, size: int) -> Charge:
        """The most that a call can cost, with its hedge, on the dearest of its models."""
        each = [self._most_of(request, size, model) for model in _models(request)]
        copies = _copies(request)
        return Charge(
            usd=copies * max(charge.usd for charge in each), tokens=copies * max(charge.tokens for charge in each)
        )

    def _most_of(self, request: CompletionRequest, size: int, model: str) -> Charge:
        # At most one token a byte; twice the density that was seen, once one was.
        prompt = int(size * 2 * self._density.get(model, 0.5)) + _UNSEEN_TOKENS
        answer = _most_output(request)
        ceiling = self._ceilings(model, prompt)
        usd = Decimal(0) if ceiling is None else prompt * ceiling.usd_in + answer * ceiling.usd_out
        return Charge(usd=usd, tokens=prompt + answer)

    # -- after a call ------------------------------------------------------------------------------------------------

    def _billed(self, request: CompletionRequest, size: int, outcome: Outcome) -> Charge:
        total = NOTHING
        for attempt in attempts_of(outcome):
            model = attempt.model or request.model
            if attempt.tokens_in:
                self._density[model] = max(attempt.tokens_in / size, self._density.get(model, 0.0))
            most, known = self._most_of(request, size, model), self._known(attempt)
            total += Charge(
                usd=most.usd if attempt.usd is None else known.usd,
                tokens=most.tokens if attempt.tokens_in is None else known.tokens,
            )
        return total

    def _known(self, attempt: Attempt) -> Charge:
        usd = Decimal(0) if attempt.usd is None else decimal_from_float(attempt.usd)
        return Charge(usd=usd, tokens=(attempt.tokens_in or 0) + (attempt.tokens_out or 0))


def attempts_of(outcome: Outcome) -> tuple[Attempt, ...]:
    """What was tried. An answer without a list was the only attempt, at the model asked for; a failure without one
    was not sent.
    """
    if outcome.attempts or isinstance(outcome, ModelFailure):
        return outcome.attempts
    return (
        Attempt(
            model="",
            outcome="ok",
            model_answered=outcome.model_answered,
            tokens_in=outcome.tokens_in,
            tokens_out=outcome.tokens_out,
            usd=outcome.usd,
        ),
    )


def _models(request: CompletionRequest) -> tuple[str, ...]:
    return (request.model, *request.fallbacks)


def _copies(request: CompletionRequest) -> int:
    return 2 if request.hedge else 1


def _most_output(request: CompletionRequest) -> int:
    return MOST_OUTPUT_TOKENS if request.max_tokens is None else request.max_tokens


def _prompt_bytes(request: CompletionRequest) -> int:
    return sum(len(to_json(part)) for part in (request.messages, request.tools, request.response_format))
