"""A trained model as files: a card in JSON, three boosters in XGBoost's own UBJSON, and what it was judged on.

Nothing is unpickled. Every file is named in the card with its SHA-256, the card's own digest stands in the registry,
and what does not match is refused, whoever wrote it.
"""

import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.domain import duration_text
from trading.domain.errors import DataError
from trading.features.registry import by_name
from trading.forecasting.boosting import HEADS, SHAPE_LEVELS, BoostingSettings, Finish, Heads
from trading.forecasting.calibration import Calibrator
from trading.forecasting.dataset import Dataset, features_sha256
from trading.forecasting.distribution import LEVELS, Distributions
from trading.forecasting.losses import losses_of
from trading.forecasting.scores import Score
from trading.forecasting.training import FoldReport, Trained
from trading.marketdata import FloatArray, IntArray

CARD = "model.json"
JUDGED = "judged.npz"
FORMAT: Literal[1] = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scored(_Part):
    """Scores by name, and their 95 % intervals where they are known."""

    metrics: dict[str, float | None]
    ci95: dict[str, tuple[float, float] | None]


class FoldCard(_Part):
    """One walk-forward fold."""

    test_from_ms: int
    test_to_ms: int
    train_rows: int
    test_rows: int
    rounds: dict[str, int]
    scores: Scored


class FinishCard(_Part):
    """The numbers of a :class:`~trading.forecasting.boosting.Finish`."""

    kind: Literal["platt", "isotonic"]
    margins: tuple[float, ...]
    probabilities: tuple[float, ...]
    slope: float
    intercept: float
    variance_scale: float = Field(gt=0)
    typical_scale: float = Field(gt=0)
    base: tuple[float, ...] = Field(min_length=len(LEVELS), max_length=len(LEVELS))
    offsets: tuple[float, ...] = Field(min_length=len(SHAPE_LEVELS), max_length=len(SHAPE_LEVELS))

    def finish(self) -> Finish:
        """The working form."""
        return Finish(
            calibrator=Calibrator(
                kind=self.kind,
                margins=self.margins,
                probabilities=self.probabilities,
                slope=self.slope,
                intercept=self.intercept,
            ),
            variance_scale=self.variance_scale,
            typical_scale=self.typical_scale,
            base=np.array(self.base),
            offsets=np.array(self.offsets),
        )


class Spread(_Part):
    """How one feature was spread over the training rows: inner edges of ten equal shares."""

    edges: tuple[float, ...]
    unknown: float


class ModelCard(_Part):
    """Everything about a model but its trees: what it is, what it learnt from, how it scored, and the files it has."""

    format: Literal[1]
    kind: Literal["boosting"]
    instrument: str
    step_ms: int = Field(gt=0)
    horizon_ms: int = Field(gt=0)
    trained_from_ms: int
    trained_to_ms: int
    features: tuple[str, ...] = Field(min_length=1)
    data_sha256: str
    features_sha256: str
    settings: BoostingSettings
    finish: FinishCard
    factor: float = Field(gt=0)
    folds: tuple[FoldCard, ...]
    scores: Scored
    baselines: dict[str, Scored]
    spreads: dict[str, Spread]
    files: dict[str, str]

    @property
    def recipe(self) -> str:
        """What the model is made by, whatever the data: features and settings."""
        parts = (self.kind, self.settings.model_dump_json(exclude={"threads", "device"}), *self.features)
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a model lost out of sample: opens of the bars it forecast at, and its losses there, shapes (n,)."""

    open_ms: IntArray
    crps: FloatArray
    brier: FloatArray
    qlike: FloatArray


@dataclass(frozen=True)
class Bundle:
    """A model read from its folder, checked."""

    model_id: str
    card: ModelCard
    heads: Heads
    judged: Judged

    @cached_property
    def finish(self) -> Finish:
        """What turns raw forecasts into distributions."""
        return self.card.finish.finish()

    def predict(self, values: FloatArray) -> Distributions:
        """Distributions at feature vectors of shape (n, features), in the card's order."""
        said = self.finish(self.heads.predict(np.ascontiguousarray(values, np.float32)))
        return Distributions(
            p_up=said.p_up,
            quantiles=said.quantiles * self.card.factor,
            volatility=said.volatility,
            typical=said.typical,
        )


def write_bundle(trained: Trained, dataset: Dataset, folder: Path) -> tuple[str, str]:
    """Write a model under ``folder`` in one step; its id and its card's digest. The same model is the same folder."""
    files = {f"{head}.ubj": bytes(trained.heads.boosters[head].save_raw("ubj")) for head in HEADS}
    files[JUDGED] = _judged_bytes(trained, dataset)
    card = _card(trained, dataset, {name: _sha256(content) for name, content in files.items()})
    text = card.model_dump_json(indent=1).encode()
    digest = _sha256(text)
    model_id = f"{card.instrument}-{duration_text(card.horizon_ms)}-{digest[:10]}".lower()
    target, partial = folder / model_id, folder / f".{model_id}.{os.getpid()}.partial"
    partial.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, CARD: text}.items():
        (partial / name).write_bytes(content)
    if target.exists():
        shutil.rmtree(target)  # the same content, whole or damaged: the new copy stands in its place
    partial.replace(target)
    return model_id, digest


