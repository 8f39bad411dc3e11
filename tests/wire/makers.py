"""Makers of models on 127.0.0.1: a wire format, a brain, a fault plan and a ledger each."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.wire.anthropic_messages import AnthropicMessages
from tests.wire.bill import PRICES, Usage, usage_of, usd_of
from tests.wire.brain import reply_to
from tests.wire.faults import STATUS, Fault, FaultPlan, spoilt
from tests.wire.gemini_generate import GeminiGenerate
from tests.wire.ledger import Ledger, ServedCall
from tests.wire.loopback import HOST, Gate, HttpRequest, Line, Loopback
from tests.wire.ollama_chat import OllamaChat
from tests.wire.openai_chat import OpenAIChat
from tests.wire.talk import Ask, Reply

RETRY_AFTER_S = 1
_BASE_VARIABLES = {"openai": "OPENAI_BASE_URL", "mistral": "MISTRAL_AZURE_API_BASE"}
"""Variables that LiteLLM reads in place of, or before, the maker's own ``..._API_BASE``."""
_JSON = {"content-type": "application/json"}

Staging = Callable[[list[bytes]], Iterable[bytes | Gate]]
"""What becomes of the pieces of a streamed answer before they go out."""


class WireFormat(Protocol):
    """How one provider's requests and answers are written."""

    root: str
    stream_type: str
    caches: bool
    thinks: bool
    wants_key: bool

    def key(self, request: HttpRequest) -> str: ...

    def lookup(self, request: HttpRequest, models: tuple[str, ...]) -> object | None: ...

    def ask(self, request: HttpRequest) -> Ask | None: ...

    def said(self, reply: Reply) -> Reply: ...

    def answer(self, ask: Ask, reply: Reply, usage: Usage) -> object: ...

    def pieces(self, ask: Ask, reply: Reply, usage: Usage) -> Iterator[bytes]: ...

    def error(self, fault: Fault, key: str) -> object: ...

    def headers(self, ask: Ask) -> Mapping[str, str]: ...


