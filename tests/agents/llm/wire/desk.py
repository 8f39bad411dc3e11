"""One role's turn through the real client and the gateway, with waits cut short."""

import asyncio
from time import monotonic

from agents.brief import round_facts
from agents.llm import Gateway, Limiter, catalogue, complete
from agents.llm.retry import Retry
from agents.turn import CallLog, run_role
from graphs import DeskTeam
from tests.agents.staging import ROLES, seat

MODELS = {
    "openai": "openai/gpt-5.4-mini",
    "anthropic": "anthropic/claude-haiku-5-5",
    "gemini": "gemini/gemini-3.8-flash",
    "ollama": "ollama_chat/llama3.1",
}
SEAT = seat()
FACTS = round_facts(
    SEAT.brief, SEAT.tools.instruments, season="s", round_number=1, rounds=2, as_of_ms=0, source="simulated"
)


def gateway(*, attempts=3, client=complete, sleep=asyncio.sleep):
    """A gateway over the real client whose waits are short."""
    return Gateway(client, catalogue(), Limiter(), retry=Retry(attempts=attempts, base_s=0.01), sleep=sleep)


async def turn(maker, *, role="risk", within_s=10.0, log=None, through=None, seed=7, fallbacks=()):
    """The answer of a role whose model is the maker's."""
    models = dict.fromkeys(ROLES, MODELS[maker])
    agent = DeskTeam(name="desk", models=models, seed=seed, fallbacks=fallbacks).agents[role]
    return await run_role(
        agent,
        {**dict.fromkeys(agent.prompt.slots), "facts": FACTS},
        context=SEAT.tools,
        complete=(through or gateway()).complete,
        deadline=monotonic() + within_s,
        log=CallLog() if log is None else log,
    )
