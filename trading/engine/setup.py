"""What an engine is told before it starts: who competes, from when to when, with what."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.instrument import Instrument
from trading.domain.money import money_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A desk as it enters: ``kind`` is ``"llm"``, ``"rule-based"`` or ``"strategy"``; ``models`` by role."""

    desk: str
    kind: str
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The fixed facts of a run. Instants are milliseconds since 1970; ``capital`` is for each desk, in the quote."""

    season: str
    seed: int
    start_ms: int
    end_ms: int
    every_ms: int
    capital: Decimal
    mode: str
    source: str
    rules_sha256: str
    entrants: tuple[Entrant, ...]
    instruments: Mapping[str, Instrument]

    @property
    def quote(self) -> str:
        """The quote currency that all instruments share."""
        return next(iter(self.instruments.values())).quote

    @property
    def rounds(self) -> int:
        """How many whole rounds there are: the first at the start, none at the end."""
        return (self.end_ms - self.start_ms) // self.every_ms

    def round_ms(self, index: int) -> int:
        """The instant of a round."""
        return self.start_ms + index * self.every_ms

    def opening_payload(self, limits: Mapping[str, Any], costs: Mapping[str, Any]) -> dict[str, Any]:
        """The first event of a run: the rules it was registered with, before anything was known of the outcome."""
        return {
            "season": self.season,
            "seed": self.seed,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "every_ms": self.every_ms,
            "capital": money_text(self.capital),
            "quote": self.quote,
            "mode": self.mode,
            "market": self.source,
            "rules_sha256": self.rules_sha256,
            "limits": dict(limits),
            "costs": dict(costs),
            "desks": [
                {"desk": entrant.desk, "kind": entrant.kind, "models": dict(entrant.models)}
                for entrant in self.entrants
            ],
            "instruments": [
                {
                    "symbol": instrument.symbol,
                    "base": instrument.base,
                    "quote": instrument.quote,
                    "kind": instrument.kind.value,
                    "tick": money_text(instrument.tick),
                    "lot": money_text(instrument.lot),
                    "min_notional": money_text(instrument.min_notional),
                    "max_leverage": money_text(instrument.max_leverage),
                    "maintenance_margin": money_text(instrument.maintenance_margin),
                }
                for instrument in self.instruments.values()
            ],
        }
