"""A market under a mask: other names, other dates, another price scale, and every return as it was.

A model that decides by what it sees decides alike with and without a mask; one that recalls what happened does not.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.marketdata.tape import FundingRates, Tape

_LETTERS = "BCDFGHJKLMNPQRTVWXZ"
_WEEKS = (104, 520)
_SCALE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """How instruments are called and priced under the mask, and how far all instants are moved (milliseconds).

    The move is a whole number of weeks, so that hours and days of the week stay what they were.
    """

    names: Mapping[str, str]
    scales: Mapping[str, float]
    shift_ms: int


def draw_mask(symbols: Sequence[str], seed: int) -> Mask:
    """The mask of ``seed``: five consonants for each base, prices times a factor between 1/20 and 20, 2 to 10 years.

    The same seed and symbols always give the same mask; an instrument's name and factor do not depend on the others.
    Raises RequestError where two names fall on each other or on a real one, for which another seed is the remedy.
    """
    names = {symbol: _name(symbol, seed) for symbol in symbols}
    if len({*names.values(), *symbols}) < 2 * len(names):
        raise RequestError(f"mask {seed}: two instruments of {', '.join(symbols)} get one name; take another seed")
    scales = {symbol: float(_SCALE ** _rng(symbol, seed).uniform(-1.0, 1.0)) for symbol in symbols}
    calendar = _rng("calendar", seed)
    weeks = int(calendar.integers(*_WEEKS, endpoint=True)) * int(calendar.choice([-1, 1]))
    return Mask(names=MappingProxyType(names), scales=MappingProxyType(scales), shift_ms=weeks * duration_ms("1w"))


def masked_tape(tape: Tape, mask: Mask) -> Tape:
    """``tape`` under ``mask``: prices times the factor, volumes divided by it, so that what was traded keeps its worth.

    Returns, ranges over prices and funding rates are what they were, up to rounding. Raises RequestError for an
    instrument that the mask does not name.
    """
    strangers = [symbol for symbol in tape.symbols if symbol not in mask.names]
    if strangers:
        raise RequestError(f"the mask does not name {strangers[0]}; it was drawn for {', '.join(mask.names)}")
    scale = np.array([mask.scales[symbol] for symbol in tape.symbols])[:, np.newaxis]
    return Tape(
        symbols=tuple(mask.names[symbol] for symbol in tape.symbols),
        step_ms=tape.step_ms,
        open_ms=tape.open_ms + mask.shift_ms,
        open=tape.open * scale,
        high=tape.high * scale,
        low=tape.low * scale,
        close=tape.close * scale,
        volume=tape.volume / scale,
        source=tape.source,
        funding={
            mask.names[symbol]: FundingRates(ts_ms=rates.ts_ms + mask.shift_ms, rate=rates.rate)
            for symbol, rates in tape.funding.items()
        },
    )


def reordered_tape(tape: Tape) -> Tape:
    """``tape`` with its instruments in the opposite order."""
    return Tape(
        symbols=tape.symbols[::-1],
        step_ms=tape.step_ms,
        open_ms=tape.open_ms,
        open=tape.open[::-1],
        high=tape.high[::-1],
        low=tape.low[::-1],
        close=tape.close[::-1],
        volume=tape.volume[::-1],
        source=tape.source,
        funding=tape.funding,
        texts=tape.texts,
    )


def _name(symbol: str, seed: int) -> str:
    _, quote, kind = parse_symbol(symbol)
    drawn = _rng(symbol, seed).integers(0, len(_LETTERS), 5)
    base = "".join(_LETTERS[int(at)] for at in drawn)
    return f"{base}-{quote}{'-PERP' if kind is InstrumentKind.PERP else ''}"


def _rng(what: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"mask|{seed}|{what}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))
