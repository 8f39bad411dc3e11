"""The road from a season's desks to the models: house models straight, all others by cassette, budget and gateway."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from agents.llm import (
    Budget,
    Cassette,
    CassetteStore,
    Complete,
    Completion,
    CompletionRequest,
    Gateway,
    Limiter,
    Purse,
    catalogue,
    close_connections,
    complete,
    epoch_of,
    is_rule_based,
)
from arena.seasons.budget_rules import BudgetRules
from arena.seasons.rules import SeasonRules
from arena.seasons.spending import Spending

log = logging.getLogger("tradefloor")


@asynccontextmanager
async def open_road(
    rules: SeasonRules, cassette: Path, spending: Spending | None, *, next_round: str | None
) -> AsyncIterator[Complete]:
    """What answers the season's model requests; cassette and connections are closed on leaving.

    ``spending`` stands where the journal of the run does, and ``next_round`` is the instant (ISO 8601) of the first
    round that is not in it: calls of that round which are on the cassette are paid already.
    """
    if all(is_rule_based(model) for desk in rules.desks for model in desk.every_model()):
        yield complete
        return
    try:
        with _road(rules, cassette, spending, next_round) as road:
            yield road
    finally:
        await close_connections()


@contextmanager
def _road(rules: SeasonRules, cassette: Path, spending: Spending | None, next_round: str | None) -> Iterator[Complete]:
    budget = None if spending is None else _budget(rules, spending)
    ladder = shared_gateway().complete if budget is None else budget.complete
    if rules.cassette.mode == "off":
        yield _beside_house(ladder)
        return
    with CassetteStore(cassette, writable=rules.cassette.mode != "replay") as store:
        if budget is not None and next_round is not None:
            _book_unfinished(budget, store, [epoch_of(desk.name, next_round) for desk in rules.desks])
        recorded = Cassette(
            ladder,
            store,
            rules.cassette.mode,
            replayed=None if budget is None else budget.book,
            terms="" if budget is None else budget.terms,
        )
        yield _beside_house(recorded.complete)


@cache
def shared_gateway() -> Gateway:
    """The one of this process: providers' limits are shared by all that it plays and says."""
    return Gateway(complete, catalogue(), Limiter())


def _beside_house(others: Complete) -> Complete:
    async def ask(request: CompletionRequest) -> Completion:
        # A rule gives the same answer every time and costs nothing: there is nothing to record or to ration.
        return await (complete if is_rule_based(request.model) else others)(request)

    return ask


def _budget(rules: SeasonRules, spending: Spending) -> Budget:
    limits = spending.rules
    season = Purse("season's", usd=limits.usd, tokens=limits.tokens) if limits.limited else None
    _tell_unpriced(rules, limits)
    desks = {
        desk.name: Purse(f"desk {desk.name}'s", usd=desk.budget_usd, tokens=desk.budget_tokens)
        for desk in rules.desks
        if desk.limited
    }
    if season is not None:
        season.spent = spending.spent(None)
    for name, purse in desks.items():
        purse.spent = spending.spent(name)
    return Budget(shared_gateway().complete, season=season, desks=desks)


def _tell_unpriced(rules: SeasonRules, limits: BudgetRules) -> None:
    in_dollars = [desk for desk in rules.desks if limits.usd is not None or desk.budget_usd is not None]
    models = dict.fromkeys(model for desk in in_dollars for model in desk.every_model() if not is_rule_based(model))
    for model in models:
        if catalogue().price(model) is None:
            log.warning("the price of %s is not known: its calls count towards budgets of tokens only", model)


def _book_unfinished(budget: Budget, store: CassetteStore, epochs: Sequence[str]) -> None:
    for epoch in epochs:
        for key, desk, outcome in store.of_epoch(epoch):
            budget.book_recorded(key, desk, outcome)
