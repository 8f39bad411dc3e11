"""Asking an exchange: what may be asked again, how long to wait, and what is said when it stays silent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trading.domain.errors import RequestError, SourceUnavailable

Sleep = Callable[[float], Awaitable[None]]

MALFORMED = (AttributeError, TypeError, KeyError, IndexError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from ``first_s`` up to ``cap_s``, each with full jitter: uniform between 0 and the wait.

    Full jitter keeps many readers of one exchange from coming back in step (M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015).
    """

    first_s: float = 0.5
    cap_s: float = 30.0
    tries: int = 6

    def wait_s(self, attempt: int, rng: np.random.Generator) -> float:
        """The wait after failed attempt number ``attempt``, counted from 0."""
        return float(rng.uniform(0.0, min(self.cap_s, self.first_s * 2.0 ** min(attempt, 30))))


@dataclass(slots=True, kw_only=True)
class Caller:
    """Asks one exchange, with patience. ``retries`` counts what had to be asked again, ``limited`` the 429 and 418."""

    exchange: Any
    backoff: Backoff = field(default_factory=Backoff)
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    sleep: Sleep = asyncio.sleep
    retries: int = 0
    limited: int = 0

    async def ask(
        self, what: str, request: Callable[[], Awaitable[Any]], *, accept: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """The answer to ``request``, asked again while the exchange may yet answer.

        None, and what ``accept`` does not take, are no answer. A rate limit (429) and a ban (418) wait as long as
        ``Retry-After`` says. Raises SourceUnavailable when every try failed, RequestError when the exchange refuses
        what was asked.
        """
        import ccxt

        last = ""
        for attempt in range(self.backoff.tries):
            try:
                answer = await request()
                if answer is not None and accept(answer):
                    return answer
                last, pause = "an answer with nothing in it", 0.0
            except (ccxt.DDoSProtection, ccxt.RateLimitExceeded) as error:
                self.limited += 1
                last = _words(error)
                pause = self.asked_to_wait_s()
            except ccxt.NotSupported as error:
                raise RequestError(f"{self.exchange.id} does not serve {what}: {_words(error)}") from None
            except ccxt.OperationFailed as error:  # network, timeout, maintenance, a body that is no JSON
                last, pause = _words(error), 0.0
            except ccxt.BaseError as error:
                raise RequestError(f"{self.exchange.id} refused {what}: {_words(error)}") from None
            except MALFORMED as error:  # ccxt's parsers meet a body of another shape, such as a page of HTML
                last, pause = f"a body that cannot be read ({type(error).__name__})", 0.0
            if attempt + 1 < self.backoff.tries:
                self.retries += 1
                await self.sleep(pause + self.backoff.wait_s(attempt, self.rng))
        raise SourceUnavailable(
            f"{self.exchange.id} did not give {what} in {self.backoff.tries} tries, last: {last}; try again later"
        )

    def asked_to_wait_s(self) -> float:
        """The ``Retry-After`` of the last answer; 0 where it had none."""
        headers = self.exchange.last_response_headers or {}
        for name, value in headers.items():
            if name.lower() == "retry-after":
                try:
                    return min(max(float(value), 0.0), 3600.0)
                except ValueError:
                    return 0.0
        return 0.0


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
