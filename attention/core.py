"""Scaled dot-product attention in plain NumPy, written to be read.

Axes, always in this order: `...` any leading batch dimensions, `H` head, `Q` query position,
`K` key position, `E` head width. A weight `(..., Q, K)` says how much query Q reads from key K.

Reference: Vaswani et al. 2017, "Attention is all you need", section 3.2.1.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


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


def attention_scores(
    query: ArrayLike,
    key: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """Return how well every query matches every key: `query @ key.T * scale`, then masked.

    The parameters are those of `scaled_dot_product_attention`; the result is `(..., H, Q, K)`,
    with `-inf` where a query may not look.

    >>> attention_scores([[1.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]], scale=0.5)
    array([[1., 0.]])
    """
    arrays = np.asarray(query), np.asarray(key)
    check_shapes(*arrays, None, enable_gqa)
    return _scores(*arrays, attn_mask, is_causal, scale).astype(result_dtype(*arrays), copy=False)


def attention_weights(
    query: ArrayLike,
    key: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """Return how much every query reads from every key: the softmax of the scores over the keys.

    The parameters are those of `scaled_dot_product_attention`.

    Returns
    -------
    (..., H, Q, K) : rows sum to 1, or to 0 where a query may look nowhere

    >>> attention_weights([[0.0]], [[1.0], [5.0]])
    array([[0.5, 0.5]])
    """
    arrays = np.asarray(query), np.asarray(key)
    check_shapes(*arrays, None, enable_gqa)
    weights = softmax_in_place(_scores(*arrays, attn_mask, is_causal, scale))
    return weights.astype(result_dtype(*arrays), copy=False)


def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """Blend the values by how well each query matches each key: `softmax(Q K^T * scale + M) V`.

    Means what `torch.nn.functional.scaled_dot_product_attention` means, argument for argument.

    Parameters
    ----------
    query : (..., H, Q, E), at least (Q, E)
    key : (..., H, K, E)
    value : (..., H, K, V); the width V may differ from E
    attn_mask : broadcastable to (..., H, Q, K). Bool: True takes part. Float: added to the scores
    is_causal : query q sees keys 0..q only (aligned top-left); combines with `attn_mask`
    scale : factor on the scores, by default `1 / sqrt(E)`
    enable_gqa : `key` and `value` may have fewer heads (axis -3), each shared by consecutive
        query heads

    Returns
    -------
    (..., H, Q, V) in the inputs' float type (float16 is computed in float32). A query that may
    look nowhere gets zeros.

    Raises
    ------
    ValueError : shapes that do not fit, or NaN or +inf in `attn_mask`; the message has the shapes.

    Source: Vaswani et al. 2017, equation 1.

    >>> scaled_dot_product_attention([[0.0]], [[1.0], [5.0]], [[10.0], [20.0]])
    array([[15.]])
    """
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    check_shapes(*arrays, enable_gqa)
    weights = softmax_in_place(_scores(*arrays[:2], attn_mask, is_causal, scale))
    value = arrays[2].astype(compute_dtype(*arrays), copy=False)
    return _head_matmul(weights, value).astype(result_dtype(*arrays), copy=False)


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


def causal_mask(queries: int, keys: int | None = None) -> Array:
    """Return a `(Q, K)` bool mask in which query q sees keys 0..q (True takes part).

    >>> causal_mask(2, 3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0]])
    """
    return np.tri(queries, queries if keys is None else keys, dtype=bool)


def window_mask(queries: int, keys: int | None = None, *, window: int | tuple[int, int]) -> Array:
    """Return a `(Q, K)` bool mask in which query q sees its neighbours only.

    `window` is how far it sees on both sides, or the pair (left, right).

    >>> window_mask(3, window=(1, 0)).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [0, 1, 1]])
    """
    left, right = (window, window) if isinstance(window, int) else window
    if left < 0 or right < 0:
        raise ValueError(f"window must not be negative, got {window}")
    offset = np.arange(queries if keys is None else keys) - np.arange(queries)[:, None]
    return (offset >= -left) & (offset <= right)


def padding_mask(lengths: ArrayLike, keys: int) -> Array:
    """Return a `(..., 1, K)` bool mask that hides the keys at or after each sequence's length.

    Parameters
    ----------
    lengths : (...) whole numbers from 0 to `keys`; give `(B, 1)` to broadcast over heads
    keys : K, the padded length

    >>> padding_mask([1, 3], keys=3).astype(int)
    array([[[1, 0, 0]],
    <BLANKLINE>
           [[1, 1, 1]]])
    """
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or np.any((lengths < 0) | (lengths > keys)):
        raise ValueError(f"lengths must be whole numbers from 0 to {keys}, got {lengths.tolist()}")
    return np.arange(keys) < lengths[..., None, None]


def _scores(
    query: Array, key: Array, attn_mask: ArrayLike | None, is_causal: bool, scale: float | None
) -> Array:
    """Return a new array `(..., H, Q, K)` of scaled and masked scores in the compute type."""
    dtype = compute_dtype(query, key)
    if scale is None:
        scale = 1.0 / math.sqrt(max(query.shape[-1], 1))
    scaled = query.astype(dtype, copy=False) * dtype.type(scale)
    scores = _head_matmul(scaled, np.swapaxes(key.astype(dtype, copy=False), -1, -2))
    if is_causal:
        scores[..., ~causal_mask(*scores.shape[-2:])] = -np.inf
    if attn_mask is not None:
        mask = checked_mask(attn_mask, scores.shape)
        if mask.dtype == bool:
            np.copyto(scores, -np.inf, where=~mask)
        else:
            with np.errstate(over="ignore"):  # float64's lowest number hides a key in float32 too
                scores += mask
    return scores


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


def _head_matmul(left: Array, right: Array) -> Array:
    """Multiply `(..., H, A, B) @ (..., G, B, C)`, each of the G heads serving H / G in a row."""
    heads, groups = _heads(left), _heads(right)
    if heads == groups or min(heads, groups) <= 1:
        return np.matmul(left, right)
    grouped = left.reshape(*left.shape[:-3], groups, heads // groups, *left.shape[-2:])
    product = np.matmul(grouped, right[..., None, :, :])
    return product.reshape(*product.shape[:-4], heads, *product.shape[-2:])


def _heads(array: Array) -> int:
    return array.shape[-3] if array.ndim >= 3 else 1


def compute_dtype(*arrays: Array) -> np.dtype[Any]:
    """Return the type to compute in: float32 and float64 stay, float16 widens to float32."""
    dtype = np.result_type(*arrays)
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    if dtype.kind != "f":
        raise ValueError(f"attention needs real numbers, got {dtype}")
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def result_dtype(*arrays: Array) -> np.dtype[Any]:
    """Return the type of the result: the inputs' own float type, or float64 for whole numbers."""
    dtype = np.result_type(*arrays)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def check_shapes(query: Array, key: Array, value: Array | None, enable_gqa: bool) -> None:
    """Raise `ValueError` with all shapes where they do not fit together."""
    shapes = f"query {query.shape}, key {key.shape}"
    if value is not None:
        shapes += f", value {value.shape}"
    others = [key] if value is None else [key, value]
    if any(a.ndim < 2 for a in [query, *others]):
        raise ValueError(f"attention needs at least (tokens, width) each, got {shapes}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"query and key must have the same width, got {shapes}")
    if value is not None and key.shape[-2] != value.shape[-2]:
        raise ValueError(f"key and value must have the same length, got {shapes}")
    batches = [a.shape[:-2] for a in [query, *others]]
    if enable_gqa:
        if any(a.ndim < 3 for a in [query, *others]):
            raise ValueError(f"enable_gqa needs a head axis: (heads, tokens, width), got {shapes}")
        if any(_heads(a) == 0 or _heads(query) % _heads(a) for a in others):
            raise ValueError(f"enable_gqa: key heads must divide the query heads, got {shapes}")
        batches = [a.shape[:-3] for a in [query, *others]]
    try:
        np.broadcast_shapes(*batches)
    except ValueError:
        hint = "" if enable_gqa else " (enable_gqa=True lets query heads share key heads)"
        raise ValueError(f"leading dimensions do not broadcast, got {shapes}{hint}") from None


def checked_mask(attn_mask: ArrayLike, scores_shape: tuple[int, ...]) -> Array:
    """Return the mask as an array; `ValueError` where it cannot be one of these scores."""
    mask = np.asarray(attn_mask)
    if mask.dtype.kind not in "bf":
        raise ValueError(f"attn_mask must be bool or float, got {mask.dtype}")
    try:
        fits = np.broadcast_shapes(mask.shape, scores_shape) == scores_shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"attn_mask {mask.shape} does not broadcast to the scores {scores_shape}")
    if mask.dtype.kind == "f" and not np.all(mask < np.inf):
        raise ValueError(f"attn_mask {mask.shape} has NaN or +inf in it")
    return mask
