"""Risk on the floor: what desks hold together, how their results move together, and how often each broke its VaR."""

from collections.abc import Sequence

import numpy as np

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import ranked
from arena.ui.components.marks import swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import dollars, number, percent
from arena.ui.risk.drawings import heat_map
from arena.ui.risk.parts import facts, loss, numeric, table
from trading.risk.measures import effective_bets, expected_shortfall, shrunk_correlation, value_at_risk
from trading.risk.simulation.gbm import shrunk_scale
from trading.stats import FloatArray

_TOGETHER = 0.5
_FEWEST = 100
"""Results that a 95 % tail of at least five needs."""


def risk_facts(snapshot: FloorSnapshot) -> Html:
    """The arena as a whole: exposure, fall from the peak, tail of its own results, bets."""
    equity = sum(desk.equity for desk in snapshot.desks)
    values: dict[str, float] = {}
    for desk in snapshot.desks:
        for position in desk.positions:
            values[position.instrument] = values.get(position.instrument, 0.0) + position.value
    gross = sum(abs(position.value) for desk in snapshot.desks for position in desk.positions)
    known = equity > 0
    curve = _arena_curve(snapshot.desks)
    results = _results(curve)
    table_of = _table(snapshot.desks)
    bets = None if table_of is None else effective_bets(np.ones(table_of.shape[1]), shrunk_scale(table_of))
    peak = float(curve.max()) if len(curve) else 0.0
    enough = len(results) >= _FEWEST
    largest = max(values, key=lambda name: abs(values[name]), default=None)
    held = (
        f"largest net {largest.removesuffix('-PERP')} {dollars(values[largest], 0)}" if largest else "nothing is held"
    )
    return facts(
        (
            ("Gross exposure, desk by desk", percent(gross / equity if known else None, 0, signed=False), held),
            ("Net of all desks", percent(sum(values.values()) / equity if known else None, 0), "of all equity"),
            (
                "Fall from the peak",
                percent(1 - float(curve[-1]) / peak if peak > 0 else None, 1, signed=False),
                f"breaker {snapshot.breaker}",
            ),
            (
                "VaR 95 % of a shown step",
                loss(value_at_risk(results, 0.95) if enough else None),
                f"from {len(results)} results of the arena"
                if enough
                else f"needs {_FEWEST} results, there are {len(results)}",
            ),
            ("Effective bets among desks", number(bets, 1), f"of {len(snapshot.desks)} desks"),
        )
    )


def risk_by_desk(snapshot: FloorSnapshot) -> Html:
    """What each desk holds and what its own results say of its tail."""
    rows = []
    for desk in ranked(snapshot.desks):
        results = _results(np.array(desk.curve.equity, dtype=np.float64))
        enough = len(results) >= _FEWEST
        gross = sum(abs(position.value) for position in desk.positions)
        net = sum(position.value for position in desk.positions)
        known = desk.equity > 0
        rows.append(
            (
                element("td", swatch(desk.slot, desk.kind), element("span", desk.name)),
                numeric(percent(gross / desk.equity if known else None, 0, signed=False)),
                numeric(percent(net / desk.equity if known else None, 0)),
                numeric(percent(desk.max_drawdown, 1, signed=False)),
                numeric(loss(value_at_risk(results, 0.95) if enough else None)),
                numeric(loss(expected_shortfall(results, 0.95) if enough else None)),
                element("td", desk.status),
            )
        )
    heads = (
        ("Desk", None),
        ("Gross", "tf-num"),
        ("Net", "tf-num"),
        ("Max drop", "tf-num"),
        ("VaR 95", "tf-num"),
        ("CVaR 95", "tf-num"),
        ("Status", None),
    )
    return element("div", table("Risk by desk", heads, rows), class_="tf tf-risk")


def desk_correlation(snapshot: FloorSnapshot) -> Html:
    """How the desks' results move together, shrunk, with the number always printed."""
    found = _table(snapshot.desks)
    if found is None:
        return empty("Not known yet", f"It needs {_FEWEST} results that all desks share.")
    shrunk = shrunk_correlation(found)
    tags = [desk.tag for desk in snapshot.desks]
    share = percent(shrunk.shrinkage, 0, signed=False)
    bets = number(effective_bets(np.ones(found.shape[1]), shrunk_scale(found)), 1)
    say = (
        f"{_closest(tags, shrunk.matrix)} The {len(tags)} desks are about {bets} bets together. Of {len(found)} "
        f"results; teal above zero, orange below, {share} of it is taken from no correlation at all."
    )
    return element(
        "div", heat_map(tags, shrunk.matrix.tolist()), element("p", say, class_="tf-rk-say"), class_="tf tf-risk"
    )


def _closest(tags: Sequence[str], matrix: FloatArray) -> str:
    """The two desks that move together most, and for how many bets they count."""
    upper = np.where(np.triu(np.ones_like(matrix), 1) > 0, matrix, -np.inf)
    first, second = divmod(int(np.argmax(upper)), len(tags))
    pair = float(matrix[first, second])
    if pair < _TOGETHER:
        return f"No two desks move together by more than {_TOGETHER:g}."
    bets = 2.0 / (1.0 + pair**2)
    return f"{tags[first]} and {tags[second]} move together: count them as about {number(bets, 1)} bets, not 2."


def _results(equity: FloatArray) -> FloatArray:
    """Returns between the points of a curve, as far as they are known."""
    known = equity[np.isfinite(equity)]
    if len(known) < 2 or (known <= 0).any():
        return np.empty(0)
    found: FloatArray = known[1:] / known[:-1] - 1.0
    return found


def _arena_curve(desks: Sequence[DeskCard]) -> FloatArray:
    """The equity of all desks together at the points that all curves have."""
    lengths = {len(desk.curve.equity) for desk in desks}
    if len(lengths) != 1 or 0 in lengths:
        return np.empty(0)
    total: FloatArray = np.sum([desk.curve.equity for desk in desks], axis=0)
    return total[np.isfinite(total)]


def _table(desks: Sequence[DeskCard]) -> FloatArray | None:
    """Results (n, desks) where all desks have them; None where they are too few or fewer than two desks are shown."""
    columns = [_results(np.array(desk.curve.equity, dtype=np.float64)) for desk in desks]
    if len(columns) < 2 or len({len(column) for column in columns}) != 1 or len(columns[0]) < _FEWEST:
        return None
    return np.stack(columns, axis=1)
