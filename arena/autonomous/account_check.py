"""The look at the account of a live season before anything is written: it is flat, and holds the season's capital."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from arena.autonomous.live import account_spec
from arena.preparing import Prepared
from arena.settings import Settings
from trading.domain.errors import ConfigError
from trading.domain.money import ZERO, money_text
from trading.execution.capped import check_flat
from trading.storage.runs import Runs
from trading.venues.ccxt_venue import VenueSpec, open_venue


def check_account(prepared: Prepared, settings: Settings) -> None:
    """Refuse an account that a new live run cannot start on; a run that goes on is compared with its record instead.

    Raises ConfigError that says what was found, and VenueError or SourceUnavailable where the exchange stays silent.
    """
    if prepared.live is None or _goes_on(prepared, settings):
        return
    spec = account_spec(prepared.rules, settings)
    with ThreadPoolExecutor(max_workers=1) as thread:  # whoever calls may have a loop of his own that runs
        thread.submit(asyncio.run, _look(prepared, spec, adopt=prepared.live.adopt)).result()


def _goes_on(prepared: Prepared, settings: Settings) -> bool:
    return any(
        run.manifest.get("content_sha256") == prepared.content_sha256 and not run.is_finished and run.journal.is_file()
        for run in Runs(settings.home).all()
    )


async def _look(prepared: Prepared, spec: VenueSpec, *, adopt: bool) -> None:
    quote, capital = prepared.setup.quote, prepared.setup.capital
    async with open_venue(spec) as venue:
        await check_flat(venue, quote, adopt=adopt)
        held = (await venue.balances()).get(quote, ZERO)
    if held < capital:
        raise ConfigError(
            f"season.capital = {money_text(capital)}: the account at {venue.name} holds {money_text(held)} {quote}; "
            "lower the capital, or deposit"
        )
