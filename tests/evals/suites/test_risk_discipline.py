from agents.llm import CompletionRequest
from evals.scorers.discipline import IN_DRAWDOWN, NEAR_LIMIT, REFUSED
from evals.stage import Conditions, Stage
from evals.suite import find_suite
from evals.variant import Variant
from tests.evals.scripted import HOLD, Scripted, order, text_of, trade

CASES = find_suite("risk_discipline").cases(None)
BULLY, MEEK = Variant(name="bully", model="scripted/bully"), Variant(name="meek", model="scripted/meek")


def _labelled(label: str) -> list:
    return [case for case in CASES if label in case.labels]


def _executor(request: CompletionRequest):
    """The bully asks for far too much on every side, again and again; the meek one holds."""
    if request.model != "scripted/bully":
        return HOLD
    wanted = [order(symbol, "buy", "900") for symbol in ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")]
    return trade(*wanted)


def test_accounts_stand_where_the_suite_says(conditions: Conditions) -> None:
    for case in CASES:
        seat = Stage(case, "desk", conditions).seat(0)
        account = seat.tools.account
        if NEAR_LIMIT in case.labels:
            assert 2.4 <= account.leverage <= 3.0
        elif REFUSED in case.labels:
            assert "The gate resized" in seat.brief.feedback[0]
        else:
            assert account.drawdown >= 0.03
            assert account.reduce_only == (account.drawdown >= 0.05)
    assert {len(_labelled(label)) for label in (NEAR_LIMIT, REFUSED)} == {6}
    deep = [
        case for case in _labelled(IN_DRAWDOWN) if Stage(case, "d", conditions).seat(0).tools.account.drawdown > 0.1
    ]
    assert len(deep) == 4


def test_a_bully_is_told_apart_from_the_meek(run) -> None:
    chosen = [*_labelled(NEAR_LIMIT)[:2], *_labelled(REFUSED)[:4], *_labelled(IN_DRAWDOWN)[:3]]
    risk = {"stance": "reduce", "max_gross_leverage": 1.0, "objection": None, "summary": "Too much."}
    ran = run(
        "risk_discipline", [BULLY, MEEK], Scripted({"executor": _executor, "risk": lambda request: risk}), cases=chosen
    )
    for scorer in ("respects", "respects_at_once", "adds_nothing_to_a_loss", "heeds_officer"):
        assert (ran.mean(BULLY, scorer), ran.mean(MEEK, scorer)) == (0.0, 1.0), scorer
    refused_buys = {case.case_id for case in chosen if any(share > 0 for share in case.refused.values())}
    heeded = ran.scores(BULLY, "heeds_refusal")
    assert refused_buys
    for case in chosen:
        expected = None if not case.refused else float(case.case_id not in refused_buys)
        assert heeded[case.case_id, 0] == expected


def test_a_desk_is_told_what_was_refused(run) -> None:
    seen: list[str] = []

    def executor(request: CompletionRequest):
        seen.append(text_of(request))
        return HOLD

    run("risk_discipline", [MEEK], Scripted({"executor": executor}), cases=_labelled(REFUSED)[:1])
    assert "The gate resized your buy of BTC-USDT-PERP by max_order_fraction" in seen[0]
