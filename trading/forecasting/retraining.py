"""When a champion is to be made anew, and making it anew in a process of its own while the old one goes on speaking."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from trading.domain import duration_text, iso
from trading.features.frame import frame_of
from trading.forecasting.boosting import BoostingSettings
from trading.forecasting.bundle import ModelCard
from trading.forecasting.drift import adaptive_window, shifted_features
from trading.marketdata import FloatArray, TapeView, load_tape

SHIFTED_SHARE = 0.75
"""A champion is renewed when more than this share of its features has shifted.

Slow features wander: of 149 features of hourly bitcoin, learnt up to 2023, 46 to 70 % were beyond the usual line of a
shift in every quarter of 2024 and 2025. A share below that would mean always.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What speaks for a new model: the instant, recent feature vectors (n, features), losses (n,) thinned to one a
    horizon, and the regime now beside the one it was trained in, where those are known.

    The first ``losses_learnt`` of the losses were known when the model was made: a change among them is no news.
    """

    now_ms: int
    values: FloatArray | None = None
    losses: FloatArray | None = None
    losses_learnt: int = 0
    regime: str | None = None
    trained_regime: str | None = None


def why_retrain(card: ModelCard, signs: Signs, *, every_ms: int) -> str | None:
    """The reason to train anew, None while there is none: age, shifted features, worse losses, another regime."""
    if signs.now_ms - card.trained_to_ms >= every_ms:
        return f"trained to {iso(card.trained_to_ms)}, more than {duration_text(every_ms)} ago"
    if signs.values is not None:
        shifted = shifted_features(card.spreads, card.features, signs.values)
        if len(shifted) > SHIFTED_SHARE * len(card.features):
            return f"{len(shifted)} of {len(card.features)} features have shifted, {next(iter(shifted))} the most"
    if signs.losses is not None:
        change = adaptive_window(signs.losses)
        if change is not None and change.at >= signs.losses_learnt and change.after > change.before:
            return f"its loss rose from {change.before:.3g} to {change.after:.3g}"
    if signs.regime is not None and signs.trained_regime is not None and signs.regime != signs.trained_regime:
        return f"the regime changed from {signs.trained_regime} to {signs.regime}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train, in words that cross to another process."""

    home: Path
    candles: tuple[Path, ...]
    instrument: str
    from_ms: int
    until_ms: int
    horizon_ms: int
    folds: int = 4
    funding: tuple[Path, ...] = ()
    settings: BoostingSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The model that came of a job, and what the contest with the champion said."""

    model_id: str
    contest: str


def make(job: Job) -> Made:
    """Train, register and contest, in this process. The registry switches champions in one transaction."""
    from trading.forecasting.dataset import make_dataset
    from trading.forecasting.registry import Registry
    from trading.forecasting.training import Plan, train

    tape = load_tape(job.candles, job.funding, (job.instrument,), job.from_ms, job.until_ms, history_bars=0)
    frame = frame_of(TapeView(tape, job.until_ms), job.instrument, bars=len(tape))
    dataset = make_dataset(frame, cache_folder=job.home / "cache" / "features")
    plan = Plan(
        horizon_ms=job.horizon_ms,
        steps=job.horizon_ms // tape.step_ms,
        folds=job.folds,
        settings=job.settings or BoostingSettings(),
    )
    registry = Registry(job.home)
    entry = registry.register(train(dataset, plan), dataset)
    return Made(model_id=entry.model_id, contest=registry.challenge(entry))


def make_in_worker(job: Job, *, timeout_s: float | None = None) -> Made:
    """The same in a fresh process, so that forecasts are not slowed and a crash takes nothing with it.

    Raises what the training raised, or TimeoutError.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as worker:
        return worker.submit(make, job).result(timeout=timeout_s)
