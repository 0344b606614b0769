"""Scaled dot-product attention in plain NumPy, written to be read.

Axes, always in this order: `...` any leading batch dimensions, `H` head, `Q` query position,
`K` key position, `E` head width. A weight `(..., Q, K)` says how much query Q attends to key K.

Reference: Vaswani et al. 2017, "Attention is all you need", section 3.2.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Unpack

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.core.checks import (
    AttentionOptions,
    Options,
    WindowOptions,
    check_dropout,
    checked_options,
    compute_dtype,
    result_dtype,
    spelled_out,
)


class Blend(NamedTuple):
    """A weighted sum and its parts: `contributions.sum(axis=-2) == output`."""

    output: Array  # (..., E)
    contributions: Array  # (..., K, E)


def softmax(scores: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Array:
    r"""Turn scores into weights that are non-negative and sum to 1 along `axis`.

    `softmax(s)_i = exp(s_i / t) / sum_j exp(s_j / t)`; the largest score is subtracted first, which
    changes nothing but keeps `exp` in range.

    Parameters
    ----------
    scores : array of any shape; `-inf` gets weight 0
    axis : the axis that sums to 1
    temperature : `t > 0`; below 1 sharpens, above 1 flattens

    Returns
    -------
    Array of the same shape; all zeros where a whole row is `-inf` or empty. NaN stays NaN.

    Raises
    ------
    ValueError : `temperature` is not a positive finite number, or `scores` has no axis.

    >>> softmax([0.0, np.log(3.0)])
    array([0.25, 0.75])
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be a positive finite number, got {temperature}")
    scores = np.asarray(scores)
    if scores.ndim == 0:
        raise ValueError(f"softmax needs at least one axis, got shape {scores.shape}")
    work = scores.astype(compute_dtype(scores))  # a copy: everything below is in place
    limits = np.finfo(work.dtype)  # float32 would round a temperature of 1e-50 to zero
    temperature = min(max(temperature, float(limits.tiny)), float(limits.max))
    return softmax_in_place(work, axis, temperature).astype(result_dtype(scores), copy=False)


@spelled_out
def attention_scores(
    query: ArrayLike,
    key: ArrayLike,
    attn_mask: ArrayLike | None = None,
    **options: Unpack[AttentionOptions],
) -> Array:
    """Return how well every query matches every key: `query @ key.T * scale`, then masked.

    The parameters are those of `scaled_dot_product_attention`; the result is `(..., H, Q, K)`,
    with `-inf` where a query may not attend. `attention.attention_stages` has them before.

    >>> attention_scores([[1.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]], scale=0.5)
    array([[1., 0.]])
    """
    arrays = np.asarray(query), np.asarray(key)
    checked = checked_options(arrays, attn_mask, **options)
    return _scores(*arrays, checked).astype(result_dtype(*arrays), copy=False)


@spelled_out
def attention_weights(
    query: ArrayLike,
    key: ArrayLike,
    attn_mask: ArrayLike | None = None,
    **options: Unpack[AttentionOptions],
) -> Array:
    """Return how much every query attends to every key: the softmax of the scores over the keys.

    The parameters are those of `scaled_dot_product_attention`.

    Returns
    -------
    (..., H, Q, K) : rows sum to 1, or to 0 where a query may attend to nothing

    >>> attention_weights([[0.0]], [[1.0], [5.0]])
    array([[0.5, 0.5]])
    """
    arrays = np.asarray(query), np.asarray(key)
    checked = checked_options(arrays, attn_mask, **options)
    weights = softmax_in_place(_scores(*arrays, checked))
    return weights.astype(result_dtype(*arrays), copy=False)


@spelled_out
def plain_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Unpack[WindowOptions],
) -> Array:
    """Blend the values by how well each query matches each key: `softmax(Q K^T * scale + M) V`.

    Means what `torch.nn.functional.scaled_dot_product_attention` means, argument for argument.

    Parameters
    ----------
    query : (..., H, Q, E), at least (Q, E)
    key : (..., H, K, E)
    value : (..., H, K, V); the width V may differ from E
    attn_mask : broadcastable to (..., H, Q, K). Bool: True takes part. Float: added to the scores
    dropout_p : 0.0, for the sake of code that names it; there is no dropout here
    is_causal : query q attends to keys 0..q only (aligned top-left); combines with `attn_mask`
    scale : factor on the scores, by default `1 / sqrt(E)`
    enable_gqa : `key` and `value` may have fewer heads (axis -3), each shared by consecutive
        query heads
    softcap : before any mask, scores become `softcap * tanh(scores / softcap)`
    window : query q attends to keys q - window..q + window only; or the pair (left, right), where
    None
        has no limit
    query_offset : position of query 0 among the keys, for `is_causal` and `window`: with P past
        keys in front, P. One number, or (..., H) of them, as (B, 1) for one a sequence
    key_lengths : how many of the keys are real; those after them are padding, any finite numbers.
        One number, or (..., H) of them

    Returns
    -------
    (..., H, Q, V) in the inputs' float type (float16 and ml_dtypes' bfloat16 are computed in
    float32). A query that may attend to nothing gets zeros.

    Raises
    ------
    ValueError : shapes that do not fit, NaN or +inf in `attn_mask`, or an option out of range; the
        message has the shapes or the value.

    Source: Vaswani et al. 2017, equation 1. Cap: Gemma Team 2024, "Gemma 2", section 2. Window:
    Beltagy et al. 2020, "Longformer", section 3.1.

    >>> plain_attention([[0.0]], [[1.0], [5.0]], [[10.0], [20.0]])
    array([[15.]])
    """
    check_dropout(dropout_p)
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    checked = checked_options(arrays, attn_mask, is_causal=is_causal, **options)
    weights = softmax_in_place(_scores(*arrays[:2], checked))
    output = head_matmul(weights, arrays[2].astype(compute_dtype(*arrays), copy=False))
    return output.astype(result_dtype(*arrays), copy=False)


