"""Weights by name, and what is computed with each: the same in encoders and decoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from attention.arrays import Array
from attention.models import files
from attention.models.layers import layer_norm, rms_norm


class NamedWeights:
    """Matrices `(in, out)` named `x.weight`, with `x.bias` where there is one."""

    norm: ClassVar[Literal["LayerNorm", "RMSNorm"]]

    def __init__(self, weights: dict[str, Array], norm_eps: float) -> None:
        """Keep what is given; `norm_eps` is added to variances."""
        self._weights, self._norm_eps = weights, norm_eps

    def _join(self, joined: str, parts: Sequence[str]) -> None:
        """Turn matrices `(out, in)` that read the same rows into one `(in, all out)`.

        Called layer by layer: those of one layer lie in memory twice, for a moment.
        """
        w = self._weights
        biases = [w.pop(f"{part}.bias") for part in parts if f"{part}.bias" in w]
        w[f"{joined}.weight"] = files.side_by_side([w.pop(f"{part}.weight") for part in parts])
        if biases:
            w[f"{joined}.bias"] = _frozen(np.concatenate(biases))

    def _matrix_and_bias(self, name: str) -> tuple[Array, Array]:
        matrix = self._weights[f"{name}.weight"]
        bias = self._weights.get(f"{name}.bias")
        return matrix, _frozen(np.zeros(matrix.shape[1], np.float32)) if bias is None else bias

    def _linear(self, name: str, x: Array) -> Array:
        y: Array = x @ self._weights[f"{name}.weight"]
        if (bias := self._weights.get(f"{name}.bias")) is not None:
            y += bias
        return y

    def _relu_mlp(self, name: str, x: Array) -> Array:
        """Return `max(0, x W_1 + b_1) W_2 + b_2`, of matrices `inner` and `outer`."""
        inner = self._linear(f"{name}.inner", x)
        return self._linear(f"{name}.outer", np.maximum(inner, 0, out=inner))

    def _norm(self, name: str, x: Array) -> Array:
        gain, eps = self._weights[f"{name}.weight"], self._norm_eps
        if self.norm == "RMSNorm":
            return rms_norm(x, gain, eps)
        return layer_norm(x, gain, self._weights[f"{name}.bias"], eps)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False  # one model serves every reader
    return array
