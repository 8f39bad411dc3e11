"""Many answers become one by the declared rule, whatever they are, and nobody who said otherwise is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.consensus import Rule, Voice, combine, contradictions
from agents.schemas import AnalystReport, ExecutorDecision, ForecasterReport, RiskReport

SYMBOLS = ("BTC", "ETH")
SHARES = st.floats(0, 1)


def analyst(confidence, **scores):
    signals = [{"instrument": symbol, "score": score, "reason": "because"} for symbol, score in scores.items()]
    return AnalystReport.model_validate(
        {"summary": "seen", "signals": tuple(signals), "confidence": confidence}, strict=False
    )


def forecaster(**rows):
    forecasts = [
        {"instrument": symbol, "horizon_s": 3600, "p_up": p_up, "q05": q05, "q50": q50, "q95": q95}
        for symbol, (p_up, q05, q50, q95) in rows.items()
    ]
    return ForecasterReport.model_validate({"summary": "f", "forecasts": forecasts}, strict=False)


def officer(stance, cap=None):
    return RiskReport.model_validate(
        {
            "stance": stance,
            "max_gross_leverage": cap,
            "objection": "why?" if stance == "object" else None,
            "summary": "r",
        },
        strict=False,
    )


def executor(confidence, **quantities):
    """A positive quantity is a buy, a negative one a sell."""
    intents = [
        {
            "instrument": symbol,
            "side": "buy" if quantity > 0 else "sell",
            "quantity": str(abs(quantity)),
            "order_type": "market",
            "limit_price": None,
            "reduce_only": False,
            "good_for_rounds": 1,
            "reason": "because",
        }
        for symbol, quantity in quantities.items()
        if quantity
    ]
    action = "trade" if intents else "hold"
    return ExecutorDecision.model_validate(
        {"action": action, "intents": intents, "confidence": confidence, "rationale": f"{quantities}"}, strict=False
    )


def voices(*answers):
    return [Voice(model=f"m{number}", answer=answer) for number, answer in enumerate(answers)]


def decided(rule, *answers, members=None):
    """What the panel trades, signed by instrument, and the whole decision."""
    decision = combine(voices(*answers), rule=rule, members=members or len(answers))
    signed = {
        intent.instrument: Decimal(intent.quantity) * (1 if intent.side == "buy" else -1) for intent in decision.intents
    }
    return signed, decision


def test_scores_are_means_weighted_by_confidence():
    report = combine(voices(analyst(0.9, BTC=1.0), analyst(0.1, BTC=-1.0)), rule=Rule.MAJORITY, members=2)
    assert [(row.instrument, row.score) for row in report.signals] == [("BTC", pytest.approx(0.8))]
    assert report.confidence == pytest.approx(0.5)


def test_scores_of_a_panel_without_confidence_are_plain_means():
    report = combine(voices(analyst(0.0, BTC=1.0), analyst(0.0, BTC=0.5)), rule=Rule.MAJORITY, members=2)
    assert report.signals[0].score == pytest.approx(0.75)


def test_what_only_half_speaks_of_is_left_out():
    report = combine(voices(analyst(1.0, BTC=1.0, ETH=1.0), analyst(1.0, BTC=1.0)), rule=Rule.MAJORITY, members=2)
    assert [row.instrument for row in report.signals] == ["BTC"]


def test_forecasts_are_medians_of_each_number():
    report = combine(
        voices(
            forecaster(BTC=(0.4, -0.03, 0.0, 0.02)),
            forecaster(BTC=(0.5, -0.01, 0.01, 0.09)),
            forecaster(BTC=(0.9, -0.02, 0.002, 0.03), ETH=(0.5, -0.1, 0.0, 0.1)),
        ),
        rule=Rule.MAJORITY,
        members=3,
    )
    (row,) = report.forecasts
    assert (row.p_up, row.q05, row.q50, row.q95) == (0.5, -0.02, 0.002, 0.03)


QUANTILES = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(sorted)


@given(st.lists(st.tuples(SHARES, QUANTILES), min_size=1, max_size=7))
def test_combined_forecast_is_one_and_lies_within_those_given(rows):
    answers = [forecaster(BTC=(p_up, *quantiles)) for p_up, quantiles in rows]
    (row,) = combine(voices(*answers), rule=Rule.MEDIAN, members=len(answers)).forecasts
    assert row.q05 <= row.q50 <= row.q95
    assert min(p_up for p_up, _ in rows) <= row.p_up <= max(p_up for p_up, _ in rows)


@pytest.mark.parametrize(
    ("given", "stance", "cap"),
    [
        ([("proceed", None), ("proceed", 2.0)], "proceed", 2.0),
        ([("proceed", None), ("reduce", 0.5), ("reduce", 1.0)], "reduce", 0.5),
        ([("reduce", 0.5), ("object", None), ("proceed", None)], "object", 0.5),
    ],
)
def test_the_strictest_stance_and_the_lowest_cap_stand(given, stance, cap):
    report = combine(voices(*(officer(*one) for one in given)), rule=Rule.MAJORITY, members=len(given))
    assert (report.stance, report.max_gross_leverage) == (stance, cap)
    assert bool(report.objection) == (stance == "object")


def test_majority_of_confidence_beats_a_majority_of_heads():
    bold, shy = executor(0.9, BTC=2), executor(0.3, BTC=-1)
    assert decided(Rule.MAJORITY, bold, shy, shy)[0] == {"BTC": Decimal(2)}
    assert decided(Rule.MAJORITY, shy, shy, executor(0.5, BTC=2))[0] == {"BTC": Decimal(-1)}


def test_majority_needs_more_than_half():
    traded, decision = decided(Rule.MAJORITY, executor(0.5, BTC=1), executor(0.5))
    assert traded == {}
    assert decision.action == "hold"


def test_majority_takes_the_middle_quantity_of_those_who_agree():
    answers = [executor(0.5, BTC=quantity) for quantity in (1, 3, 100)]
    assert decided(Rule.MAJORITY, *answers)[0] == {"BTC": Decimal(3)}
    assert decided(Rule.MAJORITY, *answers[:2])[0] == {"BTC": Decimal(1)}, "of two, the smaller"


def test_instruments_are_voted_on_one_by_one():
    traded, _ = decided(Rule.MAJORITY, executor(0.5, BTC=1, ETH=1), executor(0.5, BTC=1, ETH=-1), executor(0.5, ETH=-1))
    assert traded == {"BTC": Decimal(1), "ETH": Decimal(-1)}


def test_median_counts_a_hold_as_nothing():
    assert decided(Rule.MEDIAN, executor(0.5, BTC=4), executor(0.5, BTC=2), executor(0.5))[0] == {"BTC": Decimal(2)}
    assert decided(Rule.MEDIAN, executor(0.5, BTC=4), executor(0.5), executor(0.5))[0] == {}
    assert decided(Rule.MEDIAN, executor(0.5, BTC=4), executor(0.5, BTC=-4))[0] == {}


def test_unanimous_takes_the_smallest_and_wants_every_member():
    agreed = executor(0.9, BTC=4), executor(0.2, BTC=1)
    assert decided(Rule.UNANIMOUS, *agreed)[0] == {"BTC": Decimal(1)}
    assert decided(Rule.UNANIMOUS, *agreed, members=3)[0] == {}, "one member has not answered"
    assert decided(Rule.UNANIMOUS, *agreed, executor(0.1))[0] == {}


BALLOTS = st.lists(
    st.tuples(SHARES, st.dictionaries(st.sampled_from(SYMBOLS), st.integers(-9, 9))), min_size=1, max_size=6
)


@given(BALLOTS, st.sampled_from(list(Rule)))
def test_a_panel_trades_only_what_a_member_proposed_and_is_never_surer_than_its_surest(ballots, rule):
    answers = [executor(confidence, **quantities) for confidence, quantities in ballots]
    traded, decision = decided(rule, *answers)
    for symbol, quantity in traded.items():
        assert quantity in {quantities.get(symbol) for _, quantities in ballots}
    assert 0 <= decision.confidence <= max(confidence for confidence, _ in ballots) + 1e-12
    assert (decision.action == "trade") == bool(traded)
    assert combine(voices(*answers), rule=rule, members=len(answers)) == decision


@given(BALLOTS)
def test_unanimity_is_the_strictest_rule(ballots):
    answers = [executor(confidence, **quantities) for confidence, quantities in ballots]
    strict = decided(Rule.UNANIMOUS, *answers)[0]
    for rule in (Rule.MAJORITY, Rule.MEDIAN):
        looser = decided(rule, *answers)[0]
        for symbol, quantity in strict.items():
            assert symbol in looser, rule
            assert quantity * looser[symbol] > 0


def test_a_panel_of_one_is_its_member():
    for answer in (executor(0.7, BTC=2), executor(0.4)):
        for rule in Rule:
            _, decision = decided(rule, answer)
            assert (decision.intents, decision.confidence) == (answer.intents, answer.confidence)
            assert contradictions(Voice(model="m", answer=answer), decision) is None


def test_dissent_says_both_sides():
    answers = [executor(0.9, BTC=2), executor(0.9, BTC=1), executor(0.2, BTC=-1, ETH=1)]
    _, decision = decided(Rule.MAJORITY, *answers)
    apart = [contradictions(voice, decision) for voice in voices(*answers)]
    assert apart == [None, None, ("BTC: sell 1; ETH: buy 1", "BTC: buy 1; ETH: nothing")]
    holder = contradictions(Voice(model="m", answer=executor(0.5)), decision)
    assert holder == ("BTC: nothing", "BTC: buy 1")


def test_dissent_of_reports():
    report = combine(voices(analyst(0.9, BTC=0.5), analyst(0.1, BTC=-0.5)), rule=Rule.MAJORITY, members=2)
    assert contradictions(voices(analyst(0.1, BTC=-0.5))[0], report) == ("BTC: short -0.50", "BTC: long +0.40")
    assert contradictions(voices(analyst(0.1, BTC=0.1))[0], report) is None
    stance = combine(voices(officer("proceed"), officer("reduce", 1.0)), rule=Rule.MAJORITY, members=2)
    assert contradictions(voices(officer("proceed"))[0], stance) == ("stance: proceed", "stance: reduce")


def test_texts_of_many_members_stay_within_bounds():
    long = AnalystReport(summary="x" * 4000, signals=(), confidence=0.5)
    assert len(combine(voices(*[long] * 9), rule=Rule.MAJORITY, members=9).summary) <= 4000
    talker = executor(0.5).model_copy(update={"rationale": "y" * 4000})
    assert len(combine(voices(*[talker] * 9), rule=Rule.MAJORITY, members=9).rationale) <= 4000
