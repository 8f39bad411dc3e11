"""Limits: read from TOML, only ever tightened, rubbish refused in one line."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import HOUSE, PERP, SPOT
from trading.domain import AccountView, Position
from trading.domain.errors import ConfigError
from trading.risk import Limits, LimitUse

HOUSE_FILE = Path(__file__).parents[3] / "config" / "limits.toml"
NUMBERS = [name for name in Limits.model_fields if name != "allowed_instruments"]


def test_the_house_limits_are_those_that_were_agreed():
    assert (HOUSE.desk_drawdown, HOUSE.arena_drawdown) == (Decimal("0.10"), Decimal("0.15"))
    assert HOUSE.max_leverage == 3


@pytest.mark.parametrize("name", NUMBERS)
def test_a_season_may_tighten_each_limit_and_loosen_none(name):
    ours = getattr(HOUSE, name)
    lower = 1 if isinstance(ours, int) else float(ours) / 2
    assert getattr(HOUSE.tightened({name: lower}), name) == Decimal(str(lower))
    assert HOUSE.tightened({name: ours}) == HOUSE
    higher = ours + 1 if isinstance(ours, int) else min(float(ours) * 1.01, 1) if ours < 1 else float(ours) * 1.01
    with pytest.raises(ConfigError, match=f"{name}.*looser|looser.*{name}"):
        HOUSE.tightened({name: higher})


@given(st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 3) | st.floats(0, 100), max_size=4))
def test_whatever_a_season_says_no_limit_gets_looser(wanted):
    try:
        got = HOUSE.tightened(wanted)
    except ConfigError:
        return
    assert all(getattr(got, name) <= getattr(HOUSE, name) for name in NUMBERS)
    assert all(getattr(got, name) == getattr(HOUSE, name) for name in NUMBERS if name not in wanted)


def test_a_binary_float_means_what_was_written():
    assert HOUSE.tightened({"price_collar": 0.01}).price_collar == Decimal("0.01")


def test_a_list_of_instruments_can_only_get_shorter():
    listed = HOUSE.tightened({"allowed_instruments": [PERP, SPOT]})
    assert listed.tightened({"allowed_instruments": [PERP]}).allowed_instruments == (PERP,)
    for more in ([PERP, "DOGE-USDT"], []):
        with pytest.raises(ConfigError, match="looser"):
            listed.tightened({"allowed_instruments": more})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_leverage", 0),
        ("max_leverage", -1),
        ("max_leverage", float("nan")),
        ("max_leverage", float("inf")),
        ("max_leverage", "much"),
        ("max_leverage", [3]),
        ("max_leverage", {"a": 1}),
        ("max_leverage", None),
        ("max_leverage", True),
        ("price_collar", 2),
        ("desk_drawdown", 0),
        ("max_orders_per_round", 1.5),
        ("max_orders_per_round", -1),
        ("max_orders_per_round", True),
        ("max_open_orders", False),
        ("max_price_age_bars", 0),
        ("allowed_instruments", PERP),
        ("allowed_instruments", [1]),
        ("max_levrage", 1),
        ("", 1),
    ],
)
def test_rubbish_is_refused_in_one_line_that_names_the_key(name, value):
    with pytest.raises(ConfigError) as refused:
        HOUSE.tightened({name: value})
    assert str(refused.value).startswith("[limits] ")
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def with_line(line: str) -> str:
    name = line.split(" ", 1)[0]
    return re.sub(rf"(?m)^{re.escape(name)} = .*\n", "", HOUSE_FILE.read_text()) + line + "\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "max_order_value"),
        ("max_leverage = ", "not TOML"),
        ("\x00\x01\x02", "not TOML"),
        (with_line("max_leverage = 'x'"), "max_leverage"),
        (with_line("max_leverage = nan"), "max_leverage"),
        (with_line("max_leverage = true"), "max_leverage"),
        (with_line("surprise = 1"), "surprise"),
        (with_line("max_order_value = 2020-01-01"), "max_order_value"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_it(tmp_path, text, named):
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"limits\.toml") as refused:
        Limits.load(path)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bytes_that_are_no_text_and_a_missing_file_are_refused_too(tmp_path):
    path = tmp_path / "limits.toml"
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"limits\.toml"):
            Limits.load(path)
        path.write_bytes(b"\xff\xfe\x80")


def account(equity: str, quantity: str) -> AccountView:
    held = Position(instrument=PERP, quantity=Decimal(quantity), cost=Decimal(0))
    return AccountView(
        desk="a",
        as_of_ms=0,
        quote="USDT",
        cash=Decimal(equity),
        positions={PERP: held} if held.quantity else {},
        marks={PERP: Decimal(100)},
        equity=Decimal(equity),
        peak_equity=Decimal(10_000),
        gross=abs(held.value(Decimal(100))),
        net=held.value(Decimal(100)),
    )


def test_use_of_limits_is_told_with_their_names():
    rows = {row.rule: row for row in LimitUse(limits=HOUSE, account=account("9500", "-190")).rows()}
    assert (rows["max_leverage"].used, rows["max_gross_exposure"].used, rows["max_net_exposure"].used) == (
        "2",
        "2",
        "2",
    )
    assert (rows["desk_drawdown"].used, rows["desk_drawdown"].limit) == ("0.05", "0.1")
    assert rows["max_order_value"].used is None
    assert rows["max_open_orders"].used == "0"
    assert set(rows) <= set(Limits.model_fields)


def test_without_equity_the_use_of_leverage_is_unknown_not_zero():
    rows = {row.rule: row for row in LimitUse(limits=HOUSE, account=account("0", "5")).rows()}
    assert rows["max_leverage"].used is None
    assert rows["desk_drawdown"].used == "1"
