"""The composition root of evals: settings in; the conditions, the record of attempts and the road to the models out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agents.llm import (
    Budget,
    Cassette,
    CassetteStore,
    Complete,
    Completion,
    CompletionRequest,
    Purse,
    catalogue,
    check_model,
    close_connections,
    complete,
    is_rule_based,
)
from arena.registration import prompt_folder
from arena.seasons.road import shared_gateway
from arena.settings import CONFIG, Settings
from evals.attempts import AttemptStore
from evals.stage import Conditions
from evals.suites.own import use_cases
from evals.variant import Variant, read_variants
from prompts import use_prompts
from trading.domain.money import decimal_from_float
from trading.risk import Limits
from trading.venues.simulated import Costs
from trading.venues.simulated.costs import venue_facts

TOKENS_A_TRY = (18_000, 1_500)
"""Tokens read and written in one decision of a desk of four roles, where none of the variant has been measured yet."""


def conditions_of(settings: Settings) -> Conditions:
    """The house's own limits and costs, for every case."""
    facts = venue_facts(CONFIG / "venues.toml")
    return Conditions(
        limits=Limits.load(CONFIG / "limits.toml"),
        costs=Costs.from_mapping(facts["costs"], {}),
        facts=facts,
        data_root=settings.data_root,
    )


def eval_folder(settings: Settings) -> Path:
    """Where evals keep their record, under the home folder."""
    return settings.home / "evals"


def use_home(settings: Settings) -> None:
    """Let prompts and cases of the home folder be found, from now on and in this process."""
    use_prompts(prompt_folder(settings))
    use_cases(eval_folder(settings) / "cases")


def open_attempts(settings: Settings) -> AttemptStore:
    """The record of attempts, with the prompts and cases of the home folder at hand. Raises EvalStoreError."""
    use_home(settings)
    return AttemptStore(eval_folder(settings) / "attempts.sqlite")


def read_desks(asked: Sequence[str], settings: Settings) -> list[Variant]:
    """The variants that the command line names, with the prompts of the home folder at hand, each model checked.

    Raises ConfigError in one line.
    """
    use_home(settings)
    desks = read_variants(asked)
    check_variants(desks)
    return desks


def check_variants(variants: Sequence[Variant]) -> None:
    """Raise ConfigError for a model that is not known or has no key."""
    for model in dict.fromkeys(model for variant in variants for model in variant.every_model()):
        check_model(model)


def estimated_usd(variant: Variant, attempts: int, *, store: AttemptStore) -> float | None:
    """What ``attempts`` of a variant may cost, as measured of it or else as is usual; None without a price."""
    if variant.is_rule_based:
        return 0.0
    measured = [one.usd for one in store.attempts(variant=variant.sha256) if one.usd is not None]
    if measured:
        return attempts * sum(measured) / len(measured)
    prices = [catalogue().price(model) for model in variant.every_model() if not is_rule_based(model)]
    rates = [(price.input_usd, price.output_usd) for price in prices if price is not None]
    if len(rates) < len(prices):
        return None
    read, written = TOKENS_A_TRY
    return attempts * max(rate_in * read + rate_out * written for rate_in, rate_out in rates)


@asynccontextmanager
async def open_eval_road(settings: Settings, *, cap_usd: float | None) -> AsyncIterator[Complete]:
    """What answers the requests of an eval: rules straight, models by cassette, budget and gateway.

    Answers are kept, so an attempt that was cut off is not paid for twice. With ``cap_usd`` nothing is sent that could
    take the sum above it.
    """
    ladder = shared_gateway().complete
    if cap_usd is not None:
        ladder = Budget(ladder, season=Purse("eval's", usd=decimal_from_float(cap_usd)), desks={}).complete
    try:
        with CassetteStore(eval_folder(settings) / "cassette.sqlite", writable=True) as store:
            recorded = Cassette(ladder, store, "auto", keeps_failures=False)

            async def ask(request: CompletionRequest) -> Completion:
                return await (complete if is_rule_based(request.model) else recorded.complete)(request)

            yield ask
    finally:
        await close_connections()
