"""The gateway: one request in, one completion out, however many attempts, forms and declared fallbacks it takes.

It stays within the request's time, tells of every attempt, and never answers for a model that did not. An answer of
which a piece was heard is the only one: nothing is asked again after it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from time import monotonic

from agents.llm.catalogue import Catalogue
from agents.llm.failures import unanswered
from agents.llm.hedge import Latencies, hedged
from agents.llm.keys import is_rule_based
from agents.llm.limiter import Limiter
from agents.llm.request import Attempt, Complete, Completion, CompletionRequest
from agents.llm.retry import Retry
from agents.llm.shape import next_method
from trading.domain.errors import ModelFailure, ModelUnavailable

_FINAL = frozenset({"refused"})
"""Reasons that are a model's own answer: no other model is asked for it."""


@dataclass(slots=True, kw_only=True)
class _Errand:
    """A request on its way: until when (monotonic seconds), what was tried so far, and whether any of it was heard."""

    deadline_s: float
    draw: random.Random
    attempts: list[Attempt] = field(default_factory=list)
    was_heard: bool = False

    def listened(self, request: CompletionRequest) -> CompletionRequest:
        """``request``, with a note made of the first piece that whoever listens to it hears."""
        if (hear := request.hear) is None:
            return request

        def noted(piece: str) -> None:
            self.was_heard = True
            hear(piece)

        return replace(request, hear=noted)


class Gateway:
    """Answers requests through ``client``, with retries, hedging, failover and the limits of ``limiter``.

    Requests of house models go straight through. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        client: Complete,
        catalogue: Catalogue,
        limiter: Limiter,
        *,
        retry: Retry | None = None,
        latencies: Latencies | None = None,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._limiter = limiter
        self._retry = retry or Retry()
        self._latencies = latencies or Latencies()
        self._clock = clock
        self._sleep = sleep

    async def complete(self, request: CompletionRequest) -> Completion:
        """The answer of the model asked for, or of a declared fallback, which it then names.

        Raises the failure of the model asked for when none of them answers; its ``attempts`` tell of all.
        """
        if is_rule_based(request.model):
            return await self._client(request)
        errand = _Errand(
            deadline_s=self._clock() + request.timeout_s,
            draw=random.Random(request.cassette_key),  # noqa: S311
        )
        request = errand.listened(request)
        models = (request.model, *request.fallbacks)
        declined: ModelFailure | None = None
        for number, model in enumerate(models):
            # Every fallback keeps its share of the time: a model that hangs cannot use up theirs.
            left_s = errand.deadline_s - self._clock()
            until_s = self._clock() + left_s / (len(models) - number)
            try:
                completion = await self._from(replace(request, model=model), until_s, errand)
            except ModelFailure as failure:
                if errand.was_heard:  # half an answer stands there, and another one cannot take its place
                    declined = failure
                    break
                declined = declined or failure
                if failure.reason in _FINAL:
                    break
                continue
            substitute = model if number else None
            return replace(completion, attempts=tuple(errand.attempts), substitute=substitute)
        assert declined is not None
        declined.attempts = tuple(errand.attempts)
        raise declined

    async def _from(self, request: CompletionRequest, until_s: float, errand: _Errand) -> Completion:
        """One model's answer: again while that may help, in another form where the provider refuses this one."""
        made = 0
        while True:
            try:
                return await self._hedged(request, until_s, errand)
            except ModelFailure as failure:
                left_s = until_s - self._clock()
                if errand.was_heard:
                    raise
                if failure.reason == "bad_request" and left_s > 0 and (plainer := _plainer(request)) is not None:
                    request = plainer
                    continue
                made += 1
                wait_s = self._retry.wait_s(failure, made=made, left_s=left_s, draw=errand.draw)
                if wait_s is None:
                    raise
                await self._sleep(wait_s)

    async def _hedged(self, request: CompletionRequest, until_s: float, errand: _Errand) -> Completion:
        may_hedge = request.hedge and request.hear is None  # nobody can listen to two answers at once
        p95_s = self._latencies.p95_s(request.model) if may_hedge else None
        if p95_s is None:
            return await self._once(request, until_s, errand)
        return await hedged(lambda: self._once(request, until_s, errand), after_s=p95_s, sleep=self._sleep)

    async def _once(self, request: CompletionRequest, until_s: float, errand: _Errand) -> Completion:
        """A single attempt, on record whatever becomes of it."""
        started_s = self._clock()
        left_s = until_s - started_s
        sent = False
        try:
            if left_s <= 0:
                raise ModelUnavailable(f"{request.model}: no time left for another call", reason="timeout")
            async with self._place(request.model, left_s):
                sent = True
                started_s = self._clock()
                completion = await self._client(replace(request, timeout_s=until_s - started_s))
        except ModelFailure as failure:
            errand.attempts.append(_failed(request.model, failure, sent=sent, latency_s=self._clock() - started_s))
            raise
        except asyncio.CancelledError:
            overtaken = unanswered(request.model, "overtaken", billed=sent)
            errand.attempts.append(replace(overtaken, latency_ms=(self._clock() - started_s) * 1000))
            raise
        latency_s = self._clock() - started_s
        self._latencies.note(request.model, latency_s)
        errand.attempts.append(_answered(request.model, completion, latency_s))
        return completion

    def _place(self, model: str, within_s: float) -> AbstractAsyncContextManager[None]:
        if is_rule_based(model):
            return nullcontext()
        pace = self._catalogue.pace(model)
        return self._limiter.place(
            self._catalogue.lane(model),
            concurrency=pace.concurrency,
            requests_per_minute=pace.requests_per_minute,
            within_s=within_s,
        )


def _plainer(request: CompletionRequest) -> CompletionRequest | None:
    """``request`` in a form that may suit a provider which refuses it as it was sent; None after the last."""
    if request.hear is not None:
        return replace(request, hear=None)
    method = next_method(request)
    return None if method is None else replace(request, method=method)


def _answered(model: str, completion: Completion, latency_s: float) -> Attempt:
    return Attempt(
        model=model,
        outcome="ok",
        model_answered=completion.model_answered,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        usd=completion.usd,
        latency_ms=latency_s * 1000,
    )


def _failed(model: str, failure: ModelFailure, *, sent: bool, latency_s: float) -> Attempt:
    """The failed attempt as the client tells of it; what was not sent is not billed."""
    told = failure.attempts[-1] if failure.attempts else unanswered(model, failure.reason, billed=sent)
    return replace(told, latency_ms=latency_s * 1000)
