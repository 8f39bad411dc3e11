"""Spending as a fold: what budgets demand follows from the model calls on record, once each, in order."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.feedback import amount_words, feedback_line
from agents.llm import Charge
from arena.seasons.budget_rules import BudgetRules, Degrade
from arena.seasons.desk_rules import Desk
from arena.seasons.spending import Spending
from trading.domain.event import Event, EventKind
from trading.engine.feedback import Feedback

CHEAP = Degrade.model_validate({"at": 0.9, "models": {"analyst": "maker/cheap"}})


def spending(*, desk_usd: float | None = None, degrade: Degrade | None = CHEAP, **limits: Any) -> Spending:
    desks = [
        Desk(name="one", model="maker/model", budget_usd=None if desk_usd is None else Decimal(str(desk_usd))),
        Desk(name="two", model="maker/model"),
        Desk(name="rules", model="house/momentum"),
    ]
    rules = BudgetRules.model_validate({**limits, "degrade": degrade})
    return Spending(rules, desks, ["one", "two"])


def called(desk: str, usd: float | None = 0.0, tokens: int | None = 0, outcome: str = "ok") -> Event:
    payload = {"desk": desk, "usd": usd, "tokens_in": tokens, "tokens_out": tokens and 0, "outcome": outcome}
    return Event(ts_ms=1, kind=EventKind.MODEL_CALLED, payload=payload)


def take(fold: Spending) -> list[tuple[str, str | None]]:
    """The steps that are due, put on record as the runner does."""
    events = list(fold.due(2))
    for event in events:
        fold.apply(event)
    return [(event.kind.value, event.payload["desk"]) for event in events]


def test_a_budget_warns_then_degrades_then_stops() -> None:
    fold = spending(usd=1)
    steps = []
    for usd in (0.79, 0.02, 0.08, 0.02, 0.09):
        fold.apply(called("one", usd))
        steps.append(take(fold))
    assert steps == [[], [("budget_warned", None)], [], [("budget_degraded", None)], [("budget_exhausted", None)]]
    assert fold.exhausted
    assert take(fold) == []


def test_several_steps_at_once_are_all_taken_in_order() -> None:
    fold = spending(usd=1)
    fold.apply(called("two", 3.0))
    assert [kind for kind, _ in take(fold)] == ["budget_warned", "budget_degraded", "budget_exhausted"]


def test_without_something_cheaper_there_is_no_degrading() -> None:
    fold = spending(usd=1, degrade=None)
    fold.apply(called("two", 0.99))
    assert [kind for kind, _ in take(fold)] == ["budget_warned"]
    assert not fold.is_degraded("two")


def test_a_refused_call_exhausts_the_budget_that_refused_it() -> None:
    fold = spending(usd=1, desk_usd=0.5)
    fold.apply(called("one", 0.1, outcome="desk_budget"))
    assert take(fold) == [("budget_exhausted", "one")]
    assert (fold.is_out("one"), fold.is_out("two"), fold.exhausted) == (True, False, False)
    fold.apply(called("two", outcome="season_budget"))
    assert take(fold) == [("budget_exhausted", None)]
    assert fold.exhausted


def test_a_desks_own_budget_concerns_only_the_desk() -> None:
    fold = spending(desk_usd=1)
    fold.apply(called("two", 50.0))
    fold.apply(called("one", 0.95))
    assert take(fold) == [("budget_warned", "one"), ("budget_degraded", "one")]
    assert (fold.is_degraded("one"), fold.is_degraded("two")) == (True, False)


def test_a_season_degrades_its_language_models_and_no_rules() -> None:
    fold = spending(tokens=1000)
    fold.apply(called("one", None, 950))
    take(fold)
    assert [fold.is_degraded(desk) for desk in ("one", "two", "rules")] == [True, True, False]


def test_the_measure_that_is_fuller_counts() -> None:
    fold = spending(usd=1, tokens=1000)
    fold.apply(called("one", 0.1, 850))
    (event,) = fold.due(2)
    assert (event.payload["measure"], event.payload["spent"], event.payload["limit"]) == ("tokens", "850", "1000")


def test_what_is_not_known_is_not_counted() -> None:
    fold = spending(usd=1, tokens=10)
    fold.apply(called("one", None, None))
    assert fold.spent("one") == fold.spent(None) == Charge()


def test_a_desk_is_told_once_in_words_of_its_own_budget_or_the_seasons() -> None:
    fold, feedback = spending(usd=1, desk_usd=0.5), Feedback()
    fold.apply(called("one", 0.81))
    for event in list(fold.due(2)):
        fold.apply(event)
        feedback.apply(event)
    told = [feedback_line(row) for row in feedback.of("one")]
    assert any("the season's budget of $1, $0.81 is spent" in line for line in told)
    assert any("the desk's budget of $0.5, $0.81 is spent" in line for line in told)
    assert len(feedback.of("two")) == 1
    assert feedback.of("rules") == []
    decided = Event(ts_ms=3, kind=EventKind.DECIDED, payload={"desk": "one"})
    feedback.apply(decided)
    assert feedback.of("one") == []


@pytest.mark.parametrize(
    ("measure", "amount", "words"),
    [("usd", "0.050000", "$0.05"), ("usd", "0.04522680000000064", "$0.045227"), ("tokens", "1200", "1200 tokens")],
)
def test_amounts_are_short(measure: str, amount: str, words: str) -> None:
    assert amount_words(measure, amount) == words


@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), st.floats(0, 0.4), st.integers(0, 300)), max_size=20),
    st.integers(0, 20),
)
def test_a_restart_in_between_says_the_same(calls: list[tuple[str, float, int]], cut: int) -> None:
    """The journal is all there is: a fold over it stands where the interrupted one stood."""
    straight, record, first = spending(usd=1, tokens=1000, desk_usd=0.5), [], spending(usd=1, tokens=1000, desk_usd=0.5)

    def go_on(fold: Spending, part: list[tuple[str, float, int]]) -> list[Event]:
        events = []
        for desk, usd, tokens in part:
            event = called(desk, usd, tokens)
            fold.apply(event)
            due = list(fold.due(2))
            for step in due:
                fold.apply(step)
            events += [event, *due]
        return events

    expected = go_on(straight, calls)
    record = go_on(first, calls[:cut])
    second = spending(usd=1, tokens=1000, desk_usd=0.5)
    for event in record:
        second.apply(event)
    assert record + go_on(second, calls[cut:]) == expected
