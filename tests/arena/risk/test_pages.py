"""Pages of risk: complete, alone in one file, readable without colour, and safe from whatever a name holds."""

import copy
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from arena.risk.document import outcomes_document
from arena.ui.risk.drawings import bar, fan_chart, heat_map, result_chart, strip, tail_row
from arena.ui.risk.page import report_page, simulation_page
from trading.risk.simulation import outcomes

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
LEVELS = {"0.95": 0.02, "0.99": 0.04}
METHODS = ("historical", "parametric", "cornish_fisher", "filtered", "monte_carlo")
JUDGED = {
    "level": 0.99, "observations": 500, "exceedances": 9, "expected": 5.0, "kupiec_p": 0.0001, "independence_p": None,
    "conditional_p": None, "light": "yellow", "passes": False, "verdict": "fails: too many losses beyond it",
}  # fmt: skip
ACCOUNT = {
    "var": LEVELS, "cvar": {"0.95": 0.03, "0.99": None}, "gross": 1.5, "net": -0.5, "deviation": 0.01, "components": {},
    "effective_positions": 1.0, "margin_used": 0.1, "liquidation_if_all_fall": None, "liquidation_if_all_rise": 0.5,
    "days_to_close": 0.1,
}  # fmt: skip
DOCUMENT = {
    "of": "trial", "as_of": "2025-10-18T00:00:00Z", "source": "simulated", "horizon_s": 86_400, "observations": 8736,
    "equity": "10000.5", "gross": 1.5, "net": -0.5,
    "var": dict.fromkeys(METHODS, LEVELS), "cvar": {name: {"0.95": 0.03, "0.99": None} for name in METHODS},
    "components": [
        {"instrument": name, "weight": weight, "marginal_var": 0.04, "component_var": part, "share": 0.5}
        for name, weight, part in (("BTC-USDT-PERP", 1.0, 0.05), ("ETH-USDT-PERP", -0.5, -0.01))
    ],
    "desks": [
        {"desk": "kestrel", "equity": "5", "gross": 0.5, "component_var": None, "marginal_var": None,
         "liquidated_by": ["prices -30 %"]}
    ],
    "volatility": 0.5, "benchmark": "BTC-USDT-PERP", "beta": 0.9,
    "drawdown_30d": {"0.5": 0.1, "0.95": 0.2, "0.99": 0.3},
    "drawdown_30d_mean": 0.1, "drawdown_30d_worst_5pct": 0.25,
    "concentration": {"herfindahl": 0.5, "effective_positions": 2.0, "effective_bets": 1.2, "largest_share": 0.6,
                      "largest": "BTC-USDT-PERP"},
    "correlation": {"instruments": ["BTC-USDT-PERP", "ETH-USDT-PERP"], "matrix": [[1.0, -0.7], [-0.7, 1.0]],
                    "shrinkage": 0.02},
    "margin": {"used": 0.1, "liquidation_if_all_fall": 0.4, "liquidation_if_all_rise": None},
    "days_to_close": {"BTC-USDT-PERP": 0.1, "ETH-USDT-PERP": None},
    "stress": [{"shock": "prices -30 %", "loss": 0.3, "positions": {"BTC-USDT-PERP": -0.3}, "liquidated": True,
                "var_after": 0.05, "exit_cost": None}],
    "windows": [{"window": "March 2020", "begin": "2020-03-12T00:00:00Z", "end": "2020-03-14T00:00:00Z", "loss": -0.01,
                 "deepest": 0.2, "positions": {"BTC-USDT-PERP": 0.01}, "liquidated": False,
                 "missing": ["SOL-USDT-PERP"]}],
    "options": {"positions": [{"option": "BTC-26DEC25-100000-C", "quantity": 1, "value": 10.0, "delta": 0.5,
                               "gamma_1pct": 0.1, "vega_1pt": 1.0, "theta_1d": -2.0}],
                "by_coin": {"BTC": {"value": 10.0, "delta": 0.5, "gamma_1pct": 0.1, "vega_1pt": 1.0,
                                    "theta_1d": -2.0}}},
    "backtest": {"historical": JUDGED},
    "trail": {"begin": "2025-10-01T00:00:00Z", "end": "2025-10-18T00:00:00Z", "returns": [0.01, -0.05, 0.0],
              "var": [0.02, 0.02, 0.02]},
    "season_backtest": {"level": 0.99, "horizon_s": 3600, "begin": "2025-10-17T00:00:00Z",
                        "end": "2025-10-18T00:00:00Z", "reason": None, "desks": [
                            {"desk": "kestrel", "method": "filtered", "moves": JUDGED,
                                                   "equity": JUDGED, "exceeded_at": ["2025-10-17T12:00:00Z"]}]},
    "proposal": {"changes": {"BTC-USDT-PERP": "1"}, "before": ACCOUNT, "after": ACCOUNT},
    "notes": ["historical: something is not known"],
}  # fmt: skip


