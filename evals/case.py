"""A case of an eval suite: one frozen state of a market and an account, in which a desk is asked to decide."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evals.alterations import parse_alterations
from evals.question import Question
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import duration_ms, parse_instant, to_ms

Split = Literal["dev", "heldout"]
PlantedMemory = Literal["telling", "silent", "poisoned"]

Share = Annotated[float, Field(ge=-5.0, le=5.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]*$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _understood(text: str, reader: Callable[[str], object]) -> str:
    try:
        reader(text)
    except (ConfigError, RequestError) as error:
        raise ValueError(str(error)) from None
    return text


class MarketSpec(_Frozen):
    """Where the candles of a case come from: a simulation by its seed, or recorded files under the data root.

    ``step`` is the length of a candle of a simulation; recorded files have their own. A simulation that goes from
    ``begin`` to ``until`` (ISO 8601) is that of a season; without them cases of a month share one.
    """

    kind: Literal["simulated", "recorded"]
    symbols: Annotated[tuple[str, ...], Field(min_length=1)]
    step: str = "1h"
    seed: int = 0
    paths: tuple[str, ...] = ()
    funding: tuple[str, ...] = ()
    begin: str | None = None
    until: str | None = None

    @property
    def window_ms(self) -> tuple[int, int] | None:
        """From when to when the simulation goes, in milliseconds since 1970; None where that is not said."""
        if self.begin is None or self.until is None:
            return None
        return to_ms(parse_instant(self.begin)), to_ms(parse_instant(self.until))

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if (self.kind == "recorded") != bool(self.paths):
            raise ValueError("paths belong to a recorded market, and only to one")
        if (self.begin is None) != (self.until is None) or (self.begin and self.kind == "recorded"):
            raise ValueError("begin and until belong to a simulated market, both or neither")
        for instant in (self.begin, self.until):
            if instant is not None:
                _understood(instant, parse_instant)
        _understood(self.step, duration_ms)
        return self


class Case(_Frozen):
    """One thing asked of a desk: to decide, or to answer ``question`` where there is one.

    ``at`` is the instant of the decision (ISO 8601) and ``horizon`` how long its consequences are followed. ``holding``
    is what the desk holds already, as signed shares of ``capital`` by instrument, taken ``since`` before. ``refused``
    is what it asked for on top of that, by the same measure, and the gate did not let through. Cases of one
    ``cluster`` (a market day) share their news and count together. ``heldout`` cases are locked: each look at them is
    counted. ``alters`` names changes that the suite makes to what the desk sees, and ``twin`` the case this one differs
    from only by them. ``memory`` is what the desk is given to recall; without it, it has none.
    """

    case_id: Name
    cluster: Name
    split: Split = "dev"
    market: MarketSpec
    at: str
    horizon: str = "24h"
    capital: Annotated[int, Field(gt=0)] = 10_000
    holding: dict[str, Share] = Field(default_factory=dict)
    since: str | None = None
    refused: dict[str, Share] = Field(default_factory=dict)
    question: Question | None = None
    labels: tuple[str, ...] = ()
    alters: tuple[str, ...] = ()
    twin: str | None = None
    memory: PlantedMemory | None = None

    @field_validator("at")
    @classmethod
    def _an_instant(cls, text: str) -> str:
        return _understood(text, parse_instant)

    @field_validator("horizon")
    @classmethod
    def _a_duration(cls, text: str) -> str:
        return _understood(text, duration_ms)

    @field_validator("since")
    @classmethod
    def _a_duration_if_any(cls, text: str | None) -> str | None:
        return None if text is None else _understood(text, duration_ms)

    @field_validator("alters")
    @classmethod
    def _known_alterations(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            _understood(name, lambda text: parse_alterations((text,)))
        return names

    @model_validator(mode="after")
    def _speaks_of_its_market(self) -> Self:
        recalls = self.question.recalls if self.question else None
        named = {
            "holding": {*self.holding},
            "refused": {*self.refused},
            "question": {recalls.instrument} if recalls else (),
        }
        for field, symbols in named.items():
            strangers = sorted(set(symbols) - set(self.market.symbols))
            if strangers:
                raise ValueError(f"{field} names {strangers[0]}, which is not in the market of the case")
        return self

    def altered(self, alters: tuple[str, ...]) -> Self:
        """The twin of this case that differs from it by ``alters``; it stays in its cluster and split."""
        name = "-".join(part.replace(":", "-") for part in alters)
        return self.model_copy(update={"case_id": f"{self.case_id}+{name}", "alters": alters, "twin": self.case_id})

    @property
    def at_ms(self) -> int:
        """The instant of the decision in milliseconds since 1970."""
        return to_ms(parse_instant(self.at))

    @property
    def horizon_ms(self) -> int:
        """How long the consequences are followed, in milliseconds."""
        return duration_ms(self.horizon)

    @property
    def since_ms(self) -> int | None:
        """How long before the instant its position was taken, in milliseconds; None for a candle."""
        return None if self.since is None else duration_ms(self.since)

    @property
    def sha256(self) -> str:
        """Digest of all that the answer may depend on; the split, the labels and what is wanted do not count."""
        unused = {name for name in ("since", "refused", "question", "memory") if not getattr(self, name)}
        unsaid = {name for name in ("begin", "until") if getattr(self.market, name) is None}
        content = self.model_dump_json(
            exclude={"split": True, "labels": True, "market": unsaid, **dict.fromkeys(unused, True)}
            | ({} if self.question is None else {"question": {"wants", "recalls"}})
        )
        return hashlib.sha256(content.encode()).hexdigest()
