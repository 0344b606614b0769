"""How attention grows with length: time and memory of the core, measured here and now.

Attention compares every token with every other, so its weights are `H * n * n` numbers. Time is
split into the three steps of `attention.core.scaled_dot_product_attention`: the scaled scores
`Q K^T`, their softmax, and the weights times `V`.
"""

from __future__ import annotations

import math
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, sleep

import numpy as np
import psutil

from attention.core import (
    Array,
    attention_scores,
    scaled_dot_product_attention,
    softmax_in_place,
)

DEFAULT_MAXIMUM = 8192
SHORTEST = 64
FEWEST_ROUNDS = 3  # below three a median is not one
BUSY = 0.15  # where other programs took more of the processors than this, times mean little
FLOAT_BYTES = 4  # everything is float32

_WARM_UP_SECONDS = 0.03  # also lets the page finish showing what came before
_ROUND_SECONDS = 3e-3  # short calls are repeated within a round until it lasts about this long
_REPORT_SECONDS = 0.25  # showing progress takes time from the same processor, so it is done seldom
_SETTLE_SECONDS = 0.02  # and has this long to finish before the next round
_LENGTH_SECONDS = 5.0  # where all rounds of one length would take longer, there are fewer of them
_USABLE_SHARE = 0.8  # of the free memory; the rest is left to other readers


@dataclass(frozen=True)
class Timing:
    """Seconds per call over the rounds: the median, the fastest and the slowest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Measurement:
    """What one length cost: each step apart, the whole call, and the memory of one call."""

    n: int
    heads: int
    width: int
    rounds: int
    calls: int  # in each round
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
    _check_at_least(1, maximum=maximum)
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
    on_progress: Callable[[float], object] | None = None,
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
    _check_at_least(1, length=min(lengths, default=1), width=width, heads=heads)
    _check_at_least(FEWEST_ROUNDS, repeats=repeats)
    check_fits(max(lengths, default=1), heads=heads, width=width)
    return _results(tuple(lengths), width, heads, repeats, seed, on_progress)


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


def available_bytes() -> int:
    """Return the memory that can be used without swapping, within a container's limit if any."""
    return min(psutil.virtual_memory().available, _container_bytes())


def check_fits(n: int, *, heads: int = 1, width: int = 64, available: int | None = None) -> None:
    """Refuse a length that needs more than four fifths of the memory that is free.

    Raises
    ------
    ValueError : the message says what is needed and what is there.

    >>> check_fits(1000, available=10**9)
    """
    required = required_bytes(n, heads=heads, width=width)
    free = available_bytes() if available is None else available
    if required > free * _USABLE_SHARE:
        many = f"{heads} heads" if heads > 1 else "1 head"
        raise ValueError(
            f"{n:,} tokens with {many} need {human_bytes(required)} of memory; a sweep may take "
            f"{human_bytes(free * _USABLE_SHARE)} of the {human_bytes(free)} that are free"
        )


def peak_bytes(call: Callable[[], object]) -> int:
    """Return the most memory that `call` had allocated at any moment, as tracemalloc sees it.

    NumPy reports its arrays to tracemalloc. So does every other thread: what another one allocates
    meanwhile is counted as well.

    >>> peak_bytes(lambda: np.ones(1_000_000, dtype=np.float32)) // 1_000_000
    4
    """
    was_tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()


def human_bytes(size: float) -> str:
    """Return a size in decimal units with three figures.

    >>> human_bytes(67_108_864), human_bytes(4e12)
    ('67.1 MB', '4 TB')
    """
    steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    return _three_figures(size, next((s for s in steps if size >= s[0] * 0.9995), (1.0, "bytes")))


