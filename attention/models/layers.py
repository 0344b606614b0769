"""The parts that transformers share, besides attention."""

from __future__ import annotations

import numpy as np

from attention.core import Array, softmax_in_place

# The log-odds of the normal distribution function are x * P(x * x); highest power first.
_LOG_ODDS = (
    3.61872599e-9,
    -2.67293711e-7,
    7.94622603e-6,
    -1.10555881e-4,
    -6.59095257e-5,
    7.26678227e-2,
    1.59576899,
)

_SAFE_SCORE = 80  # exp(80) = 6e34: a sum of 4,096 such terms and its reciprocal are in range


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
    centred = x - x.sum(axis=-1, keepdims=True) / x.shape[-1]
    variance = np.einsum("...d,...d->...", centred, centred)[..., None] / x.shape[-1]
    centred /= np.sqrt(variance + eps)
    centred *= gain
    centred += bias
    return centred


def gelu_in_place(x: Array) -> Array:
    """Overwrite `x` with `x * Phi(x)`, Phi being the normal distribution function.

    Computed as `x / (1 + exp(-x * P(x^2)))`, where `x * P(x^2)` is the log-odds of Phi: fitted so
    that the largest error, 7e-8, is that of a float32.

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2.

    >>> gelu_in_place(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    with np.errstate(over="ignore"):  # far to the left: x / inf is the 0 that is wanted
        square = x * x
        odds = square * -_LOG_ODDS[0]
        for coefficient in _LOG_ODDS[1:-1]:
            odds -= coefficient
            odds *= square
        odds -= _LOG_ODDS[-1]
        odds *= x
        np.exp(odds, out=odds)
    odds += 1
    x /= odds
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
