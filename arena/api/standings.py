"""The standings as JSON: the rows of the snapshot under the names that the command line uses too."""

from pydantic import BaseModel, ConfigDict

from arena.api.values import Instant, Money, finite
from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import ranked
from trading.domain.instants import iso
from trading.domain.money import decimal_from_float, money_text


class StandingsRow(BaseModel):
    """One desk. Returns are fractions, sums are to the cent; what is not known is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    desk: str
    kind: str
    models: dict[str, str]
    status: str
    rank: int
    rank_last: int
    tied_with: tuple[str, ...]
    equity_end: Money
    total_return: float
    return_ci95: tuple[float, float] | None
    sharpe: float | None
    sharpe_ci95: tuple[float, float] | None
    max_drawdown: float
    luck_percentile: float | None
    brier_skill: float | None
    fees: Money
    turnover: float
    decisions: int
    acted: int
    held: int
    abstained: int
    failovers: int
    refused_intents: int
    llm_calls: int
    usd: float | None


class Standings(BaseModel):
    """The standings at an instant, with the sample they rest on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    season: str
    run_id: str
    market: str
    status: str
    as_of: Instant
    round_index: int
    rounds: int
    desks: tuple[StandingsRow, ...]


def standings(snapshot: FloorSnapshot) -> Standings:
    """The standings of a snapshot, in rank order."""
    return Standings(
        season=snapshot.season,
        run_id=snapshot.run_id,
        market=snapshot.market,
        status=snapshot.status,
        as_of=iso(snapshot.as_of_ms),
        round_index=snapshot.round_index,
        rounds=snapshot.rounds,
        desks=tuple(_row(desk) for desk in ranked(snapshot.desks)),
    )


def _row(desk: DeskCard) -> StandingsRow:
    same = {name: finite(getattr(desk, name)) for name in StandingsRow.model_fields if hasattr(desk, name)}
    money = {"equity_end": _money(desk.equity), "fees": _money(desk.fees)}
    return StandingsRow.model_validate(same | money | {"desk": desk.name, "models": dict(desk.models)})


def _money(shown: float) -> str:
    """A sum as the page shows it, to the cent."""
    return money_text(decimal_from_float(round(shown, 2)))
