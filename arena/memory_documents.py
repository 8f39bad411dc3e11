"""Remembered things as JSON documents: instants in ISO 8601, money as decimal texts, null for what is not known."""

from typing import Any

from trading.domain import iso, money_text
from trading.domain.recollection import Estimate, Lesson, RecalledEpisode


def hit_document(one: RecalledEpisode) -> dict[str, Any]:
    """An episode that was found, with what was known of its outcome."""
    outcome = one.outcome
    return {
        "decision_id": one.decision_id,
        "desk": one.desk,
        "instrument": one.instrument,
        "decided_at": iso(one.decided_ms),
        "closed_at": None if outcome is None else iso(outcome.closed_ms),
        "similarity": one.similarity,
        "status": one.status,
        "side": one.side,
        "regime": one.regime,
        "outcome": None
        if outcome is None
        else {
            "kind": outcome.kind,
            "net_return": outcome.net_return,
            "pnl": None if outcome.pnl is None else money_text(outcome.pnl),
            "reflection": outcome.lesson,
            "insight": outcome.insight,
        },
        "move": one.move,
        "text": one.text,
        "event": {"seq": one.event_seq, "hash": one.event_hash},
    }


def estimate_document(found: Estimate | None) -> dict[str, Any] | None:
    """A mean with its interval; None where nothing is known."""
    if found is None:
        return None
    return {
        "n": found.n,
        "mean": found.mean,
        "ci95": None if found.ci95 is None else list(found.ci95),
        "share_positive": found.share_positive,
    }


def lesson_document(one: Lesson) -> dict[str, Any]:
    """A rule with its record."""
    return {
        "lesson_id": one.lesson_id,
        "rule": one.rule,
        "about": one.about,
        "side": one.side,
        "status": one.status,
        "effect": one.effect,
        "evidence_for": one.evidence_for,
        "evidence_against": one.evidence_against,
        "episodes": one.episodes,
        "by_regime": dict(one.regimes),
        "p_value": one.p_value,
        "level": one.level,
        "proposed_at": iso(one.proposed_ms),
        "confirmed_at": None if one.confirmed_ms is None else iso(one.confirmed_ms),
        "retired_at": None if one.retired_ms is None else iso(one.retired_ms),
        "reason": one.reason,
    }
