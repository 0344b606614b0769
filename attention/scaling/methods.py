"""The same answer at another cost: ways to compute attention, timed in turn on the same input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from attention.arrays import Array
from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention
from attention.runtime import threads
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
from attention.scaling.core_cost import check_fits
from attention.scaling.power_law import Fit, fit

FULL, TILES, CAUSAL, WINDOW, DECODE, TORCH = (
    "plain",
    "tiled",
    "tiled, causal",
    "tiled, window",
    "one step with KV cache",
    "PyTorch, fused",
)

Call = Callable[[], Array]


@dataclass(frozen=True)
class MethodCost:
    """What one method took at one length, and how far its answer was from the full one."""

    method: str
    n: int
    time: Timing
    difference: float  # the largest, of any number in the output; see `compare`
    largest: float  # of the full answer, for comparison
    others: float  # share of all processor time that other programs took while the length ran


def torch_installed() -> bool:
    """Whether PyTorch could be imported; nothing is imported."""
    return find_spec("torch") is not None


def compare(
    lengths: Sequence[int],
    *,
    window: int = 128,
    width: int = 64,
    heads: int = 1,
    repeats: int = 5,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Iterator[tuple[MethodCost, ...]]:
    """Time every method at every length, giving each length's costs as soon as they are there.

    All methods take the same standard normal float32 query, key and value `(H, n, E)`, and take
    turns within every round, each with all processors. `difference` compares their output with

    - full attention of `core.plain.plain_attention`, for the plain, the tiled, PyTorch's
      and the windowed method; the last one leaves keys out, so it differs by more than rounding;
    - its causal form, for the causal method;
    - its last row, for the step with a KV cache: one query, n keys and values that are there.

    Parameters
    ----------
    lengths : n, in the order in which they are measured
    window : how many keys to either side of its own a query of the windowed method attends to
    width, heads, repeats, on_progress : as for `core_cost.sweep`

    Raises
    ------
    ValueError : a number is too small, or the longest length does not fit in memory. At once.

    >>> [cost.n for costs in compare([8, 16], repeats=3) for cost in costs if cost.method == TILES]
    [8, 16]
    """
    check_at_least(1, length=min(lengths, default=1), width=width, heads=heads, window=window)
    check_at_least(FEWEST_ROUNDS, repeats=repeats)
    check_fits(max(lengths, default=1), heads=heads, width=width)
    jobs = [(n * n, partial(_measure, (heads, n, width), window, repeats, seed)) for n in lengths]
    return in_order(jobs, on_progress)


def growth(costs: Sequence[MethodCost], method: str) -> Fit | None:
    """Return the power law through a method's median times; None below four lengths."""
    own = [cost for cost in costs if cost.method == method]
    return fit([cost.n for cost in own], [cost.time.median for cost in own])


def calls(query: Array, key: Array, value: Array, window: int) -> dict[str, Call]:
    """Return a call without arguments for each method that can be run here."""
    full = partial(tiled_attention, query, key, value)
    ways: dict[str, Call] = {
        FULL: partial(plain_attention, query, key, value),
        TILES: full,
        CAUSAL: partial(full, is_causal=True),
        WINDOW: partial(full, window=(window, window)),
        DECODE: partial(plain_attention, query[..., -1:, :], key, value),
    }
    return ways | ({TORCH: _torch_call(query, key, value)} if torch_installed() else {})


def _measure(
    shape: tuple[int, int, int], window: int, repeats: int, seed: int, on_progress: Progress
) -> tuple[MethodCost, ...]:
    n = shape[1]
    query, key, value = np.random.default_rng([seed, n]).standard_normal(
        (3, *shape), dtype=np.float32
    )
    ways = calls(query, key, value, window)
    full = plain_attention(query, key, value)
    largest = float(np.abs(full).max())
    differences = {way: float(np.abs(call() - full).max()) for way, call in ways.items()
                   if way not in (CAUSAL, DECODE)}  # fmt: skip
    causal = plain_attention(query, key, value, is_causal=True)
    differences[CAUSAL] = float(np.abs(ways[CAUSAL]() - causal).max())
    differences[DECODE] = float(np.abs(ways[DECODE]() - full[..., -1:, :]).max())
    del full, causal
    started = processor_seconds()
    for call in ways.values():
        warm_up(call)
    timings = in_turn([clock(call) for call in ways.values()], repeats, on_progress)
    others = others_since(started)
    return tuple(
        MethodCost(way, n, time, differences[way], largest, others)
        for way, time in zip(ways, timings, strict=True)
    )


def _torch_call(query: Array, key: Array, value: Array) -> Call:
    """Return a call of PyTorch's kernel with as many threads as the tiled path has."""
    torch = import_module("torch")
    torch.set_num_threads(threads.processors())
    tensors = [torch.from_numpy(array)[None] for array in (query, key, value)]  # (1, H, n, E)

    def call() -> Array:
        with torch.inference_mode():
            output: Array = torch.nn.functional.scaled_dot_product_attention(*tensors)[0].numpy()
        return output

    return call
