"""Whether a candidate takes the champion's place: by paired losses at the same bars, not by a better average."""

from dataclasses import dataclass

import numpy as np

from trading.forecasting.bundle import Bundle
from trading.forecasting.losses import diebold_mariano

SIGNIFICANT = 0.05
MIN_COMMON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the candidate is to speak, and why or why not."""

    promoted: bool
    reason: str


def contest(candidate: Bundle, champion: Bundle | None) -> Verdict:
    """The first champion must beat climatology in CRPS; a later one must beat the champion, both at p < 0.05.

    A candidate by the champion's own recipe that learnt from later bars only takes over what it was made to renew: it
    must not be significantly worse.
    """
    if champion is None:
        return _first(candidate)
    steps = candidate.card.horizon_ms // candidate.card.step_ms
    common, mine, theirs = np.intersect1d(
        candidate.judged.open_ms, champion.judged.open_ms, assume_unique=True, return_indices=True
    )
    renews = (
        candidate.card.recipe == champion.card.recipe and candidate.card.trained_to_ms > champion.card.trained_to_ms
    )
    if len(common) < MIN_COMMON:
        if renews:
            return Verdict(promoted=True, reason="renews the champion on later bars; none in common to compare on")
        return Verdict(
            promoted=False, reason=f"judged on {len(common)} bars in common with the champion, {MIN_COMMON} are needed"
        )
    test = diebold_mariano(candidate.judged.crps[mine], champion.judged.crps[theirs], steps=steps)
    if test is None:  # the same losses: the same model on the bars in common
        return Verdict(promoted=renews, reason="no difference to the champion" + (", on later bars" if renews else ""))
    said = f"CRPS against the champion {test.difference:+.3g} (p = {test.p_value:.3g}, n = {test.n})"
    if test.difference < 0 and test.p_value < SIGNIFICANT:
        return Verdict(promoted=True, reason=f"better: {said}")
    if renews and not (test.difference > 0 and test.p_value < SIGNIFICANT):
        return Verdict(promoted=True, reason=f"renews the champion on later bars: {said}")
    return Verdict(promoted=False, reason=f"not better: {said}")


def _first(candidate: Bundle) -> Verdict:
    interval = candidate.card.scores.ci95.get("crps_skill")
    value = candidate.card.scores.metrics.get("crps_skill")
    if interval is None or value is None:
        return Verdict(promoted=False, reason="its CRPS skill is not known")
    said = f"CRPS skill {value:.4f}, 95 % interval {interval[0]:.4f} to {interval[1]:.4f}"
    if interval[0] > 0:
        return Verdict(promoted=True, reason=f"beats climatology: {said}")
    return Verdict(promoted=False, reason=f"does not beat climatology: {said}")
