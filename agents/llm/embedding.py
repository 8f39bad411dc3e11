"""Texts as vectors by a model behind LiteLLM: for the index of trade memory, never for a decision."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import MemoryUnavailable

BATCH = 64
TIMEOUT_S = 30.0


def embed(model: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of length one, shape (texts, size), in the order of ``texts``.

    Raises MemoryUnavailable where the model cannot be asked or answers something else.
    """
    import litellm

    rows: list[Any] = []
    for begin in range(0, len(texts), BATCH):
        batch = list(texts[begin : begin + BATCH])
        try:
            answer = litellm.embedding(model=model, input=batch, timeout=TIMEOUT_S, num_retries=2)
            rows += [row["embedding"] for row in sorted(answer.data, key=lambda row: row["index"])]
        except Exception as error:  # the border to LiteLLM, whose errors have no common base
            raise _unavailable(model, f"{type(error).__name__}: {str(error)[:200]}") from error
    try:
        vectors = np.array(rows, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    except ValueError as error:
        raise _unavailable(model, "its vectors differ in size") from error
    if vectors.shape[0] != len(texts) or not np.isfinite(vectors).all() or not (lengths > 0).all():
        raise _unavailable(model, f"{vectors.shape[0]} usable vectors for {len(texts)} texts")
    found: NDArray[np.float32] = vectors / lengths
    return found


def _unavailable(model: str, why: str) -> MemoryUnavailable:
    return MemoryUnavailable(
        f"trade memory: the embedding model {model} cannot be used ({why}); check its key, or use 'hashing'",
        short="its embedding model cannot be asked",
    )
