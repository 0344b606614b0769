"""The parts that transformers share, besides attention."""

from __future__ import annotations

import math

import numpy as np

from attention.core import Array, softmax_in_place

_SAFE_SCORE = 64  # exp(64) = 6e27: a sum of 512 such terms and its reciprocal are far from the ends


def layer_norm(x: Array, gain: Array, bias: Array, eps: float) -> Array:
    """Return `(x - mean) / sqrt(variance + eps) * gain + bias` over the last axis.

    Parameters
    ----------
    x : (..., D)
    gain, bias : (D,)

    Source: Ba et al. 2016, "Layer normalization", section 3.

    >>> layer_norm(np.array([1.0, 3.0]), np.ones(2), np.zeros(2), eps=0.0)
    array([-1.,  1.])
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.einsum("...d,...d->...", centred, centred)[..., None] / x.shape[-1]
    centred /= np.sqrt(variance + eps)
    centred *= gain
    centred += bias
    return centred


def gelu_in_place(x: Array) -> Array:
    """Overwrite `x` with `x * Phi(x)`, Phi being the normal distribution function.

    Computed as `relu(x) - |x| * Phi(-|x|)` with the five-term approximation of the tail in
    Abramowitz and Stegun 1964, 7.1.26 (absolute error of Phi below 8e-8).

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2.

    >>> gelu_in_place(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    size = np.abs(x)
    t = size * (0.3275911 / math.sqrt(2))
    t += 1
    np.divide(1, t, out=t)
    tail = t * (1.061405429 / 2)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += coefficient / 2
        tail *= t
    x += size
    x *= 0.5  # relu; np.maximum takes more than twice as long
    tail *= size
    size *= size
    size *= -0.5
    tail *= np.exp(size, out=size)
    x -= tail
    return x


def softmax_rows_in_place(scores: Array) -> Array:
    """Overwrite float32 `scores` (..., K) with their softmax; none of them may be NaN or +inf.

    Where no exponential can leave the float range there is no need to subtract each row's largest
    score: the result is the same, and finding it takes longer than the exponentials.

    >>> softmax_rows_in_place(np.array([[0.0, np.log(3.0)]], dtype=np.float32))
    array([[0.25, 0.75]], dtype=float32)
    """
    if scores.size == 0 or max(scores.max(), -scores.min()) > _SAFE_SCORE:
        return softmax_in_place(scores)
    np.exp(scores, out=scores)
    total = scores @ np.ones((scores.shape[-1], 1), scores.dtype)  # quicker than sum(axis=-1)
    scores /= total
    return scores


def split_heads(x: Array, heads: int) -> Array:
    """Return `(T, H * E)` as `(H, T, E)`: each head gets its own consecutive columns."""
    return x.reshape(len(x), heads, x.shape[1] // heads).swapaxes(0, 1)


def merge_heads(x: Array) -> Array:
    """Return `(H, T, E)` as `(T, H * E)`: the heads side by side, ready for W_O."""
    heads, tokens, width = x.shape
    return x.swapaxes(0, 1).reshape(tokens, heads * width)
