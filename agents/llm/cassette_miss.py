"""Why a replay found nothing: the recorded conversation that comes nearest, and where it differs."""

import hashlib
from collections.abc import Sequence

from pydantic_core import to_json

from agents.llm.cassette_store import CassetteStore, Conversation, terms_of
from agents.llm.request import CompletionRequest

_AROUND = 40
"""Characters shown on either side of the first difference."""


def explain_miss(store: CassetteStore, request: CompletionRequest) -> str:
    """One line: who asked, which message or parameter is not as recorded, and what to do."""
    desk, role = request.metadata.get("desk", "?"), request.metadata.get("role", "?")
    who = f"cassette {store.path}: nothing recorded for the {role} of {request.epoch or desk}"
    advice = "mend what changed, or ask the model with --cassette auto"
    recorded = store.conversations(desk, role)
    if not recorded:
        return f"{who}: it holds no call of this desk and role (and {len(store)} of others); {advice}"
    bodies = [to_json(message).decode() for message in request.messages]
    digests = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
    nearest = max(recorded, key=lambda found: _nearness(found, request, digests))
    return f"{who}: {_difference(store, nearest, request, bodies, digests)}; {advice}"


def _nearness(found: Conversation, request: CompletionRequest, digests: Sequence[str]) -> tuple[bool, int, int, int]:
    terms = terms_of(request)
    return (
        found.epoch == request.epoch,
        _shared(found.messages, digests),
        -abs(len(found.messages) - len(digests)),
        sum(found.terms.get(name) == value for name, value in terms.items()),
    )


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many messages two conversations share from their beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _difference(
    store: CassetteStore,
    found: Conversation,
    request: CompletionRequest,
    bodies: Sequence[str],
    digests: Sequence[str],
) -> str:
    place = _shared(found.messages, digests)
    if place < min(len(digests), len(found.messages)):
        recorded, asked = _excerpts(store.message(found.messages[place]), bodies[place])
        return (
            f"message {place + 1} of {len(digests)} ({request.messages[place]['role']}) changed: "
            f"recorded {recorded!r}, asked {asked!r}"
        )
    if len(found.messages) != len(digests):
        return f"the recorded conversation has {len(found.messages)} messages, the one asked {len(digests)}"
    asked_terms = terms_of(request)
    changed = [
        f"{name} changed: recorded {found.terms.get(name)!r}, asked {value!r}"
        for name, value in asked_terms.items()
        if found.terms.get(name) != value
    ]
    if changed:
        return ", ".join(changed)
    return f"the same was recorded for {found.epoch}, which is another desk or instant"


def _excerpts(recorded: str, asked: str) -> tuple[str, str]:
    at = next((at for at, (a, b) in enumerate(zip(recorded, asked, strict=False)) if a != b), 0)
    start = max(0, at - _AROUND)
    return recorded[start : at + _AROUND], asked[start : at + _AROUND]
