"""A house desk whose behaviour hangs on a clause of its prompts, so that the lab has something to find."""

import json
from dataclasses import replace

from agents.llm import Completion, CompletionRequest, complete
from evals.variant import Variant, read_variants
from prompts.library import add_version, text_of

HONEST = "State intervals as wide as the tools told you, no wider."
PLACEBO = "Thank you for your careful work."
TIMID = "Hold unless nothing else is possible."


def prompt_with(clause: str, role: str, name: str) -> str:
    """A version of a role's prompt whose system text ends in a clause."""
    text = text_of(f"{role}/production").replace("\n=== user ===", f"\n{clause}\n\n=== user ===")
    return add_version(f"{role}/{name}", text, author="tests", message=clause).reference


def desk(name: str, reference: str | None = None) -> Variant:
    """A momentum desk with that prompt."""
    told = f",{reference.partition('/')[0]}:{reference}" if reference else ""
    return read_variants([f"{name}=house/momentum{told}"])[0]


async def obedient(request: CompletionRequest) -> Completion:
    """The house's answers, bent by what the prompt says.

    A forecaster states intervals six times too wide unless told to be honest; an executor holds in six of seven cases
    where it is told to be timid.
    """
    answer = await complete(request)
    system, role = str(request.messages[0]["content"]), request.metadata.get("role")
    if role not in ("forecaster", "executor") or not (answer.content or "").startswith("{"):
        return answer
    said = json.loads(answer.content or "{}")
    if role == "forecaster" and HONEST not in system:
        for forecast in said.get("forecasts", ()):
            forecast |= {name: max(-0.9, 6.0 * forecast[name]) for name in ("q05", "q95")}
    if role == "executor" and TIMID in system and sum(map(ord, request.prompt_sha256)) % 7:
        said |= {"action": "hold", "intents": []}
    return replace(answer, content=json.dumps(said))
