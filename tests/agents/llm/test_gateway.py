"""The gateway over a client of the tests, in virtual time: what is asked again, of whom, and until when."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.llm import Attempt, Completion, CompletionRequest, Gateway, Limiter
from agents.llm.catalogue import catalogue
from agents.llm.hedge import Latencies
from agents.llm.retry import Retry
from trading.domain.errors import ModelFailure, ModelUnavailable

MODEL, FALLBACK, LAST = "openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5", "house/momentum"
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}}}


def request(**changes):
    stated = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [],
        "tool_choice": "none",
        "response_format": FORMAT,
        "seed": 11,
        "timeout_s": 60.0,
        "prompt_sha256": "p",
        "tools_sha256": "t",
    }
    return CompletionRequest(**{**stated, **changes})


def good(model, tokens=10):
    return Completion(
        content="{}",
        tool_requests=(),
        finish_reason="stop",
        refusal=None,
        model_answered=f"{model}-dated",
        tokens_in=tokens,
        tokens_out=1,
        usd=0.25,
    )


def failure(reason, **more):
    kind = ModelUnavailable if reason in {"rate_limited", "unavailable", "timeout"} else ModelFailure
    return kind(reason, reason=reason, **more)


class World:
    """A client that plays a plan by model, on a clock that moves only when somebody waits or a call takes time."""

    def __init__(self, **plan):
        self.plan = {{"a": MODEL, "b": FALLBACK, "c": LAST}[name]: list(outcomes) for name, outcomes in plan.items()}
        self.now_s = 0.0
        self.slept = []
        self.asked = []
        limiter = Limiter(clock=self.clock, sleep=self.sleep)
        self.gateway = Gateway(self.client, catalogue(), limiter, clock=self.clock, sleep=self.sleep)

    def clock(self):
        return self.now_s

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds

    async def client(self, asked):
        self.asked.append(asked)
        outcomes = self.plan[asked.model]
        outcome = outcomes.pop(0) if outcomes else good(asked.model)
        if outcome == "hang":
            self.now_s += asked.timeout_s
            raise failure("timeout")
        self.now_s += 1.0
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def ask(self, **changes):
        return asyncio.run(self.gateway.complete(request(**changes)))

    def refused(self, **changes):
        with pytest.raises(ModelFailure) as caught:
            self.ask(**changes)
        return caught.value


def test_a_good_answer_is_one_attempt():
    world = World(a=[])
    completion = world.ask()
    assert completion.substitute is None
    assert completion.attempts == (
        Attempt(
            model=MODEL, outcome="ok", model_answered=f"{MODEL}-dated", tokens_in=10, tokens_out=1, usd=0.25,
            latency_ms=1000.0,
        ),
    )  # fmt: skip
    assert world.slept == []


def test_what_passes_is_asked_again_and_told():
    world = World(a=[failure("unavailable", status=503), failure("rate_limited", status=429, retry_after_s=2.0)])
    completion = world.ask()
    assert [attempt.outcome for attempt in completion.attempts] == ["unavailable", "rate_limited", "ok"]
    assert 0.0 <= world.slept[0] <= 0.5
    assert 2.0 <= world.slept[1] <= 3.0
    assert World(a=[failure("unavailable")] * 2).ask().attempts[0].tokens_in is None, "nobody knows what was billed"


def test_waits_follow_the_request_so_that_a_test_can_be_repeated():
    slept = [World(a=[failure("unavailable")] * 2) for _ in range(2)]
    for world in slept:
        world.ask()
    assert slept[0].slept == slept[1].slept
    other = World(a=[failure("unavailable")] * 2)
    other.ask(prompt_sha256="q")
    assert other.slept != slept[0].slept


@pytest.mark.parametrize("reason", ["auth", "unknown_model", "context_window", "refused"])
def test_what_does_not_pass_is_asked_once(reason):
    world = World(a=[failure(reason)])
    caught = world.refused()
    assert caught.reason == reason
    assert [attempt.outcome for attempt in caught.attempts] == [reason]


def test_attempts_are_bounded():
    world = World(a=[failure("unavailable")] * 9)
    assert len(world.refused().attempts) == 3


def test_a_refused_form_is_replaced_by_the_next_until_there_is_none():
    world = World(a=[failure("bad_request", status=400)])
    assert [attempt.outcome for attempt in world.ask().attempts] == ["bad_request", "ok"]
    assert [asked.method for asked in world.asked] == ["schema", "tool"]
    world = World(a=[failure("bad_request", status=400)] * 9)
    assert world.refused().reason == "bad_request"
    assert [asked.method for asked in world.asked] == ["schema", "tool", "text"]


def test_another_model_is_asked_only_where_it_is_declared_and_is_named_then():
    assert World(a=[failure("auth")]).refused().reason == "auth"
    world = World(a=[failure("auth", status=401)], b=[])
    completion = world.ask(fallbacks=(FALLBACK,))
    assert completion.substitute == FALLBACK
    assert [(attempt.model, attempt.outcome) for attempt in completion.attempts] == [
        (MODEL, "auth"),
        (FALLBACK, "ok"),
    ]


def test_a_refusal_is_the_models_own_answer():
    world = World(a=[failure("refused")], b=[])
    assert world.refused(fallbacks=(FALLBACK,)).reason == "refused"
    assert [asked.model for asked in world.asked] == [MODEL]


def test_the_failure_is_that_of_the_model_asked_for_and_tells_of_all():
    world = World(a=[failure("auth")], b=[failure("unknown_model")])
    caught = world.refused(fallbacks=(FALLBACK,))
    assert caught.reason == "auth"
    assert [attempt.model for attempt in caught.attempts] == [MODEL, FALLBACK]


def test_a_house_model_may_stand_in_and_costs_nothing_of_the_limits():
    world = World(a=[failure("auth")], c=[])
    assert world.ask(fallbacks=(LAST,)).substitute == LAST


def test_a_hang_costs_its_deadline_and_nothing_more():
    world = World(a=["hang"] * 9)
    caught = world.refused(timeout_s=10.0)
    assert caught.reason == "timeout"
    assert world.now_s == pytest.approx(10.0)
    assert len(caught.attempts) == 1


def test_a_hanging_model_leaves_each_fallback_its_share():
    world = World(a=["hang"] * 9, b=["hang"] * 9, c=[])
    completion = world.ask(timeout_s=12.0, fallbacks=(FALLBACK, LAST))
    assert [asked.timeout_s for asked in world.asked] == pytest.approx([4.0, 4.0, 4.0])
    assert completion.substitute == LAST


def test_no_wait_is_begun_that_does_not_fit():
    world = World(a=[failure("rate_limited", retry_after_s=60.0)] * 3)
    world.refused(timeout_s=30.0)
    assert world.slept == []
    assert len(world.asked) == 1


def test_house_models_go_straight_through():
    world = World(c=[])
    completion = world.ask(model=LAST)
    assert completion.attempts == ()
    assert world.asked[0].timeout_s == 60.0


PASSING = st.sampled_from(["unavailable", "rate_limited", "garbled", "timeout"])
LASTING = st.sampled_from(["auth", "bad_request", "refused", "unknown_model", "context_window"])
OUTCOME = st.one_of(
    st.just("hang"), st.just(None), PASSING, LASTING, st.tuples(st.just("rate_limited"), st.floats(0, 90))
)


def _played(outcome, model):
    if outcome is None:
        return good(model)
    if outcome == "hang":
        return "hang"
    if isinstance(outcome, tuple):
        return failure(outcome[0], retry_after_s=outcome[1])
    return failure(outcome)


@settings(deadline=None, max_examples=200)
@given(st.lists(OUTCOME, max_size=8), st.lists(OUTCOME, max_size=8), st.floats(0.5, 100), st.booleans())
def test_whatever_happens_it_ends_in_time_with_an_answer_or_a_reason_and_all_told(first, second, left_s, backed):
    world = World(
        a=[_played(outcome, MODEL) for outcome in first], b=[_played(outcome, FALLBACK) for outcome in second]
    )
    completion, caught = None, None
    try:
        completion = world.ask(timeout_s=left_s, fallbacks=(FALLBACK,) if backed else ())
    except ModelFailure as raised:
        caught = raised
    told = completion or caught
    sent = [attempt.model for attempt in told.attempts if (attempt.outcome, attempt.tokens_in) != ("timeout", 0)]
    assert sent == [asked.model for asked in world.asked]
    assert set(sent) <= ({MODEL, FALLBACK} if backed else {MODEL})
    assert all(0 < asked.timeout_s <= left_s for asked in world.asked)
    assert world.now_s <= left_s + len(world.asked), "a call of the plan takes a second, whatever the limit"
    if completion is not None:
        assert told.attempts[-1].outcome == "ok"
        assert (completion.substitute or MODEL) == told.attempts[-1].model
        assert completion.model_answered == f"{told.attempts[-1].model}-dated"
    else:
        assert caught.reason in {attempt.outcome for attempt in told.attempts if attempt.model == MODEL}


class Slow:
    """A client whose calls take the given seconds of real time, one after the other."""

    def __init__(self, *seconds):
        self.seconds = list(seconds)
        self.cancelled = 0

    async def __call__(self, asked):
        try:
            await asyncio.sleep(self.seconds.pop(0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return good(asked.model)


def hedging(client, *, known_s=0.02):
    latencies = Latencies()
    for _ in range(20):
        latencies.note(MODEL, known_s)
    return Gateway(client, catalogue(), Limiter(), retry=Retry(attempts=1), latencies=latencies)


@pytest.mark.asyncio
async def test_a_slow_call_is_sent_again_and_both_are_on_record():
    client = Slow(5.0, 0.0)
    completion = await hedging(client).complete(request(hedge=True))
    assert sorted(attempt.outcome for attempt in completion.attempts) == ["ok", "overtaken"]
    overtaken = next(attempt for attempt in completion.attempts if attempt.outcome == "overtaken")
    assert overtaken.tokens_in is None, "it may well be billed"
    assert client.cancelled == 1


@pytest.mark.asyncio
async def test_without_being_asked_to_or_without_samples_it_does_not_hedge():
    client = Slow(0.06)
    assert len((await hedging(client).complete(request())).attempts) == 1
    gateway = Gateway(Slow(0.06), catalogue(), Limiter())
    assert len((await gateway.complete(request(hedge=True))).attempts) == 1


@pytest.mark.asyncio
async def test_latencies_are_learnt_from_answers():
    client = Slow(*[0.0] * 20, 5.0, 0.0)
    gateway = Gateway(client, catalogue(), Limiter())
    for number in range(21):
        completion = await gateway.complete(replace(request(hedge=True), prompt_sha256=str(number)))
    assert len(completion.attempts) == 2
