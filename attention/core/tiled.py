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
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.core.checks import (
    Options,
    WindowOptions,
    check_dropout,
    checked_options,
    compute_dtype,
    result_dtype,
    spelled_out,
)
from attention.core.plain import plain_attention
from attention.runtime import threads

_QUERIES, _KEYS = 256, 512  # the sides of a tile: 512 KB of scores in float32
_LOG2_E = math.log2(math.e)
_SAFE_POWER = 64  # 2 ** 64 = 2e19: the sums of billions of such terms are far from the ends

_WORTH_IT = 512 * 512  # scores of one head; below, all at once is quicker than tile by tile
_FEW = 32  # queries; with fewer the products are too narrow to gain anything

Index = tuple[int, ...]


@spelled_out
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Unpack[WindowOptions],
) -> Array:
    """Blend the values by how well each query matches each key: `softmax(Q K^T * scale + M) V`.

    Takes the quicker of two ways to the same result: `core.plain.plain_attention`, where
    parameters, result and errors are described, for short inputs, `tiled_attention` for long ones.

    >>> scaled_dot_product_attention([[0.0]], [[1.0], [5.0]], [[10.0], [20.0]])
    array([[15.]])
    """
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    queries, keys = (a.shape[-2] if a.ndim > 1 else 0 for a in arrays[:2])
    long = queries >= _FEW and queries * keys >= _WORTH_IT
    attend = tiled_attention if long else plain_attention
    return attend(*arrays, attn_mask, dropout_p, is_causal, **options)


