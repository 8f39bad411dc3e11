"""Working memory: what open positions were opened for, and whether a decision goes against that without cause."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memory.episode import Expectation
from memory.lots import Lot, Lots
from trading.domain import iso
from trading.domain.money import ZERO
from trading.domain.recollection import OpenPlan

if TYPE_CHECKING:
    from memory.chronicle import Chronicle


def target_and_stop(side: int, entry: float, forecast: Expectation | None) -> tuple[float | None, float | None]:
    """The prices at which a plan has come true or failed: the outer quantiles of the desk's forecast at entry."""
    if forecast is None:
        return None, None
    up, down = entry * (1.0 + forecast.q95), entry * (1.0 + forecast.q05)
    return (up, down) if side > 0 else (down, up)


def standing(lot: Lot, price: float, now_ms: int, horizon_ms: int) -> str:
    """``open``, ``target reached``, ``stop passed`` or ``overdue`` (older than the horizon)."""
    target, stop = target_and_stop(lot.side, float(lot.price), lot.episode.expected)
    if target is not None and (price - target) * lot.side >= 0.0:
        return "target reached"
    if stop is not None and (price - stop) * lot.side <= 0.0:
        return "stop passed"
    return "overdue" if now_ms - lot.episode.decided_ms >= horizon_ms else "open"


def contradiction(lots: Lots, forecast: Expectation | None, price: float, now_ms: int, horizon_ms: int) -> str:
    """Why leaving or turning the position now goes against its plan, ``""`` where it does not.

    It does while the oldest lot's plan stands and the desk's own newest forecast still leans to its side.
    """
    if not lots.queue:
        return ""
    lot = lots.queue[0]
    if standing(lot, price, now_ms, horizon_ms) != "open":
        return ""
    if forecast is None or (forecast.p_up - 0.5) * lot.side <= 0.0:
        return ""
    word = "long" if lot.side > 0 else "short"
    return (
        f"left the {word} of {iso(lot.episode.decided_ms)} before target, stop or {horizon_ms // 3_600_000} h, "
        f"with the own forecast still at {forecast.p_up:.1%} for a rise"
    )


def open_plans(chronicle: "Chronicle", desk: str) -> Iterator[OpenPlan]:
    """The plans behind the open positions of a desk at the prices of the chronicle's last round, oldest first."""
    for symbol, lots in chronicle.lots_of(desk):
        price = chronicle.prices.get(symbol)
        by_entry: dict[str, list[Lot]] = {}
        for lot in lots.queue:
            by_entry.setdefault(lot.episode.episode_id, []).append(lot)
        for parts in by_entry.values():
            first = parts[0]
            entry = float(first.price)
            target, stop = target_and_stop(first.side, entry, first.episode.expected)
            lean = "below" if first.side > 0 else "above"
            yield OpenPlan(
                decision_id=first.episode.decision_id,
                instrument=symbol,
                side=first.side,
                quantity=sum((lot.quantity for lot in parts), ZERO),
                entry_price=first.price,
                opened_ms=first.episode.decided_ms,
                reason=first.episode.text,
                target=target,
                stop=stop,
                invalidation=f"the own forecast of a rise {lean} one half, the stop passed, or older than "
                f"{chronicle.horizon_ms // 3_600_000} h",
                standing="not priced"
                if price is None
                else standing(first, price, chronicle.now_ms, chronicle.horizon_ms),
            )
