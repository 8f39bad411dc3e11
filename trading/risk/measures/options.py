"""European options and what their value depends on: Black (1976) on a forward, and options that pay in the coin."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import NormalDist

from trading.domain.errors import RequestError

_NORMAL = NormalDist()
_YEAR_MS = 365 * 86_400_000
_EXPIRY_HOUR = 8
_NAME = re.compile(r"([A-Z0-9]{1,20})-(\d{1,2})([A-Z]{3})(\d{2})-(\d{1,9}(?:\.\d{1,6})?)-([CP])")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MOST_VOLATILITY = 10.0
_ROUNDS = 200


class OptionKind(StrEnum):
    """The right to buy, or the right to sell."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A European option on one unit of ``base`` with ``strike`` in the quote currency."""

    base: str
    kind: OptionKind
    strike: float
    expiry_ms: int

    def years(self, at_ms: int) -> float:
        """Years of 365 days from ``at_ms`` to the expiry, 0 after it."""
        return max(0.0, (self.expiry_ms - at_ms) / _YEAR_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """``value`` of one option, and how it changes: ``delta`` and ``gamma`` by one unit of price, ``vega`` by 1.00 of
    volatility (a hundred points), ``theta`` over a year that passes.
    """

    value: float
    delta: float
    gamma: float
    vega: float
    theta: float

    def times(self, quantity: float) -> "Greeks":
        """Those of ``quantity`` options; negative when written."""
        return Greeks(
            value=quantity * self.value,
            delta=quantity * self.delta,
            gamma=quantity * self.gamma,
            vega=quantity * self.vega,
            theta=quantity * self.theta,
        )


def parse_option(name: str) -> Option:
    """The option of a name such as ``BTC-26DEC25-100000-C``, which expires at 08:00 UTC. RequestError for another."""
    found = _NAME.fullmatch(name)
    if found is None or found[3] not in _MONTHS or float(found[5]) <= 0:
        raise RequestError(f"option {name!r}: expected BASE-DAY-STRIKE-C or -P, such as BTC-26DEC25-100000-C")
    try:
        expiry = datetime(2000 + int(found[4]), _MONTHS.index(found[3]) + 1, int(found[2]), _EXPIRY_HOUR, tzinfo=UTC)
    except ValueError as error:
        raise RequestError(f"option {name!r}: there is no such day") from error
    return Option(
        base=found[1],
        kind=OptionKind.CALL if found[6] == "C" else OptionKind.PUT,
        strike=float(found[5]),
        expiry_ms=int(expiry.timestamp() * 1000),
    )


def black_76(
    kind: OptionKind, strike: float, years: float, forward: float, volatility: float, *, discount: float = 1.0
) -> Greeks:
    """Value and Greeks in the quote currency, by the ``forward`` price. Black (1976).

    With ``discount`` = exp(-r years) and forward = spot / discount it is Black, Scholes and Merton (1973). Theta holds
    the forward and the rate still. Without time or volatility it is the discounted payoff, without gamma, vega, theta.
    """
    _check(strike, years, forward, volatility, discount)
    sign = 1.0 if kind is OptionKind.CALL else -1.0
    deviation = volatility * math.sqrt(years)
    if deviation == 0.0:
        inside = sign * (forward - strike)
        return Greeks(
            value=discount * max(0.0, inside), delta=discount * sign * (inside > 0), gamma=0.0, vega=0.0, theta=0.0
        )
    first = math.log(forward / strike) / deviation + deviation / 2.0
    second = first - deviation
    density = _NORMAL.pdf(first)
    value = discount * sign * (forward * _NORMAL.cdf(sign * first) - strike * _NORMAL.cdf(sign * second))
    rate = -math.log(discount) / years
    return Greeks(
        value=value,
        delta=discount * sign * _NORMAL.cdf(sign * first),
        gamma=discount * density / (forward * deviation),
        vega=discount * forward * density * math.sqrt(years),
        theta=rate * value - discount * forward * density * volatility / (2.0 * math.sqrt(years)),
    )


def inverse_option(kind: OptionKind, strike: float, years: float, forward: float, volatility: float) -> Greeks:
    """Value and Greeks in the coin of an option that settles in the coin: those of Black over the forward.

    Deribit's options. Delta is adjusted for the premium, (delta - value / forward) / forward: a premium in coin is
    itself a holding of coin.
    """
    plain = black_76(kind, strike, years, forward, volatility)
    coin = plain.value / forward
    return Greeks(
        value=coin,
        delta=(plain.delta - coin) / forward,
        gamma=(plain.gamma - 2.0 * (plain.delta - coin) / forward) / forward,
        vega=plain.vega / forward,
        theta=plain.theta / forward,
    )


def implied_volatility(
    kind: OptionKind, strike: float, years: float, forward: float, value: float, *, discount: float = 1.0
) -> float | None:
    """The volatility at which Black's value is ``value``, found by bisection; None without one up to 10."""
    _check(strike, years, forward, 0.0, discount)
    low, high = 0.0, _MOST_VOLATILITY
    if years <= 0 or not math.isfinite(value):
        return None
    least, most = (black_76(kind, strike, years, forward, edge, discount=discount).value for edge in (low, high))
    if not least < value < most:
        return None
    for _ in range(_ROUNDS):
        middle = (low + high) / 2.0
        if black_76(kind, strike, years, forward, middle, discount=discount).value < value:
            low = middle
        else:
            high = middle
        if high - low < 1e-12:
            break
    return (low + high) / 2.0


def added_greeks(parts: Iterable[Greeks]) -> Greeks:
    """The sum of Greeks of one underlying and one currency."""
    total = Greeks(value=0.0, delta=0.0, gamma=0.0, vega=0.0, theta=0.0)
    for part in parts:
        total = Greeks(
            value=total.value + part.value,
            delta=total.delta + part.delta,
            gamma=total.gamma + part.gamma,
            vega=total.vega + part.vega,
            theta=total.theta + part.theta,
        )
    return total


def _check(strike: float, years: float, forward: float, volatility: float, discount: float) -> None:
    numbers = (strike, years, forward, volatility, discount)
    if not all(map(math.isfinite, numbers)) or min(strike, forward, discount) <= 0 or min(years, volatility) < 0:
        raise ValueError(
            f"strike {strike}, {years} years, forward {forward}, volatility {volatility}, discount {discount}: "
            "expected finite numbers, prices and discount above 0, time and volatility of 0 or more"
        )
