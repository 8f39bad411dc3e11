import hashlib

import pytest

from agents.llm import CompletionRequest
from evals.suite import find_suite
from evals.twins import compare_twins
from evals.variant import Variant
from tests.evals.scripted import HOLD, Scripted, facts_of, order, symbols_of, text_of, trade

CASES = find_suite("consistency").cases(None)[:12]
STEADY, FIRST, MOODY = (Variant(name=name, model=f"scripted/{name}") for name in ("steady", "first", "moody"))


def _executor(request: CompletionRequest):
    match request.model:
        case "scripted/steady":
            digest = hashlib.sha256(facts_of(request)["as_of"].encode()).hexdigest()
            return trade(order("BTC-USDT-PERP", ("buy", "sell")[int(digest, 16) % 2], "0.01"))
        case "scripted/first":
            return trade(order(symbols_of(request)[0], "buy", "0.01"))
        case _:
            digest = hashlib.sha256(f"{request.seed}{text_of(request)}".encode()).hexdigest()
            return trade(order("BTC-USDT-PERP", "buy", "0.01")) if int(digest, 16) % 2 else HOLD


def test_who_decides_by_the_state_is_consistent_and_who_decides_by_order_or_mood_is_not(run) -> None:
    ran = run("consistency", [STEADY, FIRST, MOODY], Scripted({"executor": _executor}), cases=CASES[:6], epochs=4)
    for scorer in ("agrees", "repeats", "keeps_reworded", "keeps_reordered", "unanimous"):
        assert ran.mean(STEADY, scorer) == 1.0
    assert ran.mean(FIRST, "repeats") == 1.0
    assert ran.mean(FIRST, "keeps_reworded") == 1.0
    assert ran.mean(FIRST, "keeps_reordered") == 0.0
    # A coin agrees with half of the others; all four alike is one time in eight.
    assert ran.mean(MOODY, "agrees") == pytest.approx(0.5, abs=0.2)
    assert ran.mean(MOODY, "repeats") == pytest.approx(0.5, abs=0.2)
    assert 0.0 <= (ran.mean(MOODY, "unanimous") or 0.0) <= 0.5
    # Agreement among n tries with c one way is C(c,2) + C(n-c,2) over C(n,2), here worked out by hand from the record.
    digest = MOODY.sha256
    tries = [one for one in ran.store.attempts(suite="consistency", variant=digest) if one.case_id == CASES[0].case_id]
    acted = [bool(ran.store.trial(one.seq).decision.intents) for one in tries]
    scores = ran.scores(MOODY, "repeats")
    for epoch, mine in enumerate(acted):
        assert scores[CASES[0].case_id, epoch] == pytest.approx((acted.count(mine) - 1) / 3)


def test_twins_are_compared_by_kind(run, store) -> None:
    ran = run("consistency", [STEADY], Scripted({"executor": _executor}), cases=CASES)
    found = compare_twins(store, ran.suite, CASES, "steady", scorer="answered")
    assert [one.alteration for one in found] == ["paraphrase", "reorder"]
    assert all(one.comparison.cases == len({c.twin for c in CASES if c.twin and c.split == "dev"}) for one in found)
