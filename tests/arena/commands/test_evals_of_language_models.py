"""Suites, the lab, the gate and blind battles with a language model on loopback beside a house model."""

from pathlib import Path
from typing import Any

import pytest

from tests.wire import MakerSetup, serve_makers

DESKS = ("--variant", "mini=openai/gpt-5.4-mini", "--variant", "house/momentum")
ENDED_S = 200


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_language_model_is_tried_compared_gated_scored_again_and_shown_in_the_lab(lab: Any, tmp_path: Path) -> None:
    home = ("--json", "--home", tmp_path / "home")
    with serve_makers(MakerSetup(name="openai")) as makers:

        def call(*words: object, code: int = 0) -> Any:
            said = lab.fork(*words, *home, **makers.environment).ended(ENDED_S)
            assert said.code == code, said.err
            return said.document

        made = call("eval", "run", "decisions", *DESKS, "--cases", 6)
        assert made["attempts"] == {"found": 0, "done": 12, "errors": 0, "unpaid": 0}
        assert {row["variant"]: row["rule_based"] for row in made["variants"]} == {
            "mini": False,
            "house/momentum": True,
        }
        paid = len(makers["openai"].ledger.calls)
        assert paid >= 24

        shown = call("lab", "decisions", *DESKS, "--cases", 6, "--baseline", "house/momentum")
        assert shown["verdict"] in ("better", "worse", "not separable")
        assert shown["n"] == 6
        found = call("eval", "compare", "mini", "house/momentum", "--scorer", "grounded")
        assert found["n"] + found["dropped"] <= 6
        assert call("eval", "rescore", "decisions")["scored"] == 12
        gated = lab.fork("eval", "gate", "mini", "--baseline", "house/momentum", *home, **makers.environment)
        assert gated.ended(ENDED_S).code in (0, 100)
        assert len(makers["openai"].ledger.calls) == paid, "what is on record is not asked again"

        ablated = call("eval", "ablate", "--variant", "mini=openai/gpt-5.4-mini", "--cases", 6, "--without", "risk")
        assert [row["without"] for row in ablated["ablations"]] == ["risk"]
        assert ablated["ablations"][0]["saved"]["tokens"] > 0
