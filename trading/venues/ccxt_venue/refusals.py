"""From the errors of ccxt to ours. What surely was not done is a rejection; all else is unknown and has to be asked."""

from trading.domain.errors import OrderRejected, UnknownOrderState, VenueError
from trading.domain.reject import RejectCode
from trading.marketdata.exchange.calls import MALFORMED
from trading.venues.ccxt_venue.facts import VenueFacts

WORDS = 200


def failures() -> tuple[type[Exception], ...]:
    """What a request through ccxt may raise, its parsers met by a body of another shape among it."""
    import ccxt

    return (ccxt.BaseError, OSError, *MALFORMED)


def is_gone(error: Exception, facts: VenueFacts) -> bool:
    """Whether the exchange says that it knows no such order that stands."""
    import ccxt

    return isinstance(error, ccxt.OrderNotFound) or any(text in str(error) for text in facts.gone)


def is_limit(error: Exception) -> bool:
    """Whether the exchange had too many requests (429, 418) and acted on none."""
    import ccxt

    return isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded)


def our_error(error: Exception, facts: VenueFacts, what: str) -> VenueError:
    """What an error of ccxt means for the request ``what``.

    A timeout, a lost connection, a 5xx, maintenance and everything that is not understood leave the order unknown:
    to ask costs little. A rate limit, a refused timestamp and the exchange's own refusals are final: it did not act on
    the request.
    """
    import ccxt

    told = f"{what}: {type(error).__name__} {' '.join(str(error).split())[:WORDS]}"
    if is_limit(error):
        return OrderRejected(told, code=RejectCode.RATE_LIMITED.value)
    if isinstance(error, ccxt.BaseError):
        for text, code in facts.refusals:
            if text in str(error):
                return OrderRejected(told, code=code.value)
    for kind, code in _final():
        if isinstance(error, kind):
            return OrderRejected(told, code=code.value)
    return UnknownOrderState(told)


def _final() -> tuple[tuple[type[Exception], RejectCode], ...]:
    import ccxt

    return (
        (ccxt.InsufficientFunds, RejectCode.INSUFFICIENT_FUNDS),
        (ccxt.BadSymbol, RejectCode.UNKNOWN_INSTRUMENT),
        (ccxt.DuplicateOrderId, RejectCode.DUPLICATE_ID),
        (ccxt.OrderImmediatelyFillable, RejectCode.POST_ONLY_WOULD_TAKE),
        (ccxt.OrderNotFillable, RejectCode.NOT_FILLABLE_AT_ONCE),
        (ccxt.InvalidNonce, RejectCode.CLOCK_OFF),
        (ccxt.AuthenticationError, RejectCode.NOT_PERMITTED),
        (ccxt.InvalidOrder, RejectCode.OTHER),
        (ccxt.NotSupported, RejectCode.OTHER),
        (ccxt.ArgumentsRequired, RejectCode.OTHER),
        (ccxt.InvalidAddress, RejectCode.OTHER),
    )
