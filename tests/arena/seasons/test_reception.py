"""Desks can be spoken to as their season seats them, also while nothing may trade."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from time import monotonic, sleep
from typing import Any

import pytest

from agents.llm import Completion, CompletionRequest, close_connections
from agents.talk import Said
from arena import wiring
from arena.seasons.heard import Piece, Spoken
from arena.seasons.reception import Reception, UnknownDesk
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from tests.agents.staging import seat, team
from tests.wire import Gate, serve_makers
from trading.domain import ToolCall
from trading.risk import KillSwitch

HOUR_MS = 3_600_000
QUESTION = (Said(by="user", text="How do you stand?"),)


def played(home, *, halted: bool = False) -> tuple[Reception, int]:
    """The reception after three rounds of the demo season, and the instant of the last of them."""
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(
        load_rules(CONFIG / "seasons" / "demo.toml", ["season.end=2026-01-01T03:00:00Z"]), settings
    )
    reception = Reception(snapshot=lambda: None)

    async def play() -> None:
        if halted:
            KillSwitch(settings.home).halt("a test")
        folder = wiring.open_run(prepared, settings, even_halted=True)
        async with wiring.season_run(prepared, folder, settings, on_seated=reception.seat) as playable:
            await playable.play()

    asyncio.run(play())
    return reception, prepared.setup.start_ms + 2 * HOUR_MS


@pytest.mark.parametrize("halted", [False, True])
def test_every_desk_speaks_of_the_last_round(tmp_path, halted):
    reception, as_of_ms = played(tmp_path, halted=halted)
    assert set(reception.desks().values()) == {as_of_ms}
    spoken = asyncio.run(reception.talk("buyhold", QUESTION))
    assert "As of 2026-01-01T02:00:00Z: equity" in spoken.text
    assert ("Positions: none." in spoken.text) == halted
    assert (spoken.tokens_in, spoken.tokens_out) == (0, 0)


@pytest.mark.parametrize(
    ("maker", "model"),
    [
        ("openai", "openai/gpt-5.4-mini"),
        ("anthropic", "anthropic/claude-haiku-5-5"),
        ("gemini", "gemini/gemini-3.8-flash"),
        ("ollama", "ollama_chat/llama3.1"),
    ],
)
def test_models_of_every_maker_speak_in_free_text(monkeypatch, maker, model):
    told: list[Any] = []
    with serve_makers(maker) as makers:
        for name, value in makers.environment.items():
            monkeypatch.setenv(name, value)
        reception = Reception(snapshot=lambda: None, on_calls=lambda calls, tools: told.extend([*calls, *tools]))

        async def ask() -> Spoken:
            reception.seat([team(model)], [seat()])
            try:
                return await reception.talk("desk", QUESTION)
            finally:
                await close_connections()

        spoken = asyncio.run(ask())
        totals = makers[maker].ledger.totals()
    assert "has read" in spoken.text
    assert totals.calls == 2, "a look at the tools, then the answer"
    assert (spoken.tokens_in, spoken.tokens_out) == (totals.tokens_in, totals.tokens_out)
    asked = {one.tool for one in told if isinstance(one, ToolCall)}
    assert {"get_account", "get_positions"} <= asked
    assert "propose_order" not in asked


def test_an_answer_is_heard_while_it_is_written_and_its_maker_left_with_the_listener(monkeypatch):
    """Its model is asked on the loop of the season, in another thread than whoever listens."""
    gate = Gate()
    with serve_makers("anthropic") as makers, season_loop() as season:
        for name, value in makers.environment.items():
            monkeypatch.setenv(name, value)
        maker = makers["anthropic"]
        maker.staging = lambda pieces: [*pieces[:-2], gate, *pieces[-2:]] if b"has read" in b"".join(pieces) else pieces
        calls: list[Any] = []
        reception = Reception(snapshot=lambda: None, on_calls=lambda models, _tools: calls.append(models))

        async def sit() -> None:
            reception.seat([team("anthropic/claude-haiku-5-5")], [seat()])

        asyncio.run_coroutine_threadsafe(sit(), season).result(100)

        async def first_words(*, stay: bool) -> str:
            text = ""
            async with aclosing(reception.converse("desk", QUESTION)) as heard:
                async for event in heard:
                    if isinstance(event, Piece):
                        assert stay is gate.is_open, "the server has not sent the last of it"
                        text += event.text
                        if not stay:
                            break
            return text

        assert "has read" in asyncio.run(first_words(stay=False))
        until = monotonic() + 200
        while maker.ledger.calls[-1].delivered:
            assert monotonic() < until, "whoever listened has left, and so has the desk"
            sleep(0.01)
        gate.open()
        assert asyncio.run(first_words(stay=True)).endswith("characters.")
        asyncio.run_coroutine_threadsafe(close_connections(), season).result(100)
    assert [len(models) for models in calls] == [1, 2], "what came of the call that was left is not known"


@contextmanager
def season_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(100)
        loop.close()


def test_stranger_is_told_who_is_there(tmp_path):
    reception, _ = played(tmp_path)
    with pytest.raises(UnknownDesk, match="the desks are buyhold, equalweight"):
        asyncio.run(reception.talk("nobody", QUESTION))


def test_conversations_are_held_on_the_loop_of_the_season():
    """One process, one loop that calls models, whoever asks; a season that is over does not leave them waiting."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def complete(_: CompletionRequest) -> Completion:
        loops.append(asyncio.get_running_loop())
        return Completion(
            content="Well.",
            tool_requests=(),
            finish_reason="stop",
            refusal=None,
            model_answered=None,
            tokens_in=None,
            tokens_out=None,
            usd=None,
        )

    reception = Reception(snapshot=lambda: None, complete=complete)
    season = asyncio.new_event_loop()
    thread = threading.Thread(target=season.run_forever, daemon=True)
    thread.start()

    async def sit() -> None:
        reception.seat([team("maker/llm")], [seat()])

    asyncio.run_coroutine_threadsafe(sit(), season).result(5)
    assert asyncio.run(reception.talk("desk", QUESTION)).text == "Well."
    assert loops == [season]
    season.call_soon_threadsafe(season.stop)
    thread.join(5)
    season.close()
    spoken = asyncio.run(reception.talk("desk", QUESTION))
    assert (spoken.text, spoken.tokens_in) == ("Well.", None)
    assert len(loops) == 2
