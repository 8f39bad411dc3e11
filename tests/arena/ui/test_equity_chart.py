"""The equity figure is valid Plotly, says the kind of each line by its style, and keeps its labels apart."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.seasons.snapshot import Curve, FloorSnapshot
from arena.ui.charts.drawdown import drawdowns
from arena.ui.charts.equity import RANGES_MS, equity_figure, spread
from arena.ui.tokens import PALETTE


def traces(snapshot: FloorSnapshot, range_name: str = "All", unit: Any = "%") -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = json.loads(equity_figure(snapshot, range_name, unit))["data"]
    return data


@pytest.mark.parametrize("unit", ["%", "$", "drawdown"])
@pytest.mark.parametrize("range_name", list(RANGES_MS))
def test_every_window_and_unit_is_a_valid_figure(snapshot: FloorSnapshot, range_name: str, unit: Any) -> None:
    figure = go.Figure(json.loads(equity_figure(snapshot, range_name, unit)))
    bands = 0 if unit == "drawdown" else 4
    assert len(figure.data) == bands + 1 + len(snapshot.desks)


def test_drawdown_is_against_the_highest_of_the_whole_season(snapshot: FloorSnapshot) -> None:
    leader = min(snapshot.desks, key=lambda desk: (desk.rank, desk.rank_last))
    for range_name in ("All", "24\u00a0h"):
        shown = traces(snapshot, range_name, "drawdown")[-1]
        assert max(shown["y"]) <= 0
        highest = max(leader.curve.equity)
        assert shown["y"][-1] == pytest.approx((leader.curve.equity[-1] / highest - 1) * 100, abs=1e-3)
    assert drawdowns([100, 120, 90, 130]) == pytest.approx([0, 0, -0.25, 0])
    assert drawdowns([]) == []


def test_the_leader_is_drawn_last_and_the_luck_band_first(snapshot: FloorSnapshot) -> None:
    drawn = traces(snapshot)
    leader = min(snapshot.desks, key=lambda desk: (desk.rank, desk.rank_last))
    assert drawn[-1]["name"].startswith(leader.name)
    assert [trace.get("fill") for trace in drawn[:4]] == [None, "tonexty", None, "tonexty"]
    assert all(trace["hoverinfo"] == "skip" for trace in drawn[:4])


def test_line_style_says_the_kind(snapshot: FloorSnapshot) -> None:
    desks = (replace(snapshot.desks[0], kind="llm"), *snapshot.desks[1:])
    drawn = {trace["name"]: trace["line"] for trace in traces(replace(snapshot, desks=desks))[4:]}
    assert drawn["buyhold"] == {"color": PALETTE["d1"].light, "width": 2, "dash": "solid"}
    assert drawn["random (rules)"]["dash"] not in ("solid", "dot")
    assert drawn["buy and hold"]["dash"] == "dot"


def test_percent_and_dollars_show_the_same_equity(snapshot: FloorSnapshot) -> None:
    in_percent, in_dollars = traces(snapshot)[-1], traces(snapshot, unit="$")[-1]
    assert in_percent["y"][-1] == pytest.approx((in_dollars["y"][-1] / snapshot.capital - 1) * 100, abs=1e-3)


def test_a_window_holds_only_its_own_time(snapshot: FloorSnapshot) -> None:
    shown = traces(snapshot, "24\u00a0h")[-1]["x"]
    assert min(shown) >= snapshot.as_of_ms - 86_400_000
    assert max(shown) == snapshot.as_of_ms


def test_missing_values_end_a_line_and_do_not_break_the_figure(snapshot: FloorSnapshot) -> None:
    desk = snapshot.desks[0]
    broken = Curve(
        ts_ms=desk.curve.ts_ms, equity=(*desk.curve.equity[:10], *(math.nan,) * (len(desk.curve.ts_ms) - 10))
    )
    text = equity_figure(replace(snapshot, desks=(replace(desk, curve=broken), *snapshot.desks[1:])), "All", "%")
    assert "NaN" not in text
    assert min(len(trace["x"]) for trace in json.loads(text)["data"]) == 10


def test_before_the_first_round_the_chart_says_so(empty_snapshot: FloorSnapshot) -> None:
    figure = json.loads(equity_figure(empty_snapshot, "All", "%"))
    assert figure["data"] == []
    assert "after the first round" in figure["layout"]["annotations"][0]["text"]


def test_a_flat_season_still_has_an_axis(snapshot: FloorSnapshot) -> None:
    desks = tuple(
        replace(desk, curve=Curve(ts_ms=desk.curve.ts_ms, equity=(snapshot.capital,) * len(desk.curve.ts_ms)))
        for desk in snapshot.desks
    )
    layout = json.loads(equity_figure(replace(snapshot, desks=desks, luck=None, benchmark=None), "All", "%"))["layout"]
    low, high = layout["yaxis"]["range"]
    assert low < 0 < high


def test_a_name_cannot_carry_markup_into_the_figure(snapshot: FloorSnapshot) -> None:
    named = replace(snapshot.desks[0], name="<a href='javascript:x'>y</a>", tag="<b>")
    text = equity_figure(replace(snapshot, desks=(named, *snapshot.desks[1:])), "All", "%")
    assert "<a href" not in text
    assert "&lt;b&gt;" in text


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=14), st.floats(0.01, 50))
def test_labels_are_a_gap_apart_and_their_mean_stays(values: list[float], gap: float) -> None:
    targets = sorted(values)
    places = spread(targets, gap)
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(places))
    assert sum(places) == pytest.approx(sum(targets), abs=1e-6 * (1 + sum(map(abs, targets))))


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([0.0, 1.0, 5.0], 0.5) == [0.0, 1.0, 5.0]
    assert spread([0.0, 0.0], 1.0) == [-0.5, 0.5]