@spelled_out
def tiled_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Unpack[WindowOptions],
) -> Array:
    """Return what `core.plain.plain_attention` returns, in O(Q + K) memory.

    Shared between all processors. Tiles that no query may see are left out: a causal pass costs
    half of a full one, a window of w keys Q * w instead of Q * K.

    Parameters, result and errors are those of `core.plain.plain_attention`.

    >>> tiled_attention([[0.0]], [[1.0], [5.0]], [[10.0], [20.0]])
    array([[15.]])
    """
    check_dropout(dropout_p)
    arrays = np.asarray(query), np.asarray(key), np.asarray(value)
    checked = checked_options(arrays, attn_mask, is_causal=is_causal, **options)
    problem = _problem(*arrays, checked, options.get("enable_gqa", False))
    rows = range(0, problem.query.shape[-2], _QUERIES)
    # The last rows first: where there is a mask they have most to do, and nobody waits at the end.
    items = ((index, row) for row in reversed(rows) for index in np.ndindex(problem.lead))
    threads.take_turns(lambda turns: _fill(problem, turns), items)
    return problem.output.astype(result_dtype(*arrays), copy=False)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What to compute; all arrays have as many leading dimensions as there are in `lead`."""

    query: Array  # (..., H, Q, E)
    key: Array  # (..., H or fewer, K, E)
    value: Array  # (..., H or fewer, K, V)
    options: Options
    mask: Array | None  # (..., H, Q, K), repeated without a copy
    longest: Array  # (..., H or fewer, 1), the length of the longest key
    first: Array  # (..., Q or 1), as in `masks.KeyRange`
    stop: Array  # (..., Q or 1)
    lead: Index  # (..., H)
    output: Array  # (..., H, Q, V), to be written


def _problem(
    query: Array, key: Array, value: Array, options: Options, enable_gqa: bool
) -> _Problem:
    fixed = 3 if enable_gqa else 2  # heads do not broadcast where they share keys
    lead = np.broadcast_shapes(*(a.shape[:-fixed] for a in (query, key, value)))
    if enable_gqa:
        lead = *lead, query.shape[-3]
    queries, keys = query.shape[-2], key.shape[-2]
    dtype = compute_dtype(query, key, value)
    squares = np.einsum("...ke,...ke->...k", key, key, dtype=dtype, casting="unsafe")
    longest = np.sqrt(squares.max(axis=-1, keepdims=True, initial=0))
    query, key, value = (_with_axes(a, len(lead) + 2) for a in (query, key, value))
    mask = options.mask
    return _Problem(
        query,
        key,
        value,
        options,
        None if mask is None else np.broadcast_to(mask, (*lead, queries, keys)),
        _with_axes(longest, len(lead) + 1),
        _with_axes(options.seen.first, len(lead) + 1),
        _with_axes(options.seen.stop, len(lead) + 1),
        lead,
        np.empty((*lead, queries, value.shape[-1]), dtype),
    )


def _with_axes(array: Array, count: int) -> Array:
    return array.reshape((1,) * (count - array.ndim) + array.shape)


def _at(array: Array, index: Index, lead: Index) -> Array:
    """Return what belongs to `index` of an array that is repeated, or shared by heads."""
    sizes = array.shape[: len(lead)]
    return array[tuple(i * size // full for i, size, full in zip(index, sizes, lead, strict=True))]


def _fill(problem: _Problem, turns: Iterator[tuple[Index, int]]) -> None:
    """Write the output of some rows after others, with one tile's memory."""
    dtype = problem.output.dtype
    memory = np.empty((_KEYS, _QUERIES), dtype)
    ones = np.ones((1, _KEYS), dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, as in core
        for index, row in turns:
            _write_rows(problem, index, slice(row, row + _QUERIES), memory, ones)


def _write_rows(problem: _Problem, index: Index, rows: slice, memory: Array, ones: Array) -> None:
    """Write `problem.output[index][rows]`: go along the keys and keep two sums for each query."""
    written = problem.output[index][rows]
    dtype, lead = written.dtype, problem.lead
    query = _at(problem.query, index, lead)[rows].astype(dtype, copy=False)
    key, value = _at(problem.key, index, lead), _at(problem.value, index, lead)
    visible = _Visible(problem, index, rows)
    powers = _powers(problem, query, float(_at(problem.longest, index, lead)[0]))
    scaled = np.ascontiguousarray((query * dtype.type(powers.scale)).T)  # (E, Q)
    total = np.zeros((1, len(query)), dtype)
    output = np.zeros(written.shape, dtype)
    for keys in visible.tiles():
        values = value[keys].astype(dtype, copy=False)
        tile = memory[: len(values), : len(query)]  # (K, Q): sums over keys run along the rows
        np.matmul(key[keys].astype(dtype, copy=False), scaled, out=tile)
        shrink = powers.take(tile, visible, keys)
        if shrink is not None:
            total *= shrink
            output *= shrink.T
        total += ones[:, : len(values)] @ tile
        output += tile.T @ values
    total[total == 0] = 1  # a query that may attend to nothing gets zeros
    np.divide(output, total.T, out=written)


class _Visible:
    """Which keys the queries of some rows may see."""

    def __init__(self, problem: _Problem, index: Index, rows: slice) -> None:
        first, stop = (_at(a, index, problem.lead) for a in (problem.first, problem.stop))
        self._first = (first[rows] if len(first) > 1 else first).astype(np.int32)
        self._stop = (stop[rows] if len(stop) > 1 else stop).astype(np.int32)
        self.mask = None if problem.mask is None else problem.mask[index][rows]

    def tiles(self) -> Iterator[slice]:
        """Yield the keys of each tile that some query may see."""
        end = int(self._stop.max(initial=0))
        for start in range(int(self._first.min(initial=end)), end, _KEYS):
            yield slice(start, min(start + _KEYS, end))

    def parts(self, keys: slice) -> Iterator[tuple[slice, Array]]:
        """Yield parts of a tile, `(keys, bool (K, Q))`, in which some may not be seen."""
        last_start, first_stop = int(self._first.max()), int(self._stop.min())
        if last_start > keys.start:
            part = slice(keys.start, min(last_start, keys.stop))
            yield _within(part, keys), _positions(part) >= self._first
        if first_stop < keys.stop:
            part = slice(max(first_stop, keys.start), keys.stop)
            yield _within(part, keys), _positions(part) < self._stop
        if self.mask is not None and self.mask.dtype == bool:
            yield slice(None), self.mask[:, keys].T


def _positions(keys: slice) -> Array:
    return np.arange(keys.start, keys.stop, dtype=np.int32)[:, None]


def _within(part: slice, keys: slice) -> slice:
    return slice(part.start - keys.start, part.stop - keys.start)


def _powers(problem: _Problem, query: Array, longest: float) -> _Bounded | _Running:
    """Choose how to turn scores into powers; `|q . k| <= |q| |k|` tells how large they can be."""
    options = problem.options
    length = math.sqrt(float(np.einsum("qe,qe->q", query, query).max(initial=0)))
    bound = length * longest * abs(options.scale)
    if math.isfinite(bound) and options.softcap is not None:
        bound = min(bound, options.softcap)
    added = problem.mask is not None and problem.mask.dtype != bool
    if not added and bound * _LOG2_E <= _SAFE_POWER:
        return _Bounded(options.scale, options.softcap)
    return _Running(options.scale, options.softcap, query)


class _Bounded:
    """Scores so small that no power leaves the float range: nothing has to be subtracted.

    `2 ** (x log2 e) = e ** x`, and powers of 2 take half the time. Hidden keys are set to zero
    afterwards: a power of -inf takes ten times as long as any other.
    """

    def __init__(self, scale: float, softcap: float | None) -> None:
        self.scale = scale * _LOG2_E if softcap is None else scale / softcap
        self._cap = None if softcap is None else softcap * _LOG2_E

    def take(self, tile: Array, visible: _Visible, keys: slice) -> None:
        """Overwrite the scores of a tile with their powers."""
        if self._cap is not None:
            np.tanh(tile, out=tile)
            tile *= tile.dtype.type(self._cap)
        np.exp2(tile, out=tile)
        for part, seen in visible.parts(keys):
            tile[part] *= seen


class _Running:
    """Any scores: the largest so far of each query is subtracted first."""

    def __init__(self, scale: float, softcap: float | None, query: Array) -> None:
        self.scale = scale
        self._cap = softcap
        self._top = np.full((1, len(query)), -np.inf, query.dtype)

    def take(self, tile: Array, visible: _Visible, keys: slice) -> Array:
        """Overwrite the scores of a tile with their powers; return what earlier sums shrink by."""
        if self._cap is not None:
            tile /= tile.dtype.type(self._cap)
            np.tanh(tile, out=tile)
            tile *= tile.dtype.type(self._cap)
        for part, seen in visible.parts(keys):
            np.copyto(tile[part], -np.inf, where=~seen)
        if visible.mask is not None and visible.mask.dtype != bool:
            tile += visible.mask[:, keys].T
        top = np.maximum(self._top, tile.max(axis=0, keepdims=True))
        shift = np.where(np.isneginf(top), 0, top).astype(tile.dtype, copy=False)
        tile -= shift
        np.exp(tile, out=tile)
        shrink = np.exp(self._top - shift)
        self._top = top
        return shrink
