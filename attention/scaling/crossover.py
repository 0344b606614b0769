"""Where attention's n^2 overtakes the rest of a layer: predicted from operations, and timed here.

The linear part of a layer is its projections and its MLP, the same work for every token. The
quadratic part is `softmax(Q K^T) V`. In a short text the first takes nearly all the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from attention.arrays import Array
from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention
from attention.models.layers import gelu_in_place
from attention.runtime.machine import others_since, processor_seconds
from attention.runtime.timing import (
    FEWEST_ROUNDS,
    Progress,
    Timing,
    check_at_least,
    clock,
    in_order,
    in_turn,
    warm_up,
)
from attention.scaling.core_cost import FLOAT_BYTES, check_fits
from attention.scaling.model_shapes import Shape

LINEAR, PLAIN, TILED = "projections and MLP", "attention, plain", "attention, tiled"
PARTS = (LINEAR, PLAIN, TILED)
LARGEST_SCORES = 2**30  # bytes; longer texts are timed without the plain form


@dataclass(frozen=True)
class PartTime:
    """What one part of a layer took at one length."""

    part: str
    n: int
    time: Timing
    others: float = 0.0  # share of all processor time that other programs took meanwhile


@dataclass(frozen=True)
class Crossing:
    """The length at which two parts take the same time."""

    n: float
    measured: bool  # between two lengths that were timed; otherwise where their trends would meet
    places: int = 1  # where it overtakes within the lengths that were timed; this is the last


def predicted(shape: Shape) -> float:
    """Return the length from which attention has more operations than the linear part.

    The linear part has `2 n P` with P parameters in a layer, attention `4 H E n^2`, or half of it
    when causal: `P / (2 H E)`, or `P / (H E)`.

    >>> from attention.scaling.model_shapes import shape
    >>> predicted(shape("BERT base")) == 12 * 768**2 / (2 * 768)
    True
    """
    full = shape.layer_parameters / (2 * shape.heads * shape.head_width)
    return 2 * full if shape.is_causal else full


def time_parts(
    shape: Shape,
    lengths: Sequence[int],
    *,
    repeats: int = 3,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Iterator[tuple[PartTime, ...]]:
    """Time the parts of one layer in turn, at every length: random float32 weights and tokens.

    The plain form is left out where its scores would take more than 1 GiB.

    Raises
    ------
    ValueError : a number is too small, or the longest length does not fit in memory. At once.

    >>> tiny = Shape("tiny", "", 1, 8, 2, 1, 4, 16, 10, gated=True)
    >>> [part.part for part in next(time_parts(tiny, [4]))] == [*PARTS]
    True
    """
    check_at_least(1, length=min(lengths, default=1))
    check_at_least(FEWEST_ROUNDS, repeats=repeats)
    widest = max((n for n in lengths if _keeps_scores(shape, n)), default=1)
    check_fits(widest, heads=shape.heads, width=shape.head_width)
    jobs = [(n * n, partial(_measure, shape, n, repeats, seed)) for n in lengths]
    return in_order(jobs, on_progress)


def crossing(times: Sequence[PartTime], part: str) -> Crossing | None:
    """Return where a part of attention overtakes the linear part, on logarithmic axes.

    Between the two lengths where it does for the last time, if they were measured; otherwise where
    the line through the last two lengths leads. None if there are fewer than two, or the lines do
    not meet.
    """
    linear = {time.n: time.time.median for time in times if time.part == LINEAR}
    ratios = [
        (math.log(time.n), math.log(time.time.median / linear[time.n]))
        for time in times
        if time.part == part
    ]
    pairs = list(pairwise(ratios))
    inside = [pair for pair in pairs if pair[0][1] < 0 <= pair[1][1]]
    for (x, below), (further, above) in inside[-1:] or pairs[-1:]:
        slope = (above - below) / (further - x)
        if slope > 0:
            length = math.exp(min(x - below / slope, 700.0))
            return Crossing(length, bool(inside), max(len(inside), 1))
    return None


def layer_calls(shape: Shape, n: int, seed: int = 0) -> dict[str, Callable[[], object]]:
    """Return a call for each part of a layer, on random tokens `(n, D)` and weights."""
    rng = np.random.default_rng([seed, n])
    heads, groups, width = shape.heads, shape.kv_heads, shape.head_width
    x = rng.standard_normal((n, shape.width), dtype=np.float32)
    query = rng.standard_normal((heads, n, width), dtype=np.float32)
    key, value = rng.standard_normal((2, groups, n, width), dtype=np.float32)
    causal = shape.is_causal
    ways: dict[str, Callable[[], object]] = {LINEAR: _linear_part(shape, x, rng)}
    if _keeps_scores(shape, n):
        ways[PLAIN] = lambda: plain_attention(query, key, value, is_causal=causal, enable_gqa=True)
    ways[TILED] = lambda: tiled_attention(query, key, value, is_causal=causal, enable_gqa=True)
    return ways


def _linear_part(shape: Shape, x: Array, rng: np.random.Generator) -> Callable[[], object]:
    def matrix(rows: int, columns: int) -> Array:
        return rng.standard_normal((rows, columns), dtype=np.float32) / np.float32(math.sqrt(rows))

    inner, shared = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    w_qkv = matrix(shape.width, inner + 2 * shared)
    w_output = matrix(inner, shape.width)
    w_up = matrix(shape.width, (2 if shape.gated else 1) * shape.mlp_width)
    w_down = matrix(shape.mlp_width, shape.width)

    def run() -> Array:
        projected = x @ w_qkv
        stream = x + projected[:, :inner] @ w_output
        up = stream @ w_up
        inside = gelu_in_place(np.ascontiguousarray(up[:, : shape.mlp_width]))
        if shape.gated:
            inside *= up[:, shape.mlp_width :]
        output: Array = inside @ w_down
        return output

    return run


def _keeps_scores(shape: Shape, n: int) -> bool:
    return FLOAT_BYTES * shape.heads * n * n <= LARGEST_SCORES


def _measure(
    shape: Shape, n: int, repeats: int, seed: int, on_progress: Progress
) -> tuple[PartTime, ...]:
    ways = layer_calls(shape, n, seed)
    started = processor_seconds()
    for call in ways.values():
        warm_up(call)
    timings = in_turn([clock(call) for call in ways.values()], repeats, on_progress)
    others = others_since(started)
    return tuple(PartTime(part, n, time, others) for part, time in zip(ways, timings, strict=True))
