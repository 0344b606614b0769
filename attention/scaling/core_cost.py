"""How attention grows with length: time and memory of the core, measured here and now.

Attention compares every token with every other, so its weights are `H * n * n` numbers. Time is
split into the three steps of `attention.core.scaled_dot_product_attention`: the scaled scores
`Q K^T`, their softmax, and the weights times `V`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from attention.arrays import Array
from attention.core import attention_scores
from attention.core.plain import plain_attention, softmax_in_place
from attention.runtime.limits import MEGABYTES_ALLOWED, number_said
from attention.runtime.machine import available_bytes, others_since, peak_bytes, processor_seconds
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
from attention.wording import human_bytes

DEFAULT_MAXIMUM = 8192
SHORTEST = 64
FLOAT_BYTES = 4  # everything is float32

_USABLE_SHARE = 0.8  # of the free memory; the rest is left to other readers


@dataclass(frozen=True)
class Measurement:
    """What one length cost: each step apart, the whole call, and the memory of one call."""

    n: int
    heads: int
    width: int
    total: Timing  # scaled_dot_product_attention as a whole
    scores: Timing  # Q K^T with the scale
    softmax: Timing
    output: Timing  # weights @ V
    peak_bytes: int  # measured: the most that one call had allocated at any moment
    others: float  # share of all processor time that other programs took meanwhile; see `BUSY`

    @property
    def weights_bytes(self) -> int:
        """The computed size of the weights."""
        return weights_bytes(self.n, heads=self.heads)


def default_lengths(maximum: int = DEFAULT_MAXIMUM) -> tuple[int, ...]:
    """Return lengths up to `maximum`, two per doubling: `64 * 2^i`, `96 * 2^i`, and `maximum`.

    >>> default_lengths(400)
    (64, 96, 128, 192, 256, 384, 400)
    """
    check_at_least(1, maximum=maximum)
    doublings = range(max(maximum // SHORTEST, 1).bit_length())
    ladder = [length << i for i in doublings for length in (SHORTEST, SHORTEST * 3 // 2)]
    return (*(n for n in ladder if n < maximum), maximum)


def sweep(
    lengths: Sequence[int],
    *,
    width: int = 64,
    heads: int = 1,
    repeats: int = 5,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Iterator[Measurement]:
    """Time attention at every length, giving each result as soon as it is there.

    Inputs are standard normal float32 `(H, n, E)`. Each length is warmed up, then timed in rounds
    in which the whole call and its steps alternate, so that a slow moment hits both. Calls of
    microseconds are averaged within a round; a length whose rounds would take more than about 5 s
    gets fewer of them, but never less than 3. Memory is measured while warming up: the least of
    several calls where they are short, since other threads can only add to it.

    Parameters
    ----------
    lengths : n, in the order in which they are measured
    width : E, of each head
    heads : H
    repeats : rounds per length, at least 3
    on_progress : called between rounds, at most four times a second, with the share of the work
        that is done (0 to 1, guessed from n^2); may raise to stop the sweep

    Raises
    ------
    ValueError : a number is too small, or the longest length does not fit in memory. At once, not
        when the first result is asked for.

    >>> [result.n for result in sweep([8, 16], repeats=3)]
    [8, 16]
    """
    check_at_least(1, length=min(lengths, default=1), width=width, heads=heads)
    check_at_least(FEWEST_ROUNDS, repeats=repeats)
    check_fits(max(lengths, default=1), heads=heads, width=width)
    jobs = [(n * n, partial(_measure, (heads, n, width), repeats, seed)) for n in lengths]
    return in_order(jobs, on_progress)


@dataclass(frozen=True)
class Peak:
    """The most memory that one call of a method had allocated at any moment."""

    method: str
    n: int
    bytes: int


def peaks(
    methods: Mapping[str, Callable[[Array, Array, Array], object]],
    lengths: Sequence[int],
    *,
    width: int = 64,
    heads: int = 1,
    on_progress: Progress | None = None,
) -> Iterator[Peak]:
    """Measure the memory of one call of each method at every length, the output included.

    Each is called twice and the second call counts: buffers that a method keeps for ever after
    belong to no call.

    Raises
    ------
    ValueError : as for `sweep`

    >>> [peak.bytes // 1000 for peak in peaks({"copy": lambda q, k, v: q + 0}, [1000], width=100)]
    [400]
    """
    check_at_least(1, length=min(lengths, default=1), width=width, heads=heads)
    check_fits(max(lengths, default=1), heads=heads, width=width)
    jobs = [
        (n * n, partial(_measure_peak, name, method, (heads, n, width)))
        for n in lengths
        for name, method in methods.items()
    ]
    return in_order(jobs, on_progress)


def _measure_peak(
    name: str,
    method: Callable[[Array, Array, Array], object],
    shape: tuple[int, int, int],
    on_progress: Progress,
) -> Peak:
    call = partial(method, *np.random.default_rng(shape).standard_normal((3, *shape), np.float32))
    call()
    peak = Peak(name, shape[1], peak_bytes(call))
    on_progress(1.0)
    return peak


def weights_bytes(n: int, *, heads: int = 1) -> int:
    """Return the size of the weights: `H * n^2 * 4` bytes.

    >>> weights_bytes(100_000)
    40000000000
    """
    return FLOAT_BYTES * heads * n * n


def required_bytes(n: int, *, heads: int = 1, width: int = 64) -> int:
    """Return the most that a sweep holds at length n: `4 H (n^2 + 4 n E)` bytes.

    The core computes scores and weights in one array. Beside it there are query, key, value and,
    one after the other, the scaled query and the output.

    >>> required_bytes(1000, width=50)
    4800000
    """
    return weights_bytes(n, heads=heads) + FLOAT_BYTES * heads * 4 * n * width


def check_fits(n: int, *, heads: int = 1, width: int = 64, available: int | None = None) -> None:
    """Refuse a length that needs more than four fifths of the memory that is free.

    Or more than a server allows: its time grows with it, and others wait for it.

    Raises
    ------
    ValueError : the message says what is needed and what is there.

    >>> check_fits(1000, available=10**9)
    """
    required, allowed = required_bytes(n, heads=heads, width=width), number_said(MEGABYTES_ALLOWED)
    if allowed is not None and required > 1_000_000 * allowed:
        raise ValueError(
            f"{n:,} tokens need {human_bytes(required)} of memory; this server allows "
            f"{human_bytes(1_000_000 * allowed)} for a measurement"
        )
    free = available_bytes() if available is None else available
    if required > free * _USABLE_SHARE:
        many = f"{heads} heads" if heads > 1 else "1 head"
        raise ValueError(
            f"{n:,} tokens with {many} need {human_bytes(required)} of memory; a sweep may take "
            f"{human_bytes(free * _USABLE_SHARE)} of the {human_bytes(free)} that are free"
        )


def _measure(
    shape: tuple[int, int, int], repeats: int, seed: int, on_progress: Progress
) -> Measurement:
    """Measure inputs of one shape (H, n, E)."""
    heads, n, width = shape
    query, key, value = np.random.default_rng([seed, n]).standard_normal(
        (3, *shape), dtype=np.float32
    )

    def call() -> Array:
        return plain_attention(query, key, value)

    started = processor_seconds()
    peak = min(warm_up(lambda: peak_bytes(call)))
    clocks = (clock(call), lambda: _time_steps(query, key, value))
    total, scores, softmax, output = in_turn(clocks, repeats, on_progress)
    others = others_since(started)
    return Measurement(n, heads, width, total, scores, softmax, output, peak, others)


def _time_steps(query: Array, key: Array, value: Array) -> tuple[float, float, float]:
    """Time the steps of one call on the arrays that the call itself would have made."""
    start = perf_counter()
    weights = attention_scores(query, key)  # (H, Q, K)
    scored = perf_counter()
    softmax_in_place(weights)
    normalised = perf_counter()
    np.matmul(weights, value)  # (H, Q, E)
    return scored - start, normalised - scored, perf_counter() - normalised
