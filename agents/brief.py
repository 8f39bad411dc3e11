"""What every role is told about a round: the facts of the market and the rules, and how earlier decisions went."""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.domain import Instrument, iso, money_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading costs here, as the season declared it."""

    taker_fee_bps: float
    maker_fee_bps: float
    slippage_bps: float
    latency_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundBrief:
    """The conditions of a desk's round.

    ``timeframe`` is the length of a candle and ``every`` that of a round (such as ``"1h"``). ``feedback`` holds one
    line each for what came of earlier decisions (refusals, fills, breakers), newest last. ``deadline_s`` bounds the
    thinking of the whole desk by the wall clock. ``own_record`` is the desk's measured record up to the round as plain
    JSON values, None where it is not to be shown.
    """

    costs: Costs
    mode: str
    timeframe: str
    every: str
    instruments: tuple[str, ...]
    feedback: tuple[str, ...] = ()
    deadline_s: float = 120.0
    own_record: Mapping[str, object] | None = None


def round_facts(
    brief: RoundBrief,
    instruments: Mapping[str, Instrument],
    *,
    season: str,
    round_number: int,
    rounds: int,
    as_of_ms: int,
    source: str,
) -> dict[str, object]:
    """The trusted facts of a round as plain JSON values, the same for every role."""
    return {
        "season": season,
        "round": round_number,
        "rounds": rounds,
        "as_of": iso(as_of_ms),
        "market": source,
        "mode": brief.mode,
        "timeframe": brief.timeframe,
        "every": brief.every,
        "costs": {
            "taker_fee_bps": brief.costs.taker_fee_bps,
            "maker_fee_bps": brief.costs.maker_fee_bps,
            "slippage_bps": brief.costs.slippage_bps,
            "latency_ms": brief.costs.latency_ms,
        },
        "instruments": [_instrument_facts(instruments[symbol]) for symbol in brief.instruments],
    }


def _instrument_facts(instrument: Instrument) -> dict[str, object]:
    return {
        "symbol": instrument.symbol,
        "kind": instrument.kind.value,
        "quote": instrument.quote,
        "tick": money_text(instrument.tick),
        "lot": money_text(instrument.lot),
        "min_notional": money_text(instrument.min_notional),
        "max_leverage": money_text(instrument.max_leverage),
    }
