"""Opening an exchange through ccxt, and the one place where its addresses may be changed."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trading.domain.errors import ConfigError, RequestError
from trading.marketdata.exchange.calls import Caller
from trading.marketdata.exchange.facts import exchange_facts
from trading.marketdata.exchange.symbols import to_ccxt


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base addresses that stand in for an exchange's own: ``rest`` such as ``http://127.0.0.1:8700``, ``ws`` likewise.

    Every address of the exchange keeps its path and changes its host, so that nothing reaches the real one.
    """

    rest: str
    ws: str

    def __post_init__(self) -> None:
        for name, schemes in (("rest", ("http", "https")), ("ws", ("ws", "wss"))):
            found = getattr(self, name)
            parts = urlsplit(found)
            if parts.scheme not in schemes or not parts.netloc:
                raise ConfigError(f"{name} address {found!r}: expected {schemes[0]}:// or {schemes[1]}:// and a host")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSpec:
    """Which exchange, and how it is reached. ``exchange_id`` is ccxt's; ``pace`` holds to its published rate limit."""

    exchange_id: str
    endpoints: Endpoints | None = None
    timeout_ms: int = 10_000
    pace: bool = True


def ccxt_class(exchange_id: str) -> type[Any]:
    """The class of ccxt.pro for the exchange. Raises RequestError where ccxt knows no such id."""
    import ccxt.pro  # a second to import

    if exchange_id not in ccxt.pro.exchanges:
        near = [name for name in ccxt.pro.exchanges if name.startswith(exchange_id[:3])] if exchange_id else []
        hint = f"; did you mean {', '.join(near[:4])}?" if near else ""
        raise RequestError(f"exchange {exchange_id!r} is not one that ccxt streams{hint}")
    found: type[Any] = getattr(ccxt.pro, exchange_id)
    return found


@asynccontextmanager
async def open_exchange(
    spec: ExchangeSpec,
    *,
    adapt: Callable[[type[Any]], type[Any]] = lambda plain: plain,
    account: Mapping[str, Any] | None = None,
) -> AsyncIterator[Any]:
    """The ccxt exchange, closed at the end. ``adapt`` may put a subclass in the place of ccxt's class.

    ``account`` is what ccxt has to be told to act for an account, such as its key.
    """
    exchange = adapt(_json_only(ccxt_class(spec.exchange_id)))(
        {
            "enableRateLimit": spec.pace,
            "timeout": spec.timeout_ms,
            "options": {**exchange_facts(spec.exchange_id).options},
            **(account or {}),
        }
    )
    if spec.endpoints is not None:
        redirect(exchange, spec.endpoints)
    try:
        yield exchange
    finally:
        await exchange.close()


def _json_only(plain: type[Any]) -> type[Any]:
    """``plain``, refusing what is no JSON: ccxt hands on a page of text, which then reads as an empty answer."""
    from ccxt.base.errors import BadResponse

    async def fetch(
        self: Any, url: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ) -> Any:
        answer = await plain.fetch(self, url, method, headers, body)
        if not isinstance(answer, dict | list):
            raise BadResponse(f"{self.id} answered {method} {url} with {type(answer).__name__} in the place of JSON")
        return answer

    return type(plain.__name__, (plain,), {"fetch": fetch})


def redirect(exchange: Any, endpoints: Endpoints) -> None:
    """Send everything that ``exchange`` asks to ``endpoints``, path for path."""
    exchange.urls["api"] = _moved(exchange.urls["api"], endpoints)
    exchange.urls.pop("test", None)
    exchange.urls.pop("demo", None)


async def load_markets(caller: Caller) -> None:
    """Load the exchange's list of markets, anew. Raises SourceUnavailable where it does not come."""
    await caller.ask("its markets", lambda: caller.exchange.load_markets(True), accept=bool)


def market_symbol(exchange: Any, instrument: str) -> str:
    """The ccxt symbol of ``instrument`` on an exchange with its markets loaded. RequestError where it is not listed."""
    symbol = to_ccxt(instrument)
    if symbol not in exchange.markets:
        raise RequestError(f"{exchange.id} lists no {instrument} ({symbol} in ccxt)")
    return symbol


def _moved(node: Any, endpoints: Endpoints) -> Any:
    if isinstance(node, dict):
        return {key: _moved(value, endpoints) for key, value in node.items()}
    parts = urlsplit(node)
    base = endpoints.ws if parts.scheme in ("ws", "wss") else endpoints.rest
    return base.rstrip("/") + parts.path
