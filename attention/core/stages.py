"""Attention in pieces: every step of one call, and calls that continue where others ended."""

from __future__ import annotations

from typing import NamedTuple, Unpack

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.core.checks import (
    AttentionOptions,
    checked_options,
    compute_dtype,
    result_dtype,
    spelled_out,
)
from attention.core.plain import (
    cap_in_place,
    head_matmul,
    mask_in_place,
    scaled_scores,
    softmax_in_place,
)


class Stages(NamedTuple):
    """Attention, step by step: each is made from the one before."""

    scaled: Array  # (..., H, Q, K), query @ key.T * scale
    capped: Array  # (..., H, Q, K), after softcap
    masked: Array  # (..., H, Q, K), -inf where a query may not attend
    weights: Array  # (..., H, Q, K), their softmax
    output: Array  # (..., H, Q, V), weights @ value


class KVCache(NamedTuple):
    """The keys and values of the tokens so far, so that the next one need not make them again."""

    key: Array  # (..., H, P, E)
    value: Array  # (..., H, P, V)

    @property
    def length(self) -> int:
        """P, how many tokens there are."""
        return int(self.key.shape[-2])


@spelled_out
def attention_stages(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    **options: Unpack[AttentionOptions],
) -> Stages:
    """Return every array between the inputs of `scaled_dot_product_attention` and its output.

    The parameters are those of `scaled_dot_product_attention`, and the types of the results too.

    >>> stages = attention_stages([[8.0]], [[1.0], [-1.0]], [[3.0], [5.0]], [False, True])
    >>> stages.scaled, stages.masked, stages.weights, stages.output
    (array([[ 8., -8.]]), array([[-inf,  -8.]]), array([[0., 1.]]), array([[5.]]))
    """
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    checked = checked_options(arrays, attn_mask, **options)
    scaled = scaled_scores(*arrays[:2], checked.scale)
    cap_in_place(capped := scaled.copy(), checked.softcap)
    mask_in_place(masked := capped.copy(), checked)
    weights = softmax_in_place(masked.copy())
    output = head_matmul(weights, arrays[2].astype(compute_dtype(*arrays), copy=False))
    result = result_dtype(*arrays)
    return Stages(
        *(a.astype(result, copy=False) for a in (scaled, capped, masked, weights, output))
    )


def extend_cache(cache: KVCache | None, key: ArrayLike, value: ArrayLike) -> KVCache:
    """Return the cache with the keys and values of some more tokens behind those it has.

    The next call is `scaled_dot_product_attention(query, *cache, query_offset=P, is_causal=True)`,
    with P the `length` of the cache before these tokens came.

    Parameters
    ----------
    cache : what earlier calls returned; None at first
    key, value : (..., H, T, E) and (..., H, T, V) of the new tokens

    Raises
    ------
    ValueError : shapes that differ in more than the number of tokens; the message has them.

    >>> cache = extend_cache(None, [[1.0]], [[10.0]])
    >>> extend_cache(cache, [[2.0], [3.0]], [[20.0], [30.0]]).value.ravel()
    array([10., 20., 30.])
    """
    new = KVCache(np.asarray(key), np.asarray(value))
    if cache is None:
        return new
    for name, old, more in zip(KVCache._fields, cache, new, strict=True):
        if old.ndim != more.ndim or old.ndim < 2 or _without_tokens(old) != _without_tokens(more):
            raise ValueError(
                f"{name} of the past {old.shape} and of the new tokens {more.shape} may differ in "
                "the number of tokens only, axis -2"
            )
    return KVCache(*(np.concatenate(pair, axis=-2) for pair in zip(cache, new, strict=True)))


def _without_tokens(array: Array) -> tuple[int, ...]:
    return array.shape[:-2] + array.shape[-1:]
