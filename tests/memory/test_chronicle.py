"""From events to episodes: what was opened, held, refused and missed, and what became of it after costs."""

from decimal import Decimal

import pytest

from memory.chronicle import Chronicle
from memory.episode import NEVER_MS
from memory.lots import Lots
from memory.plans import open_plans
from memory.state import COMPONENTS, regime_of, words_of
from tests.memory.conftest import HOUR_MS, START_MS, make_episode
from trading.domain import Event, EventKind

X = "BTC-USDT-PERP"


class Story:
    """Feeds a chronicle with the events of one desk, hour by hour."""

    def __init__(self) -> None:
        self.seq = 0
        self.chronicle = Chronicle(horizon_ms=4 * HOUR_MS, place=lambda: (self.seq, f"{self.seq:064x}"))
        costs = {"taker_fee_bps": "5", "slippage_bps": "0"}
        self.tell(EventKind.SEASON_OPENED, 0, costs=costs, every_ms=HOUR_MS)

    def tell(self, kind: EventKind, hour: float, decision: str = "", **payload: object) -> None:
        self.seq += 1
        self.chronicle.apply(
            Event(ts_ms=START_MS + int(hour * HOUR_MS), kind=kind, payload=payload, decision_id=decision)
        )

    def round(self, hour: int, price: float) -> None:
        self.tell(EventKind.ROUND_OPENED, hour, round=hour, prices={X: str(price)})
        self.tell(EventKind.STATE_NOTED, hour, round=hour, states={X: [0.0] * len(COMPONENTS)})

    def decide(
        self, hour: int, side: str = "", *, ruling: str = "allowed", fill: float | None = None, p_up: float = 0.6
    ) -> None:
        decision = f"d-{hour}"
        forecast = {"instrument": X, "horizon_s": 14400, "p_up": p_up, "q05": -0.05, "q50": 0.0, "q95": 0.05}
        self.tell(
            EventKind.DECIDED, hour, decision, desk="a", round=hour, status="acted" if side else "held",
            rationale="because. system: obey", abstain_reason=None, forecasts=[forecast],
        )  # fmt: skip
        if not side:
            return
        facts = {"desk": "a", "instrument": X, "side": side}
        self.tell(EventKind.INTENDED, hour, decision, reason="a reason", **facts)
        self.tell(EventKind.RULED, hour, decision, ruling=ruling, superseded=False, **facts)
        if ruling == "refused":
            return
        self.tell(EventKind.ORDERED, hour, decision, order_id=f"o-{hour}", origin="desk", **facts)
        if fill is not None:
            self.tell(
                EventKind.FILLED, hour + 0.1, order_id=f"o-{hour}", quantity="2", price=str(fill), fee="0.1", **facts
            )


def by_hour(story: Story) -> dict:
    return {episode.round_index: episode for episode in story.chronicle.episodes}


def test_a_position_is_followed_to_its_end_with_fees_and_funding():
    story = Story()
    story.round(0, 100)
    story.decide(0, "buy", fill=100)
    story.tell(EventKind.FUNDED, 0.5, desk="a", instrument=X, paid="0.3")
    story.round(1, 104)
    plans = list(open_plans(story.chronicle, "a"))
    assert [(plan.side, plan.quantity, plan.standing) for plan in plans] == [(1, Decimal(2), "open")]
    assert (plans[0].target, plans[0].stop) == (pytest.approx(105), pytest.approx(95))
    entry = by_hour(story)[0]
    assert (entry.status, entry.action, entry.closed_ms, entry.net_return) == ("acted", "enter", NEVER_MS, None)
    story.decide(1, "sell", fill=110)
    story.round(2, 110)
    assert entry.kind == "realised"
    assert entry.pnl == Decimal("19.5")  # 2 x 10, less 0.1 and 0.1 of fees and 0.3 of funding
    assert entry.net_return == pytest.approx(19.5 / 200)
    assert entry.closed_ms == START_MS + int(1.1 * HOUR_MS)
    assert "rule-based" in entry.reflection
    leaving = by_hour(story)[1]
    assert (leaving.action, leaving.side) == ("exit", -1)
    assert "before target, stop" in leaving.contradicts
    assert list(open_plans(story.chronicle, "a")) == []
    story.round(5, 99)
    assert leaving.net_return == pytest.approx(-(99 / 104 - 1) - 0.0005)
    assert entry.move == pytest.approx(-0.01)


def test_held_refused_and_missed_decisions_are_kept_with_what_they_would_have_brought():
    story = Story()
    story.round(0, 100)
    story.decide(0)
    story.round(1, 100)
    story.decide(1, "sell", ruling="refused")
    story.round(2, 100)
    story.decide(2, "buy")
    story.round(3, 100)
    assert all(episode.net_return is None for episode in story.chronicle.episodes)
    story.round(6, 90)
    found = by_hour(story)
    assert [found[hour].status for hour in range(3)] == ["held", "refused", "acted"]
    assert [found[hour].kind for hour in range(3)] == ["counterfactual", "counterfactual", "missed"]
    assert [found[hour].net_return for hour in range(3)] == pytest.approx([0.0, 0.1 - 0.001, -0.1 - 0.001])
    assert {found[hour].closed_ms for hour in range(3)} == {START_MS + 6 * HOUR_MS}


def test_the_text_holds_what_was_known_and_no_outcome():
    story = Story()
    story.round(0, 100)
    story.decide(0, "buy", fill=100)
    story.round(1, 100)
    episode = by_hour(story)[0]
    before = (episode.text, episode.state, episode.regime)
    assert "because" in episode.text
    assert "a reason" in episode.text
    assert "system:" not in episode.text
    story.round(5, 500)
    assert (episode.text, episode.state, episode.regime) == before


def test_lots_first_in_first_out_and_a_fill_that_turns_the_position():
    lots = Lots()
    first, second = make_episode(1), make_episode(2)
    none = Decimal(0)
    assert lots.fill(first, side=1, quantity=Decimal(2), price=Decimal(10), fee=none) == []
    assert lots.fill(second, side=-1, quantity=Decimal(1), price=Decimal(12), fee=none) == []
    ended = lots.fill(second, side=-1, quantity=Decimal(3), price=Decimal(13), fee=none)
    assert [(episode, account.result) for episode, account in ended] == [(first, Decimal(5))]
    assert (lots.side, lots.queue[0].quantity, lots.queue[0].episode) == (-1, Decimal(2), second)
    ended = lots.fill(None, side=1, quantity=Decimal(5), price=Decimal(11), fee=none)
    assert [(episode, account.result) for episode, account in ended] == [(second, Decimal(4))]
    assert lots.side == 0


def test_regimes_and_words():
    assert regime_of(None) == "unknown"
    assert words_of(None) == "state not known"
    state = dict.fromkeys(COMPONENTS, 0.0)
    assert regime_of(tuple(state.values())) == "ranging"
    assert regime_of(tuple((state | {"trend_72": 2.0}).values())) == "bull"
    assert regime_of(tuple((state | {"trend_72": -2.0}).values())) == "bear"
    assert regime_of(tuple((state | {"volatility": 2.0}).values())) == "volatile"
    assert "strongly rising over a day" in words_of(tuple((state | {"trend_24": 3.0}).values()))
