"""Which keys a query may attend to: the causal rule, windows and padded lengths, and masks that say
so.

All three leave each query one run of consecutive keys, so the rule is two numbers a query, and a
block of it can be had without the whole `(Q, K)` mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array

Window = int | tuple[int | None, int | None] | None

_FAR = 2**62  # further than any key, and a position can be added to it within int64


@dataclass(frozen=True, eq=False)
class KeyRange:
    """Query q may attend to the keys from `first[q]` up to, but not including, `stop[q]`."""

    first: Array  # (..., Q), from 0 to K
    stop: Array  # (..., Q), from 0 to K; a query with stop <= first attends to nothing

    def visible(self, queries: slice, keys: slice) -> Array:
        """Return a bool block `(..., q, k)` of the mask; True takes part.

        >>> key_range(1000, 1000, is_causal=True).visible(slice(6, 8), slice(5, 8)).astype(int)
        array([[1, 1, 0],
               [1, 1, 1]])
        """
        position = np.arange(keys.start, keys.stop)
        first, stop = self.first[..., queries, None], self.stop[..., queries, None]
        return (first <= position) & (position < stop)

    def all_visible(self, queries: slice, keys: slice) -> bool:
        """Return whether all of these queries may attend to all of these keys; the block is then
        all True.

        >>> key_range(1000, 1000, is_causal=True).all_visible(slice(6, 8), slice(0, 7))
        True
        """
        first = self.first[..., queries].max(initial=keys.start)
        stop = self.stop[..., queries].min(initial=keys.stop)
        return bool(first <= keys.start and stop >= keys.stop)


def key_range(
    queries: int,
    keys: int,
    *,
    is_causal: bool = False,
    window: Window = None,
    query_offset: ArrayLike = 0,
    key_lengths: ArrayLike | None = None,
) -> KeyRange:
    """Return the run of keys that each query may attend to: every rule narrows it.

    Query q stands at position `p = query_offset + q` and attends to `p - left <= k <= p + right`,
    with `right = 0` where `is_causal`, and `k < key_lengths`.

    Parameters
    ----------
    queries, keys : Q and K
    is_causal : no query attends to a later position
    window : how far a query attends on both sides, or the pair (left, right); None has no limit
    query_offset : (...) whole numbers, the position of query 0 among the keys
    key_lengths : (...) whole numbers from 0 to K; keys at or after it are padding

    Raises
    ------
    ValueError : a negative window, or offsets or lengths that are not whole numbers in range.

    >>> seen = key_range(3, 4, window=(1, 0), query_offset=1)
    >>> seen.first, seen.stop
    (array([0, 1, 2]), array([2, 3, 4]))
    """
    left, right = _sides(window)
    if is_causal:
        right = 0
    position = _checked_offset(query_offset)[..., None] + np.arange(queries)  # (..., Q)
    first, stop = position - left, position + right + 1
    if key_lengths is not None:
        stop = np.minimum(stop, _checked_lengths(key_lengths, keys)[..., None])
    return KeyRange(_between(first, 0, keys), _between(stop, 0, keys))


def causal_mask(queries: int, keys: int | None = None, *, query_offset: int = 0) -> Array:
    """Return a `(Q, K)` bool mask in which query q may attend to keys 0..q + query_offset.

    True takes part.

    >>> causal_mask(2, 3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0]])
    """
    return np.tri(queries, queries if keys is None else keys, query_offset, dtype=bool)


def window_mask(
    queries: int, keys: int | None = None, *, window: Window, query_offset: int = 0
) -> Array:
    """Return a `(Q, K)` bool mask in which query q may attend to its neighbours only.

    `window` is how far it attends on both sides, or the pair (left, right); None has no limit.

    >>> window_mask(3, window=(1, 0)).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [0, 1, 1]])
    """
    keys = queries if keys is None else keys
    seen = key_range(queries, keys, window=window, query_offset=query_offset)
    return seen.visible(slice(0, queries), slice(0, keys))


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
    return np.arange(keys) < _checked_lengths(lengths, keys)[..., None, None]


def _between(x: Array, low: int, high: int) -> Array:
    return np.minimum(np.maximum(x, low), high)  # np.clip takes three times as long on a few rows


def _sides(window: Window) -> tuple[int, int]:
    sides = window if isinstance(window, tuple | list) else (window, window)
    if len(sides) != 2 or not all(
        side is None or (isinstance(side, int | np.integer) and side >= 0) for side in sides
    ):
        raise ValueError(
            "window must not be negative: a whole number, a pair (left, right) of whole numbers "
            f"or None; got {window}"
        )
    left, right = (_FAR if side is None else min(int(side), _FAR) for side in sides)
    return left, right


def _checked_offset(query_offset: ArrayLike) -> Array:
    offset = np.asarray(query_offset)
    if offset.dtype.kind not in "iu" or np.any((offset < -_FAR // 2) | (offset > _FAR // 2)):
        raise ValueError(f"query_offset must be whole numbers, got {offset.tolist()}")
    return offset.astype(np.int64)


def _checked_lengths(lengths: ArrayLike, keys: int) -> Array:
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or np.any((lengths < 0) | (lengths > keys)):
        raise ValueError(f"lengths must be whole numbers from 0 to {keys}, got {lengths.tolist()}")
    return lengths.astype(np.int64)
