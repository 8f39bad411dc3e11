"""What an engine is told before it starts: who competes, from when to when, with what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.domain.event import Event, EventKind
from trading.domain.instrument import Instrument
from trading.domain.money import money_text
from trading.ledger.ledger import instrument_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A desk as it enters: ``kind`` is llm, rule-based, person or strategy; ``models`` by role.

    ``prompts`` holds the SHA-256 of the prompt of each role, where it has any.
    """

    desk: str
    kind: str
    models: Mapping[str, str]
    prompts: Mapping[str, str] = field(default_factory=dict)

    @property
    def declaration(self) -> dict[str, Any]:
        """The desk's row in the first event of a run."""
        row = {"desk": self.desk, "kind": self.kind, "models": dict(self.models)}
        return {**row, "prompts": dict(self.prompts)} if self.prompts else row


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The fixed facts of a run. Instants are milliseconds since 1970; ``capital`` is for each desk, in the quote.

    ``code_sha256`` digests the program that plays it, empty where that is not registered.
    """

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
    code_sha256: str = ""

    @property
    def quote(self) -> str:
        """The quote currency that all instruments share."""
        return next(iter(self.instruments.values())).quote

    @property
    def order_scope(self) -> str:
        """What client order ids derive from, besides desk, round and leg.

        A real venue remembers ids: there the rules count too, so that an order of an earlier season of the same name is
        never taken for one of this.
        """
        return f"{self.season} {self.rules_sha256}" if self.source == "live" else self.season

    @property
    def rounds(self) -> int:
        """How many whole rounds there are: the first at the start, none at the end."""
        return (self.end_ms - self.start_ms) // self.every_ms

    def round_ms(self, index: int) -> int:
        """The instant of a round."""
        return self.start_ms + index * self.every_ms

    def opening_events(
        self, limits: Mapping[str, Any], costs: Mapping[str, Any], margin: Mapping[str, Any] | None
    ) -> Iterator[Event]:
        """The first events of a run: its rules, then the capital of each desk."""
        rules = self.opening_payload(limits, costs) | ({} if margin is None else {"margin": dict(margin)})
        yield Event(ts_ms=self.start_ms, kind=EventKind.SEASON_OPENED, payload=rules)
        for entrant in self.entrants:
            paid = {"desk": entrant.desk, "amount": money_text(self.capital)}
            yield Event(ts_ms=self.start_ms, kind=EventKind.DEPOSITED, payload=paid)

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
            "desks": [entrant.declaration for entrant in self.entrants],
            "instruments": [instrument_row(instrument) for instrument in self.instruments.values()],
            **({"code_sha256": self.code_sha256} if self.code_sha256 else {}),
        }
