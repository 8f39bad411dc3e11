"""Ids that derive from what they name, so that a replay gives the same ones and a repeat is recognised."""

import hashlib


def _digest(*parts: object) -> str:
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def decision_id(season: str, desk: str, round_index: int) -> str:
    """The id under which everything of a desk's round is filed."""
    return f"d-{_digest('decision', season, desk, round_index)}"


def reflection_id(season: str, desk: str, round_index: int) -> str:
    """The id under which a desk's look back in a round is filed, with the calls it took."""
    return f"r-{_digest('reflection', season, desk, round_index)}"


def intent_id(decision: str, attempt: int, leg: int) -> str:
    """The id of one leg of a decision's proposal."""
    return f"i-{_digest('intent', decision, attempt, leg)}"


def order_id(intent: str) -> str:
    """The id of the order that carries out an intent."""
    return f"o-{_digest('order', intent)}"


def child_order_id(order: str, role: str) -> str:
    """The id of an order that follows from another: ``role`` says as what, such as ``stop`` or ``slice:3``."""
    return f"o-{_digest('child', order, role)}"


def child_client_order_id(client_order: str, role: str) -> str:
    """The id a venue is given for an order that follows from another."""
    return f"tf-{_digest('child', client_order, role)}"


def client_order_id(season: str, desk: str, round_index: int, leg: int) -> str:
    """The id a venue is given: at most 32 letters, digits and hyphens, the same however often it is sent."""
    return f"tf-{_digest('client', season, desk, round_index, leg)}"


def fill_id(order: str, part: int) -> str:
    """The id of one execution of an order."""
    return f"f-{_digest('fill', order, part)}"


def venue_fill_id(venue: str, fill: str) -> str:
    """The id of an execution that a venue told, by the venue's own id of it."""
    return f"f-{_digest('venue fill', venue, fill)}"


def call_id(decision: str, kind: str, number: int) -> str:
    """The id of one model or tool call within a decision."""
    return f"c-{_digest('call', decision, kind, number)}"
