"""How the parts of a layer pass gradients on, from their output to their input.

Each takes the input of a part and `upstream`, the gradient of some number with respect to the
part's output, and returns the gradient with respect to the input: the chain rule.
"""

from __future__ import annotations

import math

import numpy as np

from attention.arrays import Array
from attention.models.layers import LOG_ODDS


def layer_norm_gradient(x: Array, gain: Array, eps: float, upstream: Array) -> Array:
    """Return the gradient of `layers.layer_norm` at `x`, all `(..., D)`.

    With `n = (x - mean) / s` and `u = upstream * gain`: `(u - mean(u) - n mean(u n)) / s`.
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.asarray(eps, x.dtype))
    normal, own = centred * scale, upstream * gain
    along = (own * normal).mean(axis=-1, keepdims=True)
    return scale * (own - own.mean(axis=-1, keepdims=True) - normal * along)


def rms_norm_gradient(x: Array, gain: Array, eps: float, upstream: Array) -> Array:
    """Return the gradient of `layers.rms_norm` at `x`, all `(..., D)`.

    With `n = x / r` and `u = upstream * gain`: `(u - n mean(u n)) / r`.
    """
    scale = 1 / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.asarray(eps, x.dtype))
    normal, own = x * scale, upstream * gain
    return scale * (own - normal * (own * normal).mean(axis=-1, keepdims=True))


def softmax_gradient(weights: Array, upstream: Array) -> Array:
    """Return the gradient with respect to scores whose softmax is `weights`, all `(..., K)`.

    `w (u - sum_j w_j u_j)`: what is masked, with a weight of 0, gets 0.

    >>> softmax_gradient(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([ 0.25, -0.25])
    """
    total = np.einsum("...k,...k->...", weights, upstream)[..., None]
    return weights * (upstream - total)


def silu_slope(x: Array) -> Array:
    """Return the slope of `layers.silu_in_place`: `p (1 + x (1 - p))`, p the logistic function.

    >>> silu_slope(np.array([0.0, 100.0]))
    array([0.5, 1. ])
    """
    with np.errstate(over="ignore"):  # exp(-x) may be inf: the slope far to the left is 0
        logistic = 1 / (1 + np.exp(-x))
    return logistic * (1 + x * (1 - logistic))


def gelu_tanh_slope(x: Array) -> Array:
    """Return the slope of GPT-2's GELU, `x / 2 (1 + tanh(u))`, `u = c (x + 0.044715 x^3)`.

    >>> gelu_tanh_slope(np.array([0.0, 10.0]))
    array([0.5, 1. ])
    """
    c = math.sqrt(2 / math.pi)
    bent = np.tanh(c * (x + 0.044715 * x**3))
    return 0.5 * (1 + bent) + 0.5 * x * (1 - bent**2) * c * (1 + 3 * 0.044715 * x**2)


def gelu_slope(x: Array) -> Array:
    """Return the slope of `layers.gelu_in_place`, `p + x p (1 - p) u'`, u the log-odds of p.

    >>> gelu_slope(np.array([0.0, 100.0, -100.0]))
    array([0.5, 1. , 0. ])
    """
    x = np.clip(x, -12, 12)  # further out p is 0 or 1
    square = x * x
    odds = x * np.polyval(np.asarray(LOG_ODDS, x.dtype), square)
    powers = 2 * np.arange(len(LOG_ODDS))[::-1] + 1
    steep = np.polyval(np.asarray(powers * LOG_ODDS, x.dtype), square)
    with np.errstate(over="ignore"):  # exp(-odds) may be inf: p far to the left is 0
        p = 1 / (1 + np.exp(-odds))
    return p + x * p * (1 - p) * steep


def relu_slope(x: Array) -> Array:
    """Return the slope of `max(0, x)`, 0 at 0.

    >>> relu_slope(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 1.])
    """
    return (x > 0).astype(x.dtype)
