"""Desks can be spoken to as their season seats them, also while nothing may trade."""

import asyncio

import pytest

from agents.talk import Said
from arena import wiring
from arena.seasons.reception import Reception, UnknownDesk
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
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


def test_stranger_is_told_who_is_there(tmp_path):
    reception, _ = played(tmp_path)
    with pytest.raises(UnknownDesk, match="the desks are buyhold, equalweight"):
        asyncio.run(reception.talk("nobody", QUESTION))
