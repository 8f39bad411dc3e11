"""Options of a positions file: their value and Greeks, and what shocks make of them by full revaluation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arena.holdings import PositionsFile
from trading.domain.errors import RequestError
from trading.domain.instants import iso
from trading.domain.instrument import parse_symbol
from trading.domain.money import decimal_from_float
from trading.risk.measures import Greeks, Option, added_greeks, black_76, parse_option
from trading.risk.simulation import Shock

_QUOTE = "USDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOption:
    """An option held at the instant it was valued: ``greeks`` are of the whole position, in the quote currency."""

    name: str
    option: Option
    quantity: float
    volatility: float
    forward: float
    years: float
    spot: float
    greeks: Greeks

    @property
    def value(self) -> Decimal:
        """What the position is worth."""
        return decimal_from_float(self.greeks.value)

    def result(self, shock: Shock) -> float:
        """Gain or loss at once by ``shock``, valued anew, in the quote currency."""
        moved = _greeks(
            self.option, self.years, self.forward * (1.0 + shock.price), self.volatility * shock.volatility, self.carry
        )
        return self.quantity * moved.value - self.greeks.value

    @property
    def carry(self) -> float:
        """Spot over forward: what a unit of the future is worth today."""
        return self.spot / self.forward


def underlying_symbols(file: PositionsFile) -> dict[str, str]:
    """The spot pair of every coin that a file's options are on, in the currency of its positions."""
    if not file.options:
        return {}
    quotes = [parse_symbol(held.instrument)[1] for held in file.positions]
    quote = quotes[0] if quotes else _QUOTE
    bases = dict.fromkeys(parse_option(held.option).base for held in file.options)
    return {base: f"{base}-{quote}" for base in bases}


def valued_options(file: PositionsFile, prices: Mapping[str, Decimal], at_ms: int) -> tuple[HeldOption, ...]:
    """The options of a file at ``prices`` of their coins. Raises RequestError for one that has expired."""
    symbols = underlying_symbols(file)
    found = []
    for held in file.options:
        option = parse_option(held.option)
        years = option.years(at_ms)
        if years <= 0:
            raise RequestError(f"{held.option} has expired by {iso(at_ms)}: leave it out, or look from an earlier time")
        spot = float(prices[symbols[option.base]])
        forward = float(held.forward) if held.forward is not None else spot
        one = _greeks(option, years, forward, float(held.volatility), spot / forward)
        found.append(
            HeldOption(
                name=held.option,
                option=option,
                quantity=float(held.quantity),
                volatility=float(held.volatility),
                forward=forward,
                years=years,
                spot=spot,
                greeks=one.times(float(held.quantity)),
            )
        )
    return tuple(found)


def greeks_by_base(options: Iterable[HeldOption]) -> dict[str, Greeks]:
    """The Greeks of each coin's options together."""
    by_base: dict[str, list[Greeks]] = {}
    for held in options:
        by_base.setdefault(held.option.base, []).append(held.greeks)
    return {base: added_greeks(parts) for base, parts in by_base.items()}


def option_results(options: Sequence[HeldOption], shocks: Iterable[Shock]) -> dict[str, float]:
    """What each shock makes of all options together, in the quote currency, by its name."""
    return {shock.name: sum(held.result(shock) for held in options) for shock in shocks}


def _greeks(option: Option, years: float, forward: float, volatility: float, carry: float) -> Greeks:
    """Value and Greeks in the quote currency at today's prices.

    An option that pays in coin is worth its coins at spot: with the carry unchanged, Black discounted by it.
    """
    plain = black_76(option.kind, option.strike, years, forward, volatility)
    return Greeks(
        value=plain.value * carry,
        delta=plain.delta,
        gamma=plain.gamma / carry,
        vega=plain.vega * carry,
        theta=plain.theta * carry,
    )