def human_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it with three figures.

    >>> human_seconds(0.0449), human_seconds(5400)
    ('44.9 ms', '1.5 hours')
    """
    steps = ((172_800.0, 86_400.0, "days"), (5_400.0, 3_600.0, "hours"), (90.0, 60.0, "minutes"))
    small = ((0.9995, 1.0, "s"), (0.9995e-3, 1e-3, "ms"), (0.0, 1e-6, "µs"))
    return _three_figures(seconds, next(s[1:] for s in (*steps, *small) if seconds >= s[0]))


def _results(
    lengths: tuple[int, ...],
    width: int,
    heads: int,
    repeats: int,
    seed: int,
    on_progress: Callable[[float], object] | None,
) -> Iterator[Measurement]:
    done, everything, shown = 0, sum(n * n for n in lengths), -math.inf
    for n in lengths:
        for step in _measure((heads, n, width), repeats, np.random.default_rng([seed, n])):
            if isinstance(step, Measurement):
                yield step
            elif on_progress is not None and perf_counter() - shown > _REPORT_SECONDS:
                on_progress((done + step * n * n) / everything)
                sleep(_SETTLE_SECONDS)
                shown = perf_counter()
        done += n * n


def _measure(
    shape: tuple[int, int, int], repeats: int, rng: np.random.Generator
) -> Iterator[float | Measurement]:
    """Measure inputs of one shape (H, n, E); yield the share done after each round, then all."""
    query, key, value = rng.standard_normal((3, *shape), dtype=np.float32)
    started = _processor_seconds()
    peak = _warm_up(query, key, value)
    once = sum(_time_steps(query, key, value))
    calls = math.ceil(_ROUND_SECONDS / once)
    rounds = max(FEWEST_ROUNDS, min(repeats, int(_LENGTH_SECONDS / (2 * calls * once))))
    seconds = np.empty((rounds, 4))
    for i in range(rounds):
        seconds[i] = _time_round(query, key, value, calls)
        yield (i + 1) / rounds
    total, scores, softmax, output = (_timing(column) for column in seconds.T)
    others = _share_of_others(started, _processor_seconds())
    heads, n, width = shape
    yield Measurement(n, heads, width, rounds, calls, total, scores, softmax, output, peak, others)


def _timing(seconds: Array) -> Timing:
    return Timing(float(np.median(seconds)), float(seconds.min()), float(seconds.max()))


def _warm_up(query: Array, key: Array, value: Array) -> int:
    """Run the call for a while; return the least of its peaks, in bytes."""
    peaks: list[int] = []
    start = perf_counter()
    while perf_counter() - start < _WARM_UP_SECONDS:
        peaks.append(peak_bytes(lambda: scaled_dot_product_attention(query, key, value)))
    return min(peaks)


def _time_round(query: Array, key: Array, value: Array, calls: int) -> Array:
    """Return seconds per call: the whole, then its three steps."""
    seconds = np.zeros(4)
    for _ in range(calls):
        start = perf_counter()
        scaled_dot_product_attention(query, key, value)
        seconds[0] += perf_counter() - start
        seconds[1:] += _time_steps(query, key, value)
    return seconds / calls


def _time_steps(query: Array, key: Array, value: Array) -> tuple[float, float, float]:
    """Time the steps of one call on the arrays that the call itself would have made."""
    start = perf_counter()
    weights = attention_scores(query, key)  # (H, Q, K)
    scored = perf_counter()
    softmax_in_place(weights)
    normalised = perf_counter()
    np.matmul(weights, value)  # (H, Q, E)
    return scored - start, normalised - scored, perf_counter() - normalised


def _processor_seconds() -> tuple[float, float]:
    """Return the seconds so far of all processors together, and those that were idle or ours."""
    times = psutil.cpu_times()._asdict()
    twice = times.get("guest", 0.0) + times.get("guest_nice", 0.0)  # Linux has them in "user" too
    return sum(times.values()) - twice, times["idle"] + times.get("iowait", 0.0) + process_time()


def _share_of_others(start: tuple[float, float], end: tuple[float, float]) -> float:
    whole, free = end[0] - start[0], end[1] - start[1]
    return min(max(1 - free / whole, 0.0), 1.0) if whole > 0 else 0.0


def _container_bytes(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """Return what a container (cgroup v2) may still allocate; huge where there is no limit.

    The machine's own figure says nothing about that limit, and to pass it ends the whole server.
    """
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return sys.maxsize
    cache = int(stat.get("inactive_file", 0))  # counted as used, but given back on demand
    return sys.maxsize if limit == "max" else max(int(limit) - used + cache, 0)


def _three_figures(number: float, unit: tuple[float, str]) -> str:
    size, name = unit
    value = number / size
    return f"{value:,.0f} {name}" if value >= 100 else f"{value:.3g} {name}"


def _check_at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