class Reader(HTMLParser):
    """Tags that must close do, attributes that load something are found."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href") or name.startswith("on")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def flat() -> dict:
    document = copy.deepcopy(DOCUMENT)
    document |= {"components": [], "desks": [], "correlation": None, "stress": [], "windows": [], "options": None}
    document |= {
        "backtest": {},
        "trail": None,
        "season_backtest": None,
        "proposal": None,
        "drawdown_30d": {},
        "beta": None,
    }
    document |= {"drawdown_30d_worst_5pct": None, "volatility": None, "benchmark": None}
    document["var"] = document["cvar"] = {name: {"0.95": None, "0.99": None} for name in METHODS}
    return document


def test_a_report_stands_alone_and_says_everything() -> None:
    page = report_page(DOCUMENT)
    reader = read(page)
    assert reader.loads == []
    assert not re.search(r"https?://|@import|url\(", page)
    text = " ".join(reader.text)
    for words in (
        "SIMULATED MARKET",
        "kestrel",
        "March 2020",
        "without SOL-USDT",
        "liquidated",
        "too many losses",
        "n/a",
    ):
        assert words in text
    assert "proposed trade" in text
    assert "Vega" in text
    assert "prefers-color-scheme" in page
    assert page.count(":root{") == page.count(".dark{") == 1


def test_a_flat_book_has_a_page_too() -> None:
    text = " ".join(read(report_page(flat())).text)
    assert "n/a" in text
    assert "March 2020" not in text


def poisoned(value: object) -> object:
    if isinstance(value, dict):
        names = ("of", "desk", "window", "shock", "verdict", "largest", "option")
        return {key: EVIL if key in names else poisoned(found)
                for key, found in value.items()}  # fmt: skip
    if isinstance(value, list):
        return [poisoned(found) for found in value]
    return EVIL if value in ("historical: something is not known", "SOL-USDT-PERP") else value


def test_names_are_text_and_nothing_else() -> None:
    page = report_page(poisoned(DOCUMENT))  # type: ignore[arg-type]  # the same document with other texts
    assert read(page).loads == []
    assert page.count("<script>") == 1
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", page)


def test_a_simulation_has_its_fan() -> None:
    wealth = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, (500, 11)), axis=1))
    wealth[:, 0] = 1
    document = {
        "of": "trial", "as_of": "2025-10-18T00:00:00Z", "source": "replay", "equity": "1", "model": "garch",
        "scenario": EVIL, "seed": 0, "step_s": 86_400, "horizon_s": 864_000, "past_steps": 700,
        **outcomes_document(outcomes(wealth)),
    }  # fmt: skip
    page = simulation_page(document)
    reader = read(page)
    assert reader.loads == []
    assert page.count("<polygon") == 3
    assert "500 drawn paths" in " ".join(reader.text)


def test_bars_point_where_the_money_goes() -> None:
    assert 'x="25.00"' in bar(-0.5, 1.0, label="x")
    assert "tf-rk-loss" in bar(-0.5, 1.0, label="x")
    assert 'x="50.00"' in bar(0.5, 1.0, label="x")
    assert 'width="50.00"' in bar(9.0, 1.0, label="x")
    assert 'width="0.40"' in bar(0.0, 0.0, label="x")


def test_only_what_went_beyond_is_coloured() -> None:
    chart = result_chart([0.01, -0.05, -0.02], [0.02, 0.02, 0.02], "2025-01-01", "2025-01-02")
    assert "1 went beyond it" in chart
    assert chart.count("M") == 3


@pytest.mark.parametrize(
    ("value", "shade"), [(0.7, "p3"), (0.4, "p2"), (0.2, "p1"), (0.0, "0"), (-0.2, "n1"), (-0.5, "n2"), (-0.9, "n3")]
)
def test_the_heat_map_prints_its_numbers(value: float, shade: str) -> None:
    drawn = heat_map(["A", "B"], [[1.0, value], [value, 1.0]])
    assert f"tf-rk-{shade}" in drawn
    assert f"{abs(value):.2f}"[1:] in drawn


def test_small_drawings_hold_odd_numbers() -> None:
    assert "left:99.00%" in strip([2.0], "x")
    assert "n/a" in tail_row(None, None, None, 0.0)
    assert "polygon" in fan_chart(
        {level: [1.0, 1.0] for level in ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")}, 1
    )
