"""Opening an account at an exchange: keys from the environment, the practice market, and keys that can do too much."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instrument import parse_symbol
from trading.marketdata.exchange.calls import Backoff, Caller
from trading.marketdata.exchange.connection import ExchangeSpec, load_markets, market_symbol, open_exchange, redirect
from trading.marketdata.exchange.facts import exchange_facts
from trading.venues.ccxt_venue.clock_guard import MAX_SKEW_MS, ClockGuard
from trading.venues.ccxt_venue.facts import Testnet, VenueFacts, venue_facts
from trading.venues.ccxt_venue.venue import CcxtVenue

READS = Backoff(first_s=0.2, cap_s=2.0, tries=4)
"""How patiently a venue is asked for what stands; whoever asks may ask again."""

_NUMBERS = {"number": str}  # what the exchange writes, digit for digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What ccxt signs with. Exchanges name it differently; what one does not use stays empty. Never shown."""

    api_key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    wallet_address: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)

    def as_ccxt(self) -> dict[str, str]:
        """The names of ccxt."""
        names = {
            "apiKey": self.api_key,
            "secret": self.secret.replace("\\n", "\n"),
            "password": self.password,
            "walletAddress": self.wallet_address,
            "privateKey": self.private_key,
        }
        return {name: value for name, value in names.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSpec:
    """Which account at which exchange, and what is traded there: all spot or all perpetuals."""

    exchange: ExchangeSpec
    keys: Keys
    instruments: tuple[str, ...]
    testnet: bool = False
    max_skew_ms: int = MAX_SKEW_MS


def keys_from(environment: Mapping[str, str], exchange_id: str, *, testnet: bool) -> Keys:
    """Keys in ``TRADEFLOOR_<EXCHANGE>[_TESTNET]_KEY``, ``_SECRET``, ``_PASSWORD``, ``_WALLET`` and ``_PRIVATE_KEY``.

    Raises ConfigError naming what to set where there is none.
    """
    stem = f"TRADEFLOOR_{exchange_id.upper()}{'_TESTNET' if testnet else ''}_"
    names = {"api_key": "KEY", "secret": "SECRET", "password": "PASSWORD", "wallet_address": "WALLET"}
    found = {name: environment.get(stem + end, "").strip() for name, end in names.items()}
    found["private_key"] = environment.get(stem + "PRIVATE_KEY", "").strip()
    if not any(found.values()):
        ends = "WALLET and PRIVATE_KEY" if exchange_id == "hyperliquid" else "KEY and SECRET"
        raise ConfigError(f"no key for {exchange_id}: set {stem}{ends.replace(' and ', f' and {stem}')}")
    return Keys(**found)


@asynccontextmanager
async def open_venue(
    spec: VenueSpec, *, clock: Clock | None = None, reads: Backoff = READS
) -> AsyncIterator[CcxtVenue]:
    """The account, its markets loaded and its clock measured; the connection is closed at the end.

    Raises ConfigError for keys that may withdraw (where the exchange tells), RequestError for instruments that it does
    not list, SourceUnavailable where it does not answer.
    """
    exchange_id = spec.exchange.exchange_id
    facts = venue_facts(exchange_id)
    if len({parse_symbol(name)[2] for name in spec.instruments}) != 1:
        raise RequestError(f"{', '.join(spec.instruments) or 'no instrument'}: expected all spot or all perpetuals")
    account = spec.keys.as_ccxt() | _NUMBERS
    async with open_exchange(spec.exchange, account=account) as exchange:
        if spec.testnet:
            _practise(exchange, facts)
            if spec.exchange.endpoints is not None:
                redirect(exchange, spec.exchange.endpoints)
        _keep_to_orders(exchange)
        caller = Caller(exchange=exchange, backoff=reads)
        await load_markets(caller)
        for name in spec.instruments:
            market_symbol(exchange, name)
        await _refuse_withdrawing_keys(exchange, facts, caller)
        time = clock or SystemClock()
        guard = None
        if exchange.has.get("fetchTime"):
            grain_ms = exchange_facts(exchange_id).clock_step_ms
            guard = ClockGuard(exchange, time, max_skew_ms=max(spec.max_skew_ms, grain_ms), grain_ms=grain_ms)
            await guard.measure()
        yield CcxtVenue(exchange, spec.instruments, facts, caller=caller, clock=time, guard=guard)


def _practise(exchange: Any, facts: VenueFacts) -> None:
    if facts.testnet is Testnet.SANDBOX:
        exchange.set_sandbox_mode(True)
    elif facts.testnet is Testnet.DEMO:
        exchange.enable_demo_trading(True)
    else:
        raise ConfigError(f"{exchange.id} has no testnet; practise on paper (market kind = paper)")


def _keep_to_orders(exchange: Any) -> None:
    """ccxt signs an approval of its own builder fee and a referral at Hyperliquid, unasked, before the first order."""

    async def nothing() -> bool:
        return True

    if exchange.id == "hyperliquid":
        exchange.initialize_client = nothing
        exchange.options |= {"builderFee": False, "approvedBuilderFee": False}


async def _refuse_withdrawing_keys(exchange: Any, facts: VenueFacts, caller: Caller) -> None:
    asked = facts.permissions
    if asked is None:
        return
    told = await caller.ask("the permissions of the key", getattr(exchange, asked.method))
    if str(told.get(asked.withdraws)).lower() == "true":
        raise ConfigError(
            f"the {exchange.id} key may withdraw: make one that may only read and trade, and bind it to this address"
        )
