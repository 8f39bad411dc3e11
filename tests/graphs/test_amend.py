"""What a person changes goes through the gate again, and comes back where the gate says no."""

from dataclasses import replace
from decimal import Decimal

import pytest

from graphs import DeskGraph, Proposal, open_checkpoints
from tests.agents.staging import GOOD, INTENT, at_most, seat, team
from trading.domain import Approval, DecisionStatus, EventKind, IntentEdit, Ruling
from trading.engine.records import decision_events
from trading.risk.edits import LegChange, edits_of

pytestmark = pytest.mark.asyncio
PATH = ("analyst", "forecaster", "risk", "executor", "gate")
ETH = {**INTENT, "instrument": "ETH-USDT-PERP", "side": "sell"}


class Person:
    """Answers in turn: a list of changes, True, False, or None for an answer that did not come."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.shown: list[Proposal] = []

    async def __call__(self, proposal):
        self.shown.append(proposal)
        said = self.answers.pop(0)
        edits = edits_of(proposal.rulings, said, proposal.lots) if isinstance(said, list) else ()
        return Approval(
            approved=bool(said),
            by=None if said is None else "ada",
            note="less",
            proposal=proposal.proposal_id,
            edits=edits,
        )


def size(quantity, leg=1):
    return [LegChange(leg=leg, values={"quantity": quantity})]


async def decided(person, path, **changes):
    with open_checkpoints(path / "c.sqlite") as saver:
        return await DeskGraph(saver, "sync").decide(
            team("staged/x"), seat(needs_approval=True, approver=person, **changes)
        )


def quantities(rows):
    return [str(row.intent.quantity) for row in rows]


async def test_what_was_changed_is_sent_and_the_original_is_kept(stage, tmp_path):
    person = Person(size("0.5"))
    decision = await decided(person, tmp_path)
    assert decision.status is DecisionStatus.ACTED
    assert [str(intent.quantity) for intent in decision.intents] == ["0.5"]
    assert decision.path == (*PATH, "approve", "amend")
    assert (quantities(decision.superseded), [one.attempt for one in decision.superseded]) == (["2"], [0])
    assert person.shown[0].lots == {"BTC-USDT-PERP": "0.001"}
    (told,) = [event for event in decision_events(decision, 0) if event.kind is EventKind.APPROVAL_ANSWERED]
    (row,) = told.payload["edits"]
    wanted = next(event for event in decision_events(decision, 0) if event.kind is EventKind.INTENDED)
    assert row["intent_id"] == wanted.payload["intent_id"], "the change names the intent it was made to"
    assert (row["leg"], row["name"], row["old"], row["new"]) == (1, "quantity", "2", "0.5")


async def test_a_dropped_leg_is_not_sent(stage, tmp_path):
    stage.lines["executor_decision"] = [{**GOOD["executor_decision"], "intents": [INTENT, ETH]}]
    decision = await decided(Person([LegChange(leg=1, drop=True)]), tmp_path)
    assert [(intent.instrument, intent.side) for intent in decision.intents] == [("ETH-USDT-PERP", "sell")]
    assert len(decision.superseded) == 2


async def test_what_the_gate_refuses_comes_back_to_the_person(stage, tmp_path):
    person = Person(size("500"), size("3"))
    decision = await decided(person, tmp_path, preview=at_most("3"))
    first, again = person.shown
    assert first.proposal_id != again.proposal_id
    assert [(row["by"], row["name"], row["new"]) for row in again.changed] == [("ada", "quantity", "500")]
    assert (again.rulings[0]["ruling"], again.rulings[0]["message"]) == ("resized", "at most 3")
    assert decision.path == (*PATH, "approve", "amend", "approve", "amend")
    assert [intent.quantity for intent in decision.intents] == [Decimal(3)]
    assert quantities(decision.superseded) == ["2", "500"]
    assert [one.attempt for one in decision.superseded] == [0, 1]
    assert [one.attempt for one in decision.approvals] == [0, 1]
    ruled = [event.payload for event in decision_events(decision, 0) if event.kind is EventKind.RULED]
    assert [row.get("edited", False) for row in ruled] == [False, True], (
        "what the gate says to a person is not the desk's"
    )


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [(False, DecisionStatus.HELD, "not approved by ada"), (None, DecisionStatus.ABSTAINED, "nobody answered in time")],
)
async def test_after_a_refused_change_nothing_is_sent_without_an_answer(stage, tmp_path, answer, status, words):
    decision = await decided(Person(size("500"), answer), tmp_path, preview=at_most("3"))
    assert (decision.status, decision.intents) == (status, ())
    assert words in (decision.abstain_reason or decision.rationale)
    assert quantities(decision.superseded) == ["2", "500"]
    assert decision.superseded[-1].verdict.ruling is Ruling.RESIZED
    assert len(decision.approvals) == 2


async def test_what_a_person_has_seen_refused_is_not_asked_again(stage, tmp_path):
    """Of two legs one is cut in any case: changing the other one needs no second answer."""
    stage.lines["executor_decision"] = [
        {**GOOD["executor_decision"], "intents": [{**INTENT, "quantity": "9"}, ETH]}
    ] * 2
    person = Person(size("1", leg=2))
    decision = await decided(person, tmp_path, preview=at_most("3"))
    assert len(person.shown) == 1
    assert [str(intent.quantity) for intent in decision.intents] == ["9", "1"]


async def test_changed_back_it_is_asked_anew(stage, tmp_path):
    """The same intents a second time are another question: an answer given to the first one does not count for it."""
    stage.lines["executor_decision"] = [{**GOOD["executor_decision"], "intents": [{**INTENT, "quantity": "9"}]}] * 2
    person = Person(size("500"), size("9"), True)
    decision = await decided(person, tmp_path, preview=at_most("3"))
    assert len({one.proposal_id for one in person.shown}) == 3
    assert person.shown[0].rulings == person.shown[2].rulings
    assert decision.status is DecisionStatus.ACTED


async def test_left_between_two_answers_it_goes_on_from_there(stage, tmp_path):
    class Left(Exception):
        pass

    class Leaving(Person):
        async def __call__(self, proposal):
            if len(self.shown) == 1:
                raise Left
            return await super().__call__(proposal)

    with pytest.raises(Left):
        await decided(Leaving(size("500")), tmp_path, preview=at_most("3"))
    calls = len(stage.heard)
    nobody = await decided(None, tmp_path, preview=at_most("3"))
    assert nobody.abstain_reason == "approval: nobody was there to approve"
    assert nobody.intents == ()
    person = Person(size("2"))
    decision = await decided(person, tmp_path, preview=at_most("3"))
    assert len(stage.heard) == calls, "nobody is asked again"
    assert person.shown[0].rulings[0]["intent"]["quantity"] == "500"
    assert [str(intent.quantity) for intent in decision.intents] == ["2"]
    assert quantities(decision.superseded) == ["2", "500"]


@pytest.mark.parametrize(
    "edit",
    [
        IntentEdit(leg=7, instrument="BTC-USDT-PERP", name="quantity", old="2", new="1"),
        IntentEdit(leg=1, instrument="BTC-USDT-PERP", name="quantity", old="2", new="-1"),
        IntentEdit(leg=1, instrument="BTC-USDT-PERP", name="quantity", old="2", new="NaN"),
        IntentEdit(leg=1, instrument="BTC-USDT-PERP", name="nonsense", old="2", new="1"),
        IntentEdit(leg=1, instrument="BTC-USDT-PERP", name="limit_price", old=None, new="5"),
    ],
)
async def test_a_change_that_does_not_fit_abstains_by_name(stage, tmp_path, edit):
    async def person(proposal):
        return Approval(approved=True, by="ada", note="x", proposal=proposal.proposal_id, edits=(edit,))

    decision = await decided(person, tmp_path)
    assert decision.status is DecisionStatus.ABSTAINED
    assert decision.abstain_reason is not None
    assert decision.abstain_reason.startswith("amend: internal_error")
    assert decision.intents == ()


async def test_an_answer_without_a_change_is_journaled_as_ever(stage, tmp_path):
    decision = await decided(Person(True), tmp_path)
    (told,) = [event for event in decision_events(decision, 0) if event.kind is EventKind.APPROVAL_ANSWERED]
    assert set(told.payload) == {"desk", "proposal", "approved", "by", "note", "at_ms"}
    assert replace(decision.approvals[0], proposal="") == Approval(approved=True, by="ada", note="less")
