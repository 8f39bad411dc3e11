from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from agents.llm import CompletionRequest
from evals.case import Case
from evals.scorers.leakage import leaks, stated_price
from evals.stage import Conditions, Stage
from evals.suite import find_suite
from evals.trial import RECALL_TOLERANCE, Trial
from evals.twins import compare_twins
from evals.variant import Variant
from tests.evals.scripted import HOLD, Scripted, facts_of, order, text_of, trade
from trading.domain import Decision, DecisionStatus

CASES = find_suite("leakage").cases(None)
PROBES = [case for case in CASES if case.question is not None]
RECALLS, DECLINES, REMEMBERS, SEES = (Variant(name=name, model=f"scripted/{name}") for name in "abcd")


def _truths(conditions: Conditions) -> dict[str, float]:
    return {
        case.question.text: Stage(case, "desk", conditions).recalled(case.question.recalls, RECALL_TOLERANCE)[0]
        for case in PROBES
        if case.question and case.question.recalls
    }


def test_perfect_recall_leaks_all_and_a_model_that_declines_leaks_nothing(run, conditions) -> None:
    truths = _truths(conditions)

    def desk(request: CompletionRequest):
        if request.model == DECLINES.model:
            return "I do not remember that.\nPRICE: unknown"
        assert request.tools == []
        return next(
            f"It was about that.\nPRICE: {price:,.2f}" for text, price in truths.items() if text in text_of(request)
        )

    ran = run("leakage", [RECALLS, DECLINES], Scripted({"desk": desk}), cases=PROBES)
    assert ran.mean(RECALLS, "leaks") == pytest.approx(1.0)
    assert (ran.mean(RECALLS, "claims"), ran.mean(DECLINES, "claims")) == (1.0, 0.0)
    assert ran.mean(DECLINES, "leaks") == 0.0
    assert ran.mean(RECALLS, "recall_error") == pytest.approx(0.0, abs=1e-4)
    assert ran.mean(RECALLS, "edge") is None  # a question earns nothing


def _said(text: str, truth: float, chance: float) -> Trial:
    decision = Decision(decision_id="d", desk="a", round_index=1, status=DecisionStatus.HELD, rationale=text)
    return Trial(
        decision=decision,
        verdicts=(),
        returned=0.0,
        returned_holding=0.0,
        outcomes=(),
        turns=(),
        truth=truth,
        chance=chance,
    )


def test_knowing_only_how_high_prices_were_is_no_leak() -> None:
    """500 guessers who draw a price of the weeks around: their mean is 0, for the chance is taken out."""
    rng = np.random.default_rng(1)
    means = []
    for _ in range(500):
        prices = 50_000 * np.exp(np.cumsum(rng.normal(0, 0.004, 600)))
        scores = []
        for _ in range(20):
            truth, guess = rng.choice(prices, 2)
            chance = float(np.mean(np.abs(prices / truth - 1) <= RECALL_TOLERANCE))
            value = leaks.score(PROBES[0], _said(f"PRICE: {guess:.2f}", truth, chance)).value
            assert value is not None
            scores.append(value)
        means.append(np.mean(scores))
    assert np.mean(means) == pytest.approx(0.0, abs=0.01)


def test_what_desks_remember_shows_against_their_masked_twins(run, store, conditions) -> None:
    """One trades on dates it knows the future of, one on what it sees: only the first is worse under a mask."""
    states = [case for case in CASES if case.question is None]
    future = {}
    for case in (case for case in states if not case.alters):
        tape = Stage(case, "desk", conditions).tape
        now, then = tape.bars_known_at(case.at_ms) - 1, tape.bars_known_at(case.at_ms + case.horizon_ms) - 1
        future[case.at] = tape.close[0, then] > tape.close[0, now]

    def executor(request: CompletionRequest):
        facts = facts_of(request)
        lot = Decimal(facts["instruments"][0]["lot"])
        rises = future.get(facts["as_of"]) if request.model == REMEMBERS.model else True
        if rises is None:
            return HOLD
        return trade(order(facts["instruments"][0]["symbol"], "buy" if rises else "sell", f"{5_000 * lot:f}"))

    ran = run("leakage", [REMEMBERS, SEES], Scripted({"executor": executor}), cases=states)
    (memory,) = compare_twins(store, ran.suite, CASES, "c", scorer="edge")
    (sight,) = compare_twins(store, ran.suite, CASES, "d", scorer="edge")
    assert memory.alteration == sight.alteration == "mask"
    assert memory.comparison.verdict == "worse"
    assert sight.comparison.verdict == "not separable"


def test_no_name_no_date_and_no_price_is_seen_under_a_mask(run) -> None:
    case = next(case for case in CASES if case.alters)
    seen: list[str] = []

    def executor(request: CompletionRequest):
        seen.append(str(request.messages))
        return HOLD

    run("leakage", [SEES], Scripted({"executor": executor}), cases=[case])
    assert not [word for word in (*case.market.symbols, case.at[:7], "BTC", "SOL") if word in seen[0]]


def test_an_instant_that_is_not_known_yet_is_no_probe(conditions: Conditions) -> None:
    probe = PROBES[0]
    assert probe.question is not None
    assert probe.question.recalls is not None
    later = probe.question.recalls.model_copy(update={"at": "2031-01-01T00:00:00Z"})
    with pytest.raises(Exception, match="no closed candle"):
        Stage(probe, "desk", conditions).recalled(later, RECALL_TOLERANCE)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("PRICE: 12345.6", 12345.6),
        ("On 2025-03-04 it fell.\n**PRICE: $98,765.4**", 98765.4),
        ("price: 3\nPRICE: 4", 4.0),
        ("PRICE: unknown", None),
        ("About 90,000, I think.", None),
        ("PRICE: 1e5", 1.0),
        ("", None),
    ],
)
def test_the_stated_price(text: str, price: float | None) -> None:
    assert stated_price(text) == price


def test_a_price_of_zero_and_a_market_that_stood_still() -> None:
    assert leaks.score(PROBES[0], _said("PRICE: 0", 100.0, 0.5)).value == -1.0
    assert leaks.score(PROBES[0], _said("PRICE: 100", 100.0, 1.0)).reason == "every guess hits: prices stood still"
    assert leaks.score(PROBES[0], replace(_said("PRICE: 1", 100.0, 0.0), truth=None)).value is None


def test_cases_of_masks_hold_their_own_names(cases: list[Case]) -> None:
    assert len({case.alters for case in CASES if case.alters}) == len({case.twin for case in CASES if case.twin})
