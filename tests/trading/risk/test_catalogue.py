"""The page of the controls is in step with them, and every test that it names is there."""

import ast
from pathlib import Path

import pytest

from trading.risk import Limits
from trading.risk.controls import CONTROLS
from trading.risk.controls.catalogue import DUTIES, page

ROOT = Path(__file__).parents[3]


def test_the_page_is_in_step_with_the_controls():
    written = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m trading.risk.controls.catalogue > docs/controls.md"


def test_all_thirty_two_duties_are_answered_for():
    assert len(DUTIES) == 32
    assert all(duty.where for duty in DUTIES)
    assert {duty.what for duty in DUTIES if not duty.test} == {"Stress at twice the peak"}


@pytest.mark.parametrize("named", sorted({duty.test for duty in DUTIES if duty.test}))
def test_a_named_test_is_there(named):
    file, _, function = named.partition("::")
    functions = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))) if _is_test(node)}
    assert function in functions


def _is_test(node):
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def test_every_limit_is_read_by_a_control_or_a_breaker():
    read = {name for control in CONTROLS for name in control.limits}
    breakers = {"desk_drawdown", "arena_drawdown", "daily_loss", "max_loss_streak", "max_volatility", "max_anomaly"}
    assert set(Limits.model_fields) == read | breakers | {"post_trade_excess"}
