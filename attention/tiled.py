"""Scaled dot-product attention in O(n) memory, and fast: tile by tile, never all scores at once.

A tile is some keys times some queries. Its scores fit in the processor's cache, so they are made,
turned into powers and multiplied with the values without a trip to memory. What a row of weights is
divided by comes last: until then each query keeps a running sum of powers and one of values.

Sources: Rabe and Staats 2021, "Self-attention does not need O(n^2) memory"; Dao et al. 2022,
"FlashAttention", section 3.1; Milakov and Gimelshein 2018, "Online normalizer calculation for
softmax".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attention import core, threads
from attention.core import Array

_QUERIES, _KEYS = 256, 512  # the sides of a tile: 512 KB of scores in float32
_LOG2_E = math.log2(math.e)
_SAFE_POWER = 64  # 2 ** 64 = 2e19: the sums of billions of such terms are far from the ends


def tiled_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """Return what `core.scaled_dot_product_attention` returns, in O(Q + K) memory.

    Shared between all processors. Tiles that no query may see are left out, so a causal pass costs
    half of a full one.

    Parameters, result and errors are those of `core.scaled_dot_product_attention`.

    >>> tiled_attention([[0.0]], [[1.0], [5.0]], [[10.0], [20.0]])
    array([[15.]])
    """
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    problem = _problem(*arrays, attn_mask, is_causal, scale, enable_gqa)
    rows = range(0, problem.query.shape[-2], _QUERIES)
    # The last rows first: where there is a mask they have most to do, and nobody waits at the end.
    items = [(index, row) for row in reversed(rows) for index in np.ndindex(problem.lead)]
    threads.take_turns(lambda turns: _fill(problem, turns), items)
    return problem.output.astype(core.result_dtype(*arrays), copy=False)


@dataclass(frozen=True)
class _Problem:
    """What to compute; the leading dimensions of all arrays are as many as those of `lead`."""

    query: Array  # (..., H, Q, E)
    key: Array  # (..., H or fewer, K, E)
    value: Array  # (..., H or fewer, K, V)
    mask: Array | None  # (..., H, Q, K)
    is_causal: bool
    scale: float
    longest: Array  # (..., H or fewer, 1, 1), the length of the longest key
    lead: tuple[int, ...]  # (..., H)
    output: Array  # (..., H, Q, V), to be written

    def of(self, array: Array, index: tuple[int, ...]) -> Array:
        """Return the matrix that belongs to `index`, where `array` repeats or is shared."""
        sizes = array.shape[:-2]
        places = (i * size // full for i, size, full in zip(index, sizes, self.lead, strict=True))
        return array[tuple(places)]


def _problem(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: ArrayLike | None,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
) -> _Problem:
    core.check_shapes(query, key, value, enable_gqa)
    if enable_gqa:
        batches = np.broadcast_shapes(*(a.shape[:-3] for a in (query, key, value)))
        lead = (*batches, query.shape[-3])
    else:
        lead = np.broadcast_shapes(*(a.shape[:-2] for a in (query, key, value)))
    mask = None
    if attn_mask is not None:
        scores_shape = (*lead, query.shape[-2], key.shape[-2])
        mask = np.broadcast_to(core.checked_mask(attn_mask, scores_shape), scores_shape)
    dtype = core.compute_dtype(query, key, value)
    query, key, value = (
        a.reshape((1,) * (len(lead) + 2 - a.ndim) + a.shape) for a in (query, key, value)
    )
    squares = np.einsum("...ke,...ke->...k", key, key, dtype=dtype)
    return _Problem(
        query,
        key,
        value,
        mask,
        is_causal,
        1.0 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale,
        np.sqrt(squares.max(axis=-1, initial=0))[..., None, None],
        lead,
        np.empty((*lead, query.shape[-2], value.shape[-1]), dtype),
    )


def _fill(problem: _Problem, turns: Iterator[tuple[tuple[int, ...], int]]) -> None:
    """Write the output of some rows after others, with one tile's memory."""
    dtype = problem.output.dtype
    memory = np.empty((_KEYS, _QUERIES), dtype)
    ones = np.ones((1, _KEYS), dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, as in core
        for index, row in turns:
            _write_rows(problem, index, slice(row, row + _QUERIES), memory, ones)


def _write_rows(
    problem: _Problem, index: tuple[int, ...], rows: slice, memory: Array, ones: Array
) -> None:
    """Write `problem.output[index][rows]`: go along the keys and keep two sums for each query."""
    dtype = problem.output.dtype
    query = problem.of(problem.query, index)[rows].astype(dtype, copy=False)
    key, value = problem.of(problem.key, index), problem.of(problem.value, index)
    mask = None if problem.mask is None else problem.mask[index][rows]
    powers = _powers(problem, query, problem.of(problem.longest, index).item(), mask)
    scaled = np.ascontiguousarray((query * dtype.type(problem.scale * powers.unit)).T)  # (E, Q)
    total = np.zeros((1, len(query)), dtype)
    output = np.zeros((len(query), value.shape[1]), dtype)
    for keys in _tiles(len(key), rows.start, len(query), problem.is_causal):
        values = value[keys].astype(dtype, copy=False)
        tile = memory[: len(values), : len(query)]  # (K, Q): sums over keys run along the rows
        np.matmul(key[keys].astype(dtype, copy=False), scaled, out=tile)
        _hide(tile, rows.start, keys, mask, problem.is_causal)
        shrink = powers.take(tile)
        if shrink is not None:
            total *= shrink
            output *= shrink.T
        total += ones[:, : len(values)] @ tile
        output += tile.T @ values
    total[total == 0] = 1  # a query that may look nowhere gets zeros
    np.divide(output, total.T, out=problem.output[index][rows])


def _tiles(count: int, row: int, rows: int, is_causal: bool) -> Iterator[slice]:
    """Yield the keys of each tile that some query of the rows may see."""
    stop = min(count, row + rows) if is_causal else count
    for start in range(0, stop, _KEYS):
        yield slice(start, min(start + _KEYS, stop))


def _hide(tile: Array, row: int, keys: slice, mask: Array | None, is_causal: bool) -> None:
    """Apply the masks to the scores (K, Q) of a tile."""
    if is_causal and keys.stop > row:
        later = np.arange(keys.start, keys.stop)[:, None] > np.arange(row, row + tile.shape[1])
        np.copyto(tile, -np.inf, where=later)
    if mask is not None:
        part = mask[:, keys].T
        if part.dtype == bool:
            np.copyto(tile, -np.inf, where=~part)
        else:
            tile += part


def _powers(
    problem: _Problem, query: Array, longest: float, mask: Array | None
) -> _Bounded | _Running:
    """Choose how to turn scores into powers; `|q . k| <= |q| |k|` tells how large they can be."""
    length = math.sqrt(float(np.einsum("qe,qe->q", query, query).max(initial=0)))
    added = mask is not None and mask.dtype != bool
    if not added and length * longest * abs(problem.scale) * _LOG2_E <= _SAFE_POWER:
        return _Bounded()
    return _Running(query)


class _Bounded:
    """Scores so small that no power leaves the float range: nothing has to be subtracted."""

    unit = _LOG2_E  # 2 ** (x log2 e) = e ** x, and powers of 2 take half the time

    def take(self, tile: Array) -> None:
        """Overwrite the scores of a tile with their powers."""
        np.exp2(tile, out=tile)


class _Running:
    """Any scores: the largest so far of each query is subtracted first."""

    unit = 1.0

    def __init__(self, query: Array) -> None:
        self._top = np.full((1, len(query)), -np.inf, query.dtype)

    def take(self, tile: Array) -> Array:
        """Overwrite the scores of a tile with their powers; return what earlier sums shrink by."""
        top = np.maximum(self._top, tile.max(axis=0, keepdims=True, initial=-np.inf))
        shift = np.where(np.isneginf(top), 0, top).astype(tile.dtype, copy=False)
        tile -= shift
        np.exp(tile, out=tile)
        shrink = np.exp(self._top - shift)
        self._top = top
        return shrink
