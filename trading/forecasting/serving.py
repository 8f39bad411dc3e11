"""The registry's champions at work: a forecast from a market view, or nothing where no champion may speak there."""

import math
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trading.domain import duration_text, iso
from trading.domain.errors import DataError, Unavailable
from trading.domain.market import Quote
from trading.features.feature import COLUMNS, Feature, Input
from trading.features.frame import FeatureFrame, frame_of
from trading.features.registry import chosen, history_bars
from trading.features.vector import compute
from trading.forecasting.bundle import Bundle, ModelCard
from trading.forecasting.dataset import MAX_UNKNOWN
from trading.forecasting.distribution import HIGH, LOW, MIDDLE, Distributions
from trading.forecasting.forecaster import ReturnForecast, ServedForecast
from trading.forecasting.registry import Entry, Key, Registry, Stage
from trading.marketdata import Bars, FloatArray, FundingRates, MarketView

VALIDATED = ("accuracy", "brier_skill", "crps_skill", "coverage90")
"""Scores of the walk-forward that are told beside a forecast."""


class OneInstrument:
    """A market view of one instrument alone, as models are trained on."""

    def __init__(self, view: MarketView, symbol: str) -> None:
        self._view = view
        self._symbol = symbol

    @property
    def as_of_ms(self) -> int:
        """The instant of the view."""
        return self._view.as_of_ms

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instrument."""
        return (self._symbol,)

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self._view.step_ms

    @property
    def source(self) -> str:
        """Where the data comes from."""
        return self._view.source

    def quote(self, symbol: str) -> Quote:
        """The last known price."""
        return self._view.quote(symbol)

    def bars(self, symbol: str, count: int) -> Bars:
        """The last closed bars."""
        return self._view.bars(symbol, count)

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last settled funding rates."""
        return self._view.funding(symbol, count)


class Champions:
    """Champions by what they forecast. ``pinned`` holds them fast for a season; without it, the registry's word at each
    call counts, so that a new champion speaks from the next call on. Safe to call from several threads.
    """

    def __init__(self, home: Path, *, pinned: Mapping[Key, str] | None = None) -> None:
        self._registry = Registry(home)
        self._pinned = pinned
        self._loaded: dict[str, Bundle] = {}
        self._lock = threading.Lock()

    def forecast(self, view: MarketView, symbol: str, horizon_ms: int) -> ServedForecast | None:
        """The champion's forecast; None where there is no champion, or only one that learnt from after ``as_of``.

        Raises Unavailable where the champion cannot speak from what is known, or its files are damaged.
        """
        entry = self._entry(Key(instrument=symbol, step_ms=view.step_ms, horizon_ms=horizon_ms))
        if entry is None or entry.trained_to_ms > view.as_of_ms:
            return None
        try:
            bundle = self._bundle(entry)
        except DataError as error:
            raise Unavailable(str(error)) from error
        return serve(bundle, view, symbol)

    def _entry(self, key: Key) -> Entry | None:
        if self._pinned is None:
            return self._registry.champion(key)
        model_id = self._pinned.get(key)
        return None if model_id is None else self._registry.get(model_id)

    def _bundle(self, entry: Entry) -> Bundle:
        with self._lock:
            found = self._loaded.get(entry.model_id)
            if found is None:
                found = self._loaded[entry.model_id] = self._registry.load(entry)
            return found


def champions_of(home: Path, *, before_ms: int) -> dict[Key, str]:
    """The champions of a home folder that learnt from nothing after ``before_ms``, to pin a season to."""
    return {
        entry.key: entry.model_id
        for entry in Registry(home).entries()
        if entry.stage is Stage.CHAMPION and entry.trained_to_ms <= before_ms
    }


def serve(bundle: Bundle, view: MarketView, symbol: str) -> ServedForecast:
    """One model's forecast at the last closed bar of a view. Raises Unavailable where too little is known for it."""
    card = bundle.card
    if view.step_ms != card.step_ms:
        raise Unavailable(
            f"model {bundle.model_id} reads candles of {duration_text(card.step_ms)}, these are of "
            f"{duration_text(view.step_ms)}"
        )
    if card.trained_to_ms > view.as_of_ms:
        raise Unavailable(
            f"model {bundle.model_id} learnt from bars up to {iso(card.trained_to_ms)}, after {iso(view.as_of_ms)}: "
            "what it says of earlier times is no forecast"
        )
    features = chosen(card.features)
    frame = frame_of(OneInstrument(view, symbol), symbol, bars=history_bars(features))
    values = vector_of(card, frame)
    said = bundle.predict(values)
    return ServedForecast(
        model_id=bundle.model_id,
        forecast=return_forecast(said),
        closed_ms=int(frame.open_ms[-1]) + frame.step_ms,
        close=float(frame.columns["close"][-1]),
        values=values,
        validation={
            name: (value, card.scores.ci95.get(name))
            for name in VALIDATED
            if (value := card.scores.metrics.get(name)) is not None
        },
    )


def vector_of(card: ModelCard, frame: FeatureFrame) -> FloatArray:
    """The model's feature vector at the last bar, shape (1, features). Raises Unavailable where too much is unknown."""
    features = chosen(card.features)
    needed = history_bars(features)
    if len(frame) < needed:
        raise Unavailable(f"{frame.instrument}: {len(frame)} closed bars are known, the model needs {needed}")
    if np.ptp(frame.columns["close"]) == 0:
        raise Unavailable(f"{frame.instrument}: no price change in {len(frame)} bars, there is nothing to forecast")
    missing = _missing_input(features, frame)
    if missing is not None:
        raise Unavailable(f"{frame.instrument}: the model reads {missing}, which is not known here")
    values = compute(frame, features).values[:, -1:].T
    unknown = [name for name, value in zip(card.features, values[0], strict=True) if math.isnan(value)]
    if len(unknown) > MAX_UNKNOWN * len(features):
        raise Unavailable(
            f"{frame.instrument}: {len(unknown)} of {len(features)} features are not known, the first is {unknown[0]}; "
            "there is a hole in the latest bars"
        )
    return np.ascontiguousarray(values, np.float32)


def return_forecast(said: Distributions) -> ReturnForecast:
    """One row of log-return distributions as the simple-return forecast that every forecaster gives."""
    return ReturnForecast(
        p_up=float(said.p_up[0]),
        q05=math.expm1(said.quantiles[0, LOW]),
        q50=math.expm1(said.quantiles[0, MIDDLE]),
        q95=math.expm1(said.quantiles[0, HIGH]),
        volatility=float(said.volatility[0]),
    )


def _missing_input(features: tuple[Feature, ...], frame: FeatureFrame) -> Input | None:
    for needed in {each for feature in features for each in feature.inputs}:
        for column in COLUMNS[needed]:
            values = frame.columns.get(column)
            if values is None or np.isnan(values).all():
                return needed
    return None
