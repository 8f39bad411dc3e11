"""Budgets: never more is spent than was allowed, whatever comes at once, and what is refused says so."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.llm import Attempt, Budget, Charge, Purse
from agents.llm.budget import LEAST_OUTPUT_TOKENS
from agents.llm.ceiling import Ceiling, price_ceiling
from agents.llm.runtime import litellm_module
from tests.agents.llm.asking import answer, asked
from trading.domain.errors import ModelFailure, ModelUnavailable

DOLLAR = Decimal(1)
RATE = Ceiling(usd_in=Decimal("0.000001"), usd_out=Decimal("0.00001"))


def priced(model, prompt_tokens):
    return None if model == "maker/unpriced" else RATE


class Maker:
    """Bills what a test says for each call, after a moment; keeps what was sent."""

    def __init__(self, *bills: tuple[int, int]) -> None:
        self.bills = list(bills)
        self.sent = []
        self.billed = Charge()

    async def __call__(self, request):
        self.sent.append(request)
        tokens_in, tokens_out = self.bills.pop(0) if self.bills else (200, min(100, request.max_tokens))
        usd = tokens_in * RATE.usd_in + tokens_out * RATE.usd_out
        self.billed += Charge(usd=usd, tokens=tokens_in + tokens_out)
        await asyncio.sleep(0)
        known = None if request.model == "maker/unpriced" else float(usd)
        attempt = Attempt(
            model=request.model, outcome="ok", tokens_in=tokens_in, tokens_out=tokens_out, usd=known, latency_ms=1.0
        )
        return answer(usd=known, tokens_in=tokens_in, tokens_out=tokens_out, attempts=(attempt,))


def budget(inner, *, usd=None, tokens=None, desks=None):
    season = None if usd is None and tokens is None else Purse("season's", usd=usd, tokens=tokens)
    return Budget(inner, season=season, desks=desks or {}, ceilings=priced)


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 60_000),
    calls=st.lists(
        st.tuples(st.sampled_from(["one", "two"]), st.integers(1, 300), st.integers(0, 4096), st.booleans()),
        min_size=1,
        max_size=25,
    ),
)
def test_neither_dollars_nor_tokens_ever_pass_the_limits(limit, calls):
    """Whatever is asked at once and whatever providers bill, up to the most they can."""
    usd = Decimal(limit) * RATE.usd_out / 2

    async def play():
        maker = Maker()

        async def within(request):
            wanted_in, wanted_out = bills[id(request.metadata)]
            maker.bills.insert(0, (wanted_in, min(wanted_out, request.max_tokens)))
            return await maker(request)

        bills = {}
        season = Purse("season's", usd=usd, tokens=limit)
        desk = Purse("desk two's", usd=usd / 3, tokens=limit // 3 + 1)
        chain = Budget(within, season=season, desks={"two": desk}, ceilings=priced)
        requests = []
        for name, tokens_in, tokens_out, hedge in calls:
            request = asked(desk=name, hedge=hedge)
            bills[id(request.metadata)] = tokens_in, tokens_out
            requests.append(request)
        outcomes = await asyncio.gather(*map(chain.complete, requests), return_exceptions=True)
        return maker, season, desk, outcomes

    maker, season, desk, outcomes = asyncio.run(play())
    assert maker.billed.usd <= usd
    assert maker.billed.tokens <= limit
    assert season.spent == maker.billed
    assert season.held == desk.held == Charge()
    assert desk.spent.usd <= desk.usd
    assert desk.spent.tokens <= desk.tokens
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(failure, ModelFailure) for failure in refused)
    assert len(refused) == len(calls) - len(maker.sent)


@pytest.mark.asyncio
async def test_a_refusal_names_budget_and_figures_and_cost_nothing():
    maker = Maker()
    with pytest.raises(ModelFailure) as caught:
        await budget(maker, usd=Decimal("0.01")).complete(asked())
    assert not maker.sent
    assert caught.value.reason == "season_budget"
    assert "season's budget of $0.01" in str(caught.value)
    assert "$0 and 0 tokens spent" in str(caught.value)
    (attempt,) = caught.value.attempts
    assert (attempt.outcome, attempt.tokens_in, attempt.tokens_out, attempt.usd) == ("season_budget", 0, 0, 0.0)


@pytest.mark.asyncio
async def test_the_desk_that_spent_its_own_budget_is_refused_and_others_go_on():
    chain = budget(Maker(), usd=DOLLAR, desks={"two": Purse("desk two's", tokens=1_500)})
    with pytest.raises(ModelFailure, match="desk two's budget of 1500 tokens") as caught:
        await chain.complete(asked(desk="two"))
    assert caught.value.reason == "desk_budget"
    assert (await chain.complete(asked(desk="one"))).content == "{}"


@pytest.mark.asyncio
async def test_a_call_that_fits_once_others_are_back_waits_for_them():
    maker = Maker()
    chain = budget(maker, usd=Decimal("0.06"))
    outcomes = await asyncio.gather(*(chain.complete(asked(str(number))) for number in range(10)))
    assert len(outcomes) == 10
    assert all(request.max_tokens == 4096 for request in maker.sent[:5])


@pytest.mark.asyncio
async def test_waiting_for_room_ends_with_the_time():
    async def hang(_):
        await asyncio.sleep(60)

    chain = budget(hang, usd=Decimal("0.06"))
    first = asyncio.create_task(chain.complete(asked("a")))
    await asyncio.sleep(0)
    with pytest.raises(ModelUnavailable, match="no room in the budget in time") as caught:
        await chain.complete(asked("b", timeout_s=0.05))
    assert caught.value.reason == "timeout"
    first.cancel()


@pytest.mark.asyncio
async def test_the_last_calls_have_less_room_for_their_answers():
    maker = Maker((300, 4096), (300, 0), (300, 0))
    chain = budget(maker, usd=Decimal("0.066"))
    for text in "abc":
        await chain.complete(asked(text))
    bounds = [request.max_tokens for request in maker.sent]
    assert bounds[0] == 4096
    assert all(LEAST_OUTPUT_TOKENS <= bound < 4096 for bound in bounds[1:])


@pytest.mark.asyncio
async def test_a_model_without_a_price_counts_towards_tokens_only():
    maker = Maker((900, 100))
    season = Purse("season's", usd=Decimal("0.000001"), tokens=10_000)
    chain = Budget(maker, season=season, desks={}, ceilings=priced)
    await chain.complete(asked(model="maker/unpriced"))
    assert season.spent == Charge(usd=Decimal(0), tokens=1_000)
    with pytest.raises(ModelFailure, match="no room"):
        await chain.complete(asked(model="maker/model"))


@pytest.mark.asyncio
async def test_where_the_bill_is_not_known_the_most_it_can_be_is_booked():
    lost = ModelUnavailable("gone", reason="timeout", attempts=(Attempt(model="maker/model", outcome="timeout"),))

    async def fail(_):
        raise lost

    season = Purse("season's", usd=DOLLAR, tokens=100_000)
    with pytest.raises(ModelUnavailable):
        await Budget(fail, season=season, desks={}, ceilings=priced).complete(asked())
    assert season.held == Charge()
    assert season.spent.usd >= 4096 * RATE.usd_out
    assert 4096 < season.spent.tokens < 6_000


@pytest.mark.asyncio
async def test_what_is_cancelled_in_flight_stays_booked():
    async def hang(_):
        await asyncio.sleep(60)

    season = Purse("season's", usd=DOLLAR)
    chain = Budget(hang, season=season, desks={}, ceilings=priced)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(chain.complete(asked()), timeout=0.05)
    assert season.held == Charge()
    assert season.spent.usd >= 4096 * RATE.usd_out


@pytest.mark.asyncio
async def test_a_provider_that_counts_more_tokens_than_bytes_is_believed():
    maker = Maker((50_000, 10))
    season = Purse("season's", tokens=80_000)
    chain = Budget(maker, season=season, desks={}, ceilings=priced)
    await chain.complete(asked("a"))
    with pytest.raises(ModelFailure, match="no room"):
        await chain.complete(asked("b"))


@pytest.mark.asyncio
async def test_a_hedge_is_paid_twice_and_the_dearest_fallback_counts():
    def dear(model, _):
        return RATE if model == "maker/model" else Ceiling(usd_in=RATE.usd_in, usd_out=10 * RATE.usd_out)

    async def held(**fields):
        seen = []
        season = Purse("season's", usd=DOLLAR * 10)

        async def look(_):
            seen.append(season.held.usd)
            return answer(usd=0.0)

        await Budget(look, season=season, desks={}, ceilings=dear).complete(asked(**fields))
        return seen[0]

    alone = await held()
    assert await held(hedge=True) == 2 * alone
    assert await held(fallbacks=("maker/dear",)) > 9 * alone


@pytest.mark.asyncio
async def test_recorded_outcomes_are_booked_once_as_they_were_billed():
    season, desk = Purse("season's", usd=DOLLAR), Purse("desk one's", tokens=5_000)
    chain = Budget(Maker(), season=season, desks={"one": desk}, ceilings=priced)
    request = asked()
    chain.book_recorded(request.cassette_key, "one", answer(usd=0.25))
    chain.book(request, answer(usd=0.25))
    assert season.spent == desk.spent == Charge(usd=Decimal("0.25"), tokens=110)


@pytest.mark.asyncio
async def test_without_a_budget_that_concerns_it_a_request_goes_straight_through():
    chain = budget(Maker(), desks={"two": Purse("desk two's", tokens=1)})
    assert (await chain.complete(asked(desk="one"))).content == "{}"
    assert chain.terms == "desk two's budget of 1 tokens"


def test_the_ceiling_is_the_dearest_rate_of_the_list():
    short, long = (
        price_ceiling("anthropic/claude-haiku-5-5", 1_000),
        price_ceiling("anthropic/claude-haiku-5-5", 200_000),
    )
    row = litellm_module().model_cost["claude-haiku-5-5"]
    assert short is not None
    assert long is not None
    assert float(short.usd_in) >= row["cache_creation_input_token_cost"] > row["input_cost_per_token"]
    assert float(short.usd_out) == row["output_cost_per_token"]
    assert float(long.usd_out) == row["output_cost_per_token_above_100k_tokens"] > float(short.usd_out)
    assert price_ceiling("openai/no-such-model", 10) is None


@pytest.mark.parametrize("model", ["openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash"])
def test_no_bill_is_above_the_ceiling_with_cached_and_reasoning_tokens_in_it(model):
    """LiteLLM's price of a call includes reads of the cache at their rate and reasoning as output."""
    litellm = litellm_module()
    from litellm.types.utils import CompletionTokensDetailsWrapper, ModelResponse, PromptTokensDetailsWrapper, Usage

    def usd(cached, reasoning):
        usage = Usage(
            prompt_tokens=10_000,
            completion_tokens=500 + reasoning,
            total_tokens=10_500 + reasoning,
            prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=cached),
            completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=reasoning),
        )
        return litellm.completion_cost(ModelResponse(model=model.split("/")[1], usage=usage), model=model)

    ceiling = price_ceiling(model, 10_000) or SimpleNamespace(usd_in=0, usd_out=0)
    assert usd(0, 0) <= float(10_000 * ceiling.usd_in + 500 * ceiling.usd_out) + 1e-12
    assert usd(8_000, 0) < usd(0, 0)
    assert usd(0, 1_000) == pytest.approx(usd(0, 0) + 1_000 * float(ceiling.usd_out))
