"""Feature vectors and closes of one instrument, bar by bar, kept on disk by the content they follow from."""

import hashlib
import inspect
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from trading.domain import duration_text, iso
from trading.domain.errors import DataError
from trading.features import library, rolling, smoothing
from trading.features.feature import Feature, Input
from trading.features.frame import FeatureFrame
from trading.features.registry import FEATURES, history_bars
from trading.features.vector import compute
from trading.marketdata import FloatArray
from trading.stats import BoolArray

HISTORY_BARS = 720
"""Features that look further back are left out: a season shows its desks a thousand bars, and no more."""

MIN_BARS = 2500
"""Fewer bars than this are not worth learning from."""

MAX_UNKNOWN = 0.2
"""A bar of which a larger share of the features is unknown is neither learnt from nor forecast at."""

_STILL_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The bars of ``frame`` with their feature vectors, ``values`` of shape (bars, features), float32, NaN unknown."""

    frame: FeatureFrame
    names: tuple[str, ...]
    values: FloatArray
    data_sha256: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def usable(self) -> BoolArray:
        """Whether enough of each bar's vector is known, booleans of shape (bars,)."""
        return np.asarray(np.isnan(self.values).mean(axis=1) <= MAX_UNKNOWN)

    def only(self, names: Sequence[str]) -> "Dataset":
        """The same bars with some of the features, in the order of ``names``."""
        at = [self.names.index(name) for name in names]
        return Dataset(frame=self.frame, names=tuple(names), values=self.values[:, at], data_sha256=self.data_sha256)

    def rows(self, begin: int, end: int) -> "Dataset":
        """Some of the bars."""
        return Dataset(
            frame=self.frame.rows(begin, end),
            names=self.names,
            values=self.values[begin:end],
            data_sha256=self.data_sha256,
        )


def default_features(frame: FeatureFrame) -> tuple[Feature, ...]:
    """The features that the columns of ``frame`` can give and that need no more than :data:`HISTORY_BARS` bars.

    An instrument that is measured by itself, or has no peers, gives no features across instruments.
    """
    alone = "peers_return" not in frame.columns
    across = {Input.REFERENCE, Input.PEERS}
    return tuple(
        feature
        for feature in FEATURES
        if history_bars((feature,)) <= HISTORY_BARS and not (alone and across & set(feature.inputs))
    )


def make_dataset(frame: FeatureFrame, *, cache_folder: Path | None = None) -> Dataset:
    """The dataset of ``frame``; features that are never known there are left out.

    With a ``cache_folder`` the vectors are computed once for the same bars, features and code. A cached file that is
    damaged is computed anew. Raises DataError for bars that cannot be learnt from.
    """
    _check_bars(frame)
    features = default_features(frame)
    data_sha256 = frame_sha256(frame)
    names = tuple(feature.name for feature in features)
    key = hashlib.sha256("|".join((data_sha256, features_sha256(), *names)).encode()).hexdigest()
    path = None if cache_folder is None else cache_folder / f"{frame.instrument}-{key[:24]}.npz"
    values = None if path is None else _cached(path, (len(frame), len(names)))
    if values is None:
        values = np.ascontiguousarray(compute(frame, features).values.T, np.float32)
        if path is not None:
            _keep(path, values)
    alive: BoolArray = np.asarray(~np.isnan(values).all(axis=0))
    return Dataset(
        frame=frame,
        names=tuple(name for name, lives in zip(names, alive, strict=True) if lives),
        values=values[:, alive],
        data_sha256=data_sha256,
    )


def frame_sha256(frame: FeatureFrame) -> str:
    """Digest of the bars and of everything beside them."""
    digest = hashlib.sha256(f"{frame.instrument}|{frame.step_ms}".encode())
    digest.update(np.ascontiguousarray(frame.open_ms).tobytes())
    for name in sorted(frame.columns):
        digest.update(name.encode() + np.ascontiguousarray(frame.columns[name]).tobytes())
    return digest.hexdigest()


@cache
def features_sha256() -> str:
    """Digest of the code that features are computed by."""
    folders = {Path(inspect.getfile(module)).parent for module in (library, rolling, smoothing)}
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.glob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _check_bars(frame: FeatureFrame) -> None:
    name = f"{frame.instrument} {duration_text(frame.step_ms)}"
    if len(frame) < MIN_BARS:
        raise DataError(f"{name}: {len(frame)} bars, a model needs at least {MIN_BARS}; give it more history")
    still = float(np.mean(np.diff(frame.columns["close"]) == 0))
    if still > _STILL_SHARE:
        raise DataError(
            f"{name}: the price stood still in {still:.0%} of the bars up to {iso(int(frame.open_ms[-1]))}, "
            "expected a market that moves; there is nothing to learn from"
        )


def _cached(path: Path, shape: tuple[int, int]) -> FloatArray | None:
    """The matrix of a cached file; None where there is none or its checksum does not hold."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            values: FloatArray = stored["values"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None
    return values if values.shape == shape and values.dtype == np.float32 else None


def _keep(path: Path, values: FloatArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez(file, values=values)
    partial.replace(path)
