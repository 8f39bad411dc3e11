"""One tree of errors, ordered by what the caller should do.

::

    TradefloorError                     exit code
    ├── RequestError                    2   what was asked is wrong; nothing was changed: mend it and ask again
    │   ├── ConfigError                     a setting, a season file, a limit
    │   ├── DataError                       a candle or funding file, refused by file, row and reason
    │   └── CassetteMiss                    a replay asks for what was not recorded
    ├── BudgetExceeded                  3   a declared budget of money, tokens or time ran out
    ├── TradingHalted                   4   a person or a breaker stopped trading: look, then resume
    ├── JournalError                    1   the record is damaged or cannot be written: stop
    │   └── IllegalTransition               an order was said to do what its state does not allow
    ├── MemoryUnavailable               1   trade memory cannot be opened or written: a season goes on without it
    ├── ModelFailure                    -   a model gave no usable answer: the desk abstains, the season goes on
    │   └── ModelUnavailable                it could not be reached at all (key, network, deadline)
    ├── ToolFailure                     -   told to the model that called the tool, which may do better
    │   ├── BadArguments                    the arguments are wrong: mend them
    │   └── Unavailable                     the answer is not known now: do without
    ├── SourceUnavailable               1   live data did not come: try again later; what came before stands
    └── VenueError                      1   the venue's answer
        ├── OrderRejected                   final: the order does not stand
        └── UnknownOrderState               ask the venue; never send again

A message says what was found, what was expected and what to do.
"""

from typing import Any


class TradefloorError(Exception):
    """Base of every error that the project raises on purpose."""

    exit_code = 1


class RequestError(TradefloorError):
    """What was asked cannot be done as asked; nothing was changed."""

    exit_code = 2


class ConfigError(RequestError):
    """A setting, a season file or a limit is wrong."""


class DataError(RequestError):
    """Market data was refused."""


class CassetteMiss(RequestError):
    """A replay asks a model for something that its cassette does not hold; nobody is asked in its place."""


class BudgetExceeded(TradefloorError):
    """A declared budget ran out."""

    exit_code = 3


class TradingHalted(TradefloorError):
    """Trading was stopped and waits for a person."""

    exit_code = 4


class JournalError(TradefloorError):
    """The record is damaged or cannot be written."""


class IllegalTransition(JournalError):
    """An order was said to do what it cannot do where it stands, such as filling twice."""


class MemoryUnavailable(TradefloorError):
    """Trade memory is locked, damaged, or its library is missing.

    ``short`` says so without paths, for a desk; ``is_locked`` is whether another process has it open.
    """

    def __init__(self, message: str, *, short: str, is_locked: bool = False) -> None:
        super().__init__(message)
        self.short = short
        self.is_locked = is_locked


class ModelFailure(TradefloorError):
    """A model gave no usable answer; its desk abstains.

    ``status`` is the provider's HTTP status and ``retry_after_s`` the wait it asked for, where it gave them;
    ``attempts`` is what was tried, as the gateway records it.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        attempts: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s
        self.attempts = attempts


class ModelUnavailable(ModelFailure):
    """The model could not be reached."""


class ToolFailure(TradefloorError):
    """A tool could not answer; the model is told."""


class BadArguments(ToolFailure):
    """The arguments of a tool call are wrong."""


class Unavailable(ToolFailure):
    """The tool's answer is not known at this instant."""


class SourceUnavailable(TradefloorError):
    """An exchange or another source of live data did not answer, however often it was asked."""


class VenueError(TradefloorError):
    """What a venue answered."""


class OrderRejected(VenueError):
    """The venue refused the order; it does not stand. ``code`` says why in the words of :class:`RejectCode`."""

    def __init__(self, message: str, *, code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class UnknownOrderState(VenueError):
    """It is not known whether the order stands: ask, never send again."""