_WIRES: Mapping[str, type[WireFormat]] = {
    "openai": OpenAIChat,
    "anthropic": AnthropicMessages,
    "gemini": GeminiGenerate,
    "ollama": OllamaChat,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerSetup:
    """A maker to serve. ``wire`` names its format; a maker of another name may speak it too, as many do OpenAI's.

    ``latency_s`` passes between the request and the start of the answer.
    """

    name: str
    wire: str = ""
    faults: FaultPlan = field(default_factory=FaultPlan)
    latency_s: float = 0.0


class Maker:
    """One maker being served. Its fault plan, latency and staging may be changed while it runs."""

    def __init__(self, setup: MakerSetup) -> None:
        self.name = setup.name
        self.faults = setup.faults
        self.latency_s = setup.latency_s
        self.staging: Staging = list
        self.ledger = Ledger()
        self.base_url = ""
        self._wire = _WIRES[setup.wire or setup.name]()
        self.api_key = f"sk-{setup.name}-loopback-0123456789abcdef" if self._wire.wants_key else None

    @property
    def connection(self) -> dict[str, str]:
        """What a single call of LiteLLM takes to come here."""
        return {"api_base": self.base_url, **({"api_key": self.api_key} if self.api_key else {})}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send LiteLLM here."""
        prefix = self.name.upper()
        variables = {_BASE_VARIABLES.get(self.name, f"{prefix}_API_BASE"): self.base_url}
        if self.api_key:
            variables[f"{prefix}_API_KEY"] = self.api_key
        return variables

    def listen_on(self, port: int) -> None:
        """Note where it is served."""
        self.base_url = f"http://{HOST}:{port}{self._wire.root}"

    async def serve(self, request: HttpRequest, line: Line) -> None:
        """Answer one request, or fail as the plan says."""
        arrived_s = time.monotonic()
        try:
            ask = self._wire.ask(request)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            body = self._wire.error(Fault.BAD_REQUEST, "")
            self.ledger.enter_refused(f"{request.path}: {type(error).__name__}: {error}")
            await line.send(400, _JSON, _encoded(body))
            return
        if ask is None:
            self.ledger.enter_lookup(request.path)
            found = self._wire.lookup(request, tuple(PRICES))
            await line.send(404 if found is None else 200, _JSON, _encoded(found or {"error": "not found"}))
            return
        key_ok = self.api_key is None or self._wire.key(request) == self.api_key
        fault = self.faults.fault_for(ask) if key_ok else Fault.BAD_KEY
        silent = ServedCall(
            model=ask.model,
            digest=ask.digest,
            key_ok=key_ok,
            streamed=ask.streamed,
            fault=fault,
            kind="none",
            usage=None,
            usd=None,
            delivered=False,
            arrived_s=arrived_s,
            answered_s=arrived_s,
        )
        try:
            await line.wait(None if fault is Fault.HANG else self.latency_s)
            line.check()
        except BaseException:
            self.ledger.enter(replace(silent, answered_s=time.monotonic()))
            raise
        silent = replace(silent, answered_s=time.monotonic())
        if fault in STATUS:
            self.ledger.enter(replace(silent, kind="error"))
            headers = {**_JSON, **self._wire.headers(ask)}
            if fault is Fault.RATE_LIMITED_RETRY_AFTER:
                headers["retry-after"] = str(RETRY_AFTER_S)
            await line.send(STATUS[fault], headers, _encoded(self._wire.error(fault, self._wire.key(request))))
        else:
            await self._speak(ask, silent, line)

    async def _speak(self, ask: Ask, silent: ServedCall, line: Line) -> None:
        reply = self._wire.said(spoilt(silent.fault, ask, reply_to(ask)))
        usage = usage_of(ask, reply, caches=self._wire.caches, thinks=self._wire.thinks)
        whole = silent.fault not in {Fault.RESET, Fault.TRUNCATED_BODY}
        call = replace(
            silent,
            kind=reply.kind,
            usage=usage,
            usd=usd_of(ask.model, usage),
            delivered=whole and (ask.wants_stream_usage or not ask.streamed),
        )
        self.ledger.enter(call)
        headers = {"content-type": self._wire.stream_type if ask.streamed else _JSON["content-type"]}
        headers |= self._wire.headers(ask)
        if ask.streamed:
            pieces = list(self._wire.pieces(ask, reply, usage))
        else:
            pieces = [_encoded(self._wire.answer(ask, reply, usage))]
        try:
            if silent.fault is Fault.RESET:
                await line.reset(headers, pieces, streamed=ask.streamed)
            if silent.fault is Fault.TRUNCATED_BODY:
                pieces = _halved(pieces)
            if ask.streamed:
                await line.stream(headers, self.staging(pieces))
            else:
                await line.send(200, headers, pieces[0])
        except ConnectionError:
            self.ledger.mark_lost(call)
            raise


class Makers(Mapping[str, Maker]):
    """The makers being served, by name."""

    def __init__(self, makers: Mapping[str, Maker]) -> None:
        self._makers = dict(makers)

    def __getitem__(self, name: str) -> Maker:
        return self._makers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send LiteLLM to all of them, keys included."""
        return {name: value for maker in self.values() for name, value in maker.environment.items()}


@contextmanager
def serve_makers(*setups: MakerSetup | str) -> Iterator[Makers]:
    """Makers on 127.0.0.1, each on a port of its own, until the context ends. A bare name is a maker without faults."""
    with Loopback() as loopback:
        makers = [Maker(MakerSetup(name=setup) if isinstance(setup, str) else setup) for setup in setups]
        for maker in makers:
            maker.listen_on(loopback.add(maker.serve))
        yield Makers({maker.name: maker for maker in makers})


def _halved(pieces: list[bytes]) -> list[bytes]:
    """The first half of an answer, cut in the middle of a piece."""
    whole = pieces[: len(pieces) // 2]
    cut = pieces[len(pieces) // 2]
    return [*whole, cut[: len(cut) // 2]]


def _encoded(body: object) -> bytes:
    return json.dumps(body).encode()