def scores_for(weights: ArrayLike) -> Array:
    """Return scores whose softmax gives `weights`: `s_k = log w_k`; any constant may be added.

    A weight of 0 gets the score of a weight of 1e-30, so that every score is finite.

    >>> softmax(scores_for([0.25, 0.75]))
    array([0.25, 0.75])
    """
    weights = np.asarray(weights)
    tiny = max(1e-30, float(np.finfo(compute_dtype(weights)).tiny))
    scores: Array = np.log(np.maximum(weights.astype(compute_dtype(weights)), tiny))
    return scores


def blend(weights: ArrayLike, values: ArrayLike) -> Blend:
    """Return the weighted sum of `values` and what each of them put into it.

    `output = sum_k weights_k * values_k`

    Parameters
    ----------
    weights : (..., K)
    values : (..., K, E)

    Raises
    ------
    ValueError : the lengths differ; the message has both shapes.

    >>> blend([0.25, 0.75], [[4.0, 0.0], [0.0, 4.0]]).output
    array([1., 3.])
    """
    weights, values = np.asarray(weights), np.asarray(values)
    if weights.ndim < 1 or values.ndim < 2 or weights.shape[-1] != values.shape[-2]:
        raise ValueError(
            "blend needs weights (..., K) and values (..., K, E), "
            f"got {weights.shape} and {values.shape}"
        )
    result = result_dtype(weights, values)
    contributions = weights[..., None] * values.astype(compute_dtype(weights, values), copy=False)
    output = contributions.sum(axis=-2)
    return Blend(output.astype(result, copy=False), contributions.astype(result, copy=False))


def _scores(query: Array, key: Array, options: Options) -> Array:
    """Return a new array `(..., H, Q, K)` of scaled, capped and masked scores."""
    scores = scaled_scores(query, key, options.scale)
    cap_in_place(scores, options.softcap)
    mask_in_place(scores, options)
    return scores


def scaled_scores(query: Array, key: Array, scale: float) -> Array:
    """Return `query @ key.T * scale` in the compute type."""
    dtype = compute_dtype(query, key)
    scaled = query.astype(dtype, copy=False) * dtype.type(scale)
    return head_matmul(scaled, np.swapaxes(key.astype(dtype, copy=False), -1, -2))


def cap_in_place(scores: Array, softcap: float | None) -> None:
    """Bend `scores` so that none goes beyond -softcap and softcap."""
    if softcap is not None:
        scores /= softcap
        np.tanh(scores, out=scores)
        scores *= softcap


def mask_in_place(scores: Array, options: Options) -> None:
    """Overwrite with -inf what a query may not attend to; add a float mask."""
    everything = slice(0, scores.shape[-2]), slice(0, scores.shape[-1])
    if not options.seen.all_visible(*everything):
        np.copyto(scores, -np.inf, where=~options.seen.visible(*everything))
    if options.mask is None:
        return
    if options.mask.dtype == bool:
        np.copyto(scores, -np.inf, where=~options.mask)
    else:
        with np.errstate(over="ignore"):  # float64's lowest number hides a key in float32 too
            scores += options.mask


def softmax_in_place(scores: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Overwrite float `scores` with their softmax; rows without a finite score become zeros."""
    top = scores.max(axis=axis, keepdims=True, initial=-np.inf)
    top[np.isneginf(top)] = 0.0  # -inf - -inf would be NaN; exp(-inf - 0) is the 0 we want
    # +inf - +inf is NaN, as in every other implementation; a gap beyond the type's range is -inf
    with np.errstate(invalid="ignore", over="ignore"):
        scores -= top
        if temperature != 1.0:
            scores /= temperature
    np.exp(scores, out=scores)
    total = scores.sum(axis=axis, keepdims=True)
    total[total == 0.0] = 1.0
    scores /= total
    return scores


def head_matmul(left: Array, right: Array) -> Array:
    """Multiply `(..., H, A, B) @ (..., G, B, C)`, each of the G heads serving H / G in a row."""
    heads, groups = _heads(left), _heads(right)
    if heads == groups or min(heads, groups) <= 1:
        return np.matmul(left, right)
    grouped = left.reshape(*left.shape[:-3], groups, heads // groups, *left.shape[-2:])
    product = np.matmul(grouped, right[..., None, :, :])
    return product.reshape(*product.shape[:-4], heads, *product.shape[-2:])


def _heads(array: Array) -> int:
    return array.shape[-3] if array.ndim >= 3 else 1
