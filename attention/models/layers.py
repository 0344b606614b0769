"""The parts that transformers share, besides attention."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np

from attention.arrays import Array
from attention.core.plain import softmax_in_place

_Heads = TypeVar("_Heads", int, Array)

# The log-odds of the normal distribution function are x * P(x * x); highest power first.
LOG_ODDS = (
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
        odds = square * -LOG_ODDS[0]
        for coefficient in LOG_ODDS[1:-1]:
            odds -= coefficient
            odds *= square
        odds -= LOG_ODDS[-1]
        odds *= x
        np.exp(odds, out=odds)
    odds += 1
    x /= odds
    return x


def rms_norm(x: Array, gain: Array, eps: float) -> Array:
    """Return `x / sqrt(mean(x^2) + eps) * gain` over the last axis.

    Parameters
    ----------
    x : (..., D)
    gain : (D,)

    Source: Zhang and Sennrich 2019, "Root mean square layer normalization", section 4.

    >>> rms_norm(np.array([3.0, 4.0]), np.array([1.0, 10.0]), 0.0).round(3)
    array([ 0.849, 11.314])
    """
    squares = np.einsum("...d,...d->...", x, x)[..., None]
    return x * (1 / np.sqrt(squares / x.shape[-1] + np.asarray(eps, x.dtype))) * gain


def silu_in_place(x: Array) -> Array:
    """Overwrite `x` with `x / (1 + exp(-x))`; return it.

    Source: Elfwing et al. 2018, "Sigmoid-weighted linear units", section 2.

    >>> silu_in_place(np.array([0.0, 100.0, -100.0])).round(3) + 0.0
    array([  0., 100.,   0.])
    """
    with np.errstate(over="ignore"):  # exp(-x) may be inf: x / inf is the right answer, 0
        lower = np.exp(-x)
    lower += 1
    x /= lower
    return x


def sigmoid_in_place(x: Array) -> Array:
    """Overwrite `x` with `1 / (1 + exp(-x))`; return it.

    >>> sigmoid_in_place(np.array([0.0, 100.0, -1000.0])).round(3)
    array([0.5, 1. , 0. ])
    """
    with np.errstate(over="ignore"):  # exp(-x) may be inf: 1 / inf is the right answer, 0
        np.exp(-x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def sine_positions(tokens: int, width: int, start: int = 0) -> Array:
    """Return what stands for positions `start` on, `(T, D)`: all sines, then all cosines.

    Position p has `sin(p r^i)` and `cos(p r^i)`, i from 0 to D / 2 - 1: the first pair goes round
    in 6.3 positions, the last one in 10,000 times as many.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5; their program's order.

    >>> sine_positions(2, 4).round(3)
    array([[0.   , 0.   , 1.   , 1.   ],
           [0.841, 0.   , 0.54 , 1.   ]], dtype=float32)
    """
    half = width // 2
    slower = 10_000.0 ** (-np.arange(half) / max(half - 1, 1))  # float64, as for rotations
    angles = np.arange(start, start + tokens)[:, None] * slower
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def rotate(x: Array, cos: Array, sin: Array) -> Array:
    """Turn each pair of numbers `(x[i], x[i + R / 2])` by its angle: `(..., T, E)`.

    Where there are fewer angles than pairs, only the first R numbers turn. The score of two rotated
    vectors depends on how far apart they are only. The opposite rotation has `-sin`.

    >>> rotate(np.array([[1.0, 0.0, 7.0]]), np.array([[0.0]]), np.array([[1.0]]))
    array([[0., 1., 7.]])
    """
    half = cos.shape[-1]
    first, second = x[..., :half], x[..., half : 2 * half]
    turned = first * cos - second * sin, second * cos + first * sin, x[..., 2 * half :]
    return np.concatenate(turned, axis=-1)


def softmax_rows_in_place(scores: Array, *, is_causal: bool = False) -> Array:
    """Overwrite float32 `scores` (..., Q, K) with their softmax; none of them may be NaN or +inf.

    Where no exponential can leave the float range there is no need to subtract each row's largest
    score: the result is the same, and finding it takes longer than the exponentials.

    Parameters
    ----------
    is_causal : the last query is the last key, and no query sees the keys after it: these get 0

    >>> softmax_rows_in_place(np.array([[0.0, np.log(3.0)]], dtype=np.float32))
    array([[0.25, 0.75]], dtype=float32)
    >>> softmax_rows_in_place(np.zeros((2, 2), np.float32), is_causal=True)
    array([[1. , 0. ],
           [0.5, 0.5]], dtype=float32)
    """
    queries = scores.shape[-2]
    later = scores[..., scores.shape[-1] - queries :] if is_causal and queries > 1 else None
    if scores.size == 0 or max(scores.max(), -scores.min()) > _SAFE_SCORE:
        if later is not None:
            np.copyto(later, -np.inf, where=~_seen(queries))
        return softmax_in_place(scores)
    np.exp(scores, out=scores)
    if later is not None:
        later *= _seen(queries)
    total = scores @ np.ones((scores.shape[-1], 1), scores.dtype)  # quicker than sum(axis=-1)
    scores /= total
    return scores


@lru_cache(maxsize=64)
def _seen(queries: int) -> Array:
    """Return which of as many keys each query may attend to under a causal mask, `(Q, Q)`."""
    return np.tri(queries, dtype=bool)


def split_heads(x: Array, heads: int) -> Array:
    """Return `(..., T, H * E)` as `(..., H, T, E)`: each head gets its own consecutive columns."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).swapaxes(-3, -2)


def kv_head(head: _Heads, heads: int, groups: int) -> _Heads:
    """Return which of `groups` heads of keys and values a query head uses, or each of several.

    Source: Ainslie et al. 2023, "GQA: training generalized multi-query transformer models", 2.2.

    >>> [kv_head(head, heads=6, groups=2) for head in range(6)]
    [0, 0, 0, 1, 1, 1]
    """
    return head * groups // heads


def merge_heads(x: Array) -> Array:
    """Return `(..., H, T, E)` as `(..., T, H * E)`: the heads side by side, ready for W_O."""
    *texts, heads, tokens, width = x.shape
    return x.swapaxes(-3, -2).reshape(*texts, tokens, heads * width)