def read_card(folder: Path, model_id: str, digest: str) -> ModelCard:
    """The card of a model. Raises DataError where it is not the one that was registered."""
    text = _read(folder / model_id / CARD, digest)
    try:
        card = ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"{folder / model_id / CARD}: {'.'.join(map(str, first['loc']))}: {first['msg']}; train the model anew"
        ) from error
    strangers = sorted(set(card.features) - set(by_name()))
    if strangers:
        raise DataError(f"model {model_id} reads a feature {strangers[0]!r} that is no longer there; train it anew")
    return card


def read_bundle(folder: Path, model_id: str, digest: str) -> Bundle:
    """A model ready to forecast. Raises DataError for a file that is missing, damaged or foreign."""
    import xgboost

    card = read_card(folder, model_id, digest)
    wanted = {*(f"{head}.ubj" for head in HEADS), JUDGED}
    if set(card.files) != wanted:
        raise DataError(f"model {model_id}: its card names {sorted(card.files)}, expected {sorted(wanted)}")
    contents = {name: _read(folder / model_id / name, card.files[name]) for name in sorted(wanted)}
    boosters: dict[str, Any] = {}
    for head in HEADS:
        booster = xgboost.Booster({"nthread": 1})
        try:
            booster.load_model(bytearray(contents[f"{head}.ubj"]))
        except xgboost.core.XGBoostError as error:
            raise DataError(f"model {model_id}: {head}.ubj is not a booster ({str(error).splitlines()[0]})") from error
        if booster.num_features() != len(card.features):
            raise DataError(
                f"model {model_id}: {head}.ubj reads {booster.num_features()} features, its card names "
                f"{len(card.features)}; train it anew"
            )
        boosters[head] = booster
    return Bundle(model_id=model_id, card=card, heads=Heads(boosters), judged=_read_judged(contents[JUDGED], model_id))


def _card(trained: Trained, dataset: Dataset, files: dict[str, str]) -> ModelCard:
    calibrator, finish = trained.finish.calibrator, trained.finish
    return ModelCard(
        format=FORMAT,
        kind="boosting",
        instrument=dataset.frame.instrument,
        step_ms=dataset.frame.step_ms,
        horizon_ms=trained.plan.horizon_ms,
        trained_from_ms=trained.trained_from_ms,
        trained_to_ms=trained.trained_to_ms,
        features=trained.names,
        data_sha256=dataset.data_sha256,
        features_sha256=features_sha256(),
        settings=trained.plan.settings,
        finish=FinishCard(
            kind="isotonic" if calibrator.kind == "isotonic" else "platt",
            margins=calibrator.margins,
            probabilities=calibrator.probabilities,
            slope=calibrator.slope,
            intercept=calibrator.intercept,
            variance_scale=finish.variance_scale,
            typical_scale=finish.typical_scale,
            base=tuple(finish.base.tolist()),
            offsets=tuple(finish.offsets.tolist()),
        ),
        factor=trained.factor,
        folds=tuple(map(_fold_card, trained.folds)),
        scores=scored(trained.scores),
        baselines={name: scored(found) for name, found in trained.baseline_scores.items()},
        spreads=_spreads(dataset),
        files=files,
    )


def scored(scores: dict[str, Score]) -> Scored:
    """Scores as they are stored and shown."""
    return Scored(
        metrics={name: found.value for name, found in scores.items()},
        ci95={name: found.ci95 for name, found in scores.items()},
    )


def _fold_card(fold: FoldReport) -> FoldCard:
    return FoldCard(
        test_from_ms=fold.test_from_ms,
        test_to_ms=fold.test_to_ms,
        train_rows=fold.train_rows,
        test_rows=fold.test_rows,
        rounds=fold.rounds,
        scores=scored(fold.scores),
    )


def _spreads(dataset: Dataset) -> dict[str, Spread]:
    found = {}
    shares = np.arange(1, 10) / 10.0
    for name, column in zip(dataset.names, dataset.values.T, strict=True):
        known = column[~np.isnan(column)]
        edges = tuple(float(edge) for edge in np.unique(np.quantile(known, shares)))
        found[name] = Spread(edges=edges, unknown=float(1.0 - len(known) / len(column)))
    return found


def _judged_bytes(trained: Trained, dataset: Dataset) -> bytes:
    lost = losses_of(trained.said, trained.came.log_return, trained.came.realised)
    stream = BytesIO()
    np.savez(stream, open_ms=dataset.frame.open_ms[trained.judged], crps=lost.crps, brier=lost.brier, qlike=lost.qlike)
    return stream.getvalue()


def _read_judged(content: bytes, model_id: str) -> Judged:
    try:
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            return Judged(**{name: stored[name] for name in ("open_ms", "crps", "brier", "qlike")})
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"model {model_id}: {JUDGED} cannot be read ({error}); train it anew") from error


def _read(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); train the model anew") from error
    found = _sha256(content)
    if found != digest:
        raise DataError(
            f"{path}: has SHA-256 {found[:12]}..., expected {digest[:12]}...: damaged or foreign, and not loaded; "
            "train the model anew"
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
