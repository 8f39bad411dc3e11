"""``journal audit``: every order of a run on its way from the price to the fill."""

from typing import Any

import pytest


def test_a_run_is_audited(finished: Any, lab: Any) -> None:
    home, said = finished
    document = lab.call("journal", "audit", "--home", home, "--last", "3", "--json").document
    assert document["run_id"] == said.document["run_id"]
    desks = {row["desk"]: row for row in said.document["desks"]}
    for row in document["desks"]:
        assert row["orders"] == desks[row["desk"]]["orders"]
        assert row["fills"] == desks[row["desk"]]["fills"]
        if row["fills"]:
            assert row["stages"]["acknowledge_ms"]["p50"] > 0
            assert row["slippage"]["arrival_bps"]["p50"] >= 0
            assert row["stages"]["thinking_ms"]["n"] == row["orders"]
    assert len(document["orders"]) == min(3, sum(row["orders"] for row in document["desks"]))
    plain = lab.call("journal", "audit", "--home", home)
    assert plain.code == 0
    assert "acknowledge_ms" in plain.out


@pytest.mark.parametrize("words", [("nothing-like-it",), ("--last", "-1"), ("--last", "1001")])
def test_rubbish_is_refused(finished: Any, lab: Any, words: tuple[str, ...]) -> None:
    assert lab.call("journal", "audit", *words, "--home", finished[0]).code == 2
