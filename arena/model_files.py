"""The registered forecasters of a home folder: versions and scores, and what moves each champion and its drift."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from arena.jobs import Ticket
from arena.modelling import Asked, frame_until
from arena.settings import Settings
from trading.domain import duration_text
from trading.domain.errors import TradefloorError

if TYPE_CHECKING:
    from trading.forecasting.registry import Entry, Registry

RECENT_BARS = 2160
"""Bars that features are compared over with their training, and that importance is measured on."""

_EXPLAINED_BARS = 240
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRow:
    """One feature's part in the newest forecast, in log odds of rising; ``value`` None is not known."""

    feature: str
    group: str
    value: float | None
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionFile:
    """What a champion says now and why, or in ``trouble`` why that is not known.

    ``importance`` is the mean size of each feature's contributions over recent bars; ``shifts`` the population
    stability index of each feature against its training; both largest first.
    """

    as_of_ms: int = 0
    bars: int = 0
    p_up: float | None = None
    q05: float | None = None
    q95: float | None = None
    drivers: tuple[DriverRow, ...] = ()
    importance: tuple[tuple[str, float], ...] = ()
    shifts: tuple[tuple[str, float], ...] = ()
    features: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A registered model with its walk-forward scores and their 95 % intervals by name.

    ``baselines`` holds the same scores of what it was compared with. ``champion`` is None for one that does not speak.
    """

    model_id: str
    key: str
    stage: str
    trained_from_ms: int
    trained_to_ms: int
    features: int
    folds: int
    metrics: Mapping[str, float | None]
    ci95: Mapping[str, Interval | None]
    baselines: Mapping[str, Mapping[str, float | None]]
    champion: ChampionFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShelf:
    """Every registered model, the newest first, and the changes of champion as lines."""

    models: tuple[ModelFile, ...]
    moves: tuple[str, ...]


def model_shelf(settings: Settings, ticket: Ticket) -> ModelShelf:
    """Read the registry, and look at every champion. Raises DataError for a damaged registry."""
    if not (settings.home / "models" / "registry.sqlite").is_file():
        return ModelShelf(models=(), moves=())
    from trading.forecasting.registry import Registry, Stage

    registry = Registry(settings.home)
    entries = list(reversed(registry.entries()))
    found = []
    for number, entry in enumerate(entries):
        ticket.report(number, len(entries))
        card = registry.card(entry)
        model = ModelFile(
            model_id=entry.model_id,
            key=str(entry.key),
            stage=entry.stage.value,
            trained_from_ms=card.trained_from_ms,
            trained_to_ms=card.trained_to_ms,
            features=len(card.features),
            folds=len(card.folds),
            metrics=card.scores.metrics,
            ci95=card.scores.ci95,
            baselines={name: scored.metrics for name, scored in card.baselines.items()},
        )
        if entry.stage is Stage.CHAMPION:
            model = replace(model, champion=_champion(registry, entry, settings))
        found.append(model)
    moves = [
        f"{move.at}: {move.key}, {move.before or 'nobody'} to {move.after or 'nobody'}: {move.reason}"
        for move in registry.moves()
    ]
    return ModelShelf(models=tuple(found), moves=tuple(reversed(moves)))


def _champion(registry: "Registry", entry: "Entry", settings: Settings) -> ChampionFile:
    from trading.features.registry import chosen, history_bars
    from trading.features.vector import compute
    from trading.forecasting.drift import stability_index
    from trading.forecasting.explanations import explain, mean_contributions
    from trading.forecasting.serving import return_forecast

    asked = Asked(
        instrument=entry.key.instrument,
        timeframe=duration_text(entry.key.step_ms),
        until=None,
        data=(),
        home=settings.home,
        data_root=settings.data_root,
    )
    try:
        frame = frame_until(asked, settings)
        bundle = registry.load(entry)
    except TradefloorError as error:
        return ChampionFile(trouble=str(error))
    features = chosen(bundle.card.features)
    warm = history_bars(features)
    part = frame.rows(max(0, len(frame) - RECENT_BARS - warm), len(frame))
    values = np.ascontiguousarray(compute(part, features).values.T[min(warm, len(part) - 1) :], np.float64)
    said = return_forecast(bundle.predict(values[-1:]))
    moved = explain(bundle, values[-1:])
    shifts = {
        name: index
        for at, name in enumerate(bundle.card.features)
        if name in bundle.card.spreads
        and (index := stability_index(bundle.card.spreads[name], values[:, at])) is not None
    }
    return ChampionFile(
        as_of_ms=int(frame.open_ms[-1]) + frame.step_ms,
        bars=len(values),
        p_up=said.p_up,
        q05=said.q05,
        q95=said.q95,
        drivers=tuple(
            DriverRow(feature=one.feature, group=one.group, value=one.value, contribution=one.contribution)
            for one in moved.drivers
        ),
        importance=tuple(mean_contributions(bundle, values[-_EXPLAINED_BARS:]).items()),
        shifts=tuple(sorted(shifts.items(), key=lambda item: -item[1])),
        features=len(bundle.card.features),
    )
