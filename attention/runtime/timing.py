"""Timing calls side by side: warmed up, in rounds in which they alternate, with progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from time import perf_counter, sleep
from typing import TypeVar

import numpy as np

from attention.arrays import Array

_T = TypeVar("_T")
Clock = Callable[[], Sequence[float]]  # does its work once and returns the seconds of each part
Progress = Callable[[float], object]  # is called with the share done, 0 to 1; may raise to stop
Job = Callable[[Progress], _T]  # a piece of work that says how far it is, and returns its result

FEWEST_ROUNDS = 3  # below three a median is not one
BUSY = 0.15  # where other programs took more of the processors than this, times mean little

_WARM_UP_SECONDS = 0.03  # also lets the page finish showing what came before
_ROUND_SECONDS = 3e-3  # short calls are repeated within a round until it lasts about this long
_REPORT_SECONDS = 0.25  # showing progress takes time from the same processor, so it is done seldom
_SETTLE_SECONDS = 0.02  # and has this long to finish before the next round


@dataclass(frozen=True)
class Timing:
    """Seconds per call over the rounds: the median, the fastest and the slowest."""

    median: float
    low: float
    high: float
    rounds: int = 1
    calls: int = 1  # in each round

    @property
    def spread(self) -> float:
        """How many times as long as the fastest round the median took."""
        return self.median / self.low


def clock(call: Callable[[], object]) -> Clock:
    """Return a clock that times one call as a whole.

    >>> len(clock(lambda: None)())
    1
    """

    def timed() -> tuple[float]:
        start = perf_counter()
        call()
        return (perf_counter() - start,)

    return timed


def warm_up(call: Callable[[], _T]) -> list[_T]:
    """Call for a while, at least once, so that memory and clock rate have settled."""
    start, results = perf_counter(), [call()]
    while perf_counter() - start < _WARM_UP_SECONDS:
        results.append(call())
    return results


def part_of(on_progress: Progress, start: float, end: float) -> Progress:
    """Return what a part of the work reports to, which lasts from `start` to `end` of it all.

    >>> shares: list[float] = []
    >>> part_of(shares.append, 0.5, 1.0)(0.5)
    >>> shares
    [0.75]
    """
    return lambda share: on_progress((1 - share) * start + share * end)


def in_turn(
    clocks: Sequence[Clock],
    repeats: int,
    on_progress: Progress = lambda share: None,
    *,
    most_seconds: float = 5.0,
) -> list[Timing]:
    """Time all clocks in every round, so that a slow moment of the machine hits them alike.

    Calls of microseconds are averaged within a round. Where `repeats` rounds would take more than
    about `most_seconds` there are fewer of them, but never less than 3.

    Parameters
    ----------
    on_progress : called after each round

    Returns
    -------
    one timing for each part that the clocks measure, in their order

    >>> len(in_turn([clock(lambda: None), lambda: (1e-3, 2e-3)], repeats=3))
    3
    """
    once = [sum(timed()) for timed in clocks]
    calls = [math.ceil(_ROUND_SECONDS / max(seconds, 1e-9)) for seconds in once]
    round_seconds = sum(c * seconds for c, seconds in zip(calls, once, strict=True))
    rounds = max(FEWEST_ROUNDS, min(repeats, int(most_seconds / round_seconds)))
    table = []
    for i in range(rounds):
        table.append([_average(timed, c) for timed, c in zip(clocks, calls, strict=True)])
        on_progress((i + 1) / rounds)
    return [
        Timing(float(np.median(part)), float(part.min()), float(part.max()), rounds, calls[i])
        for i in range(len(clocks))
        for part in np.array([row[i] for row in table]).T
    ]


def in_order(jobs: Sequence[tuple[float, Job[_T]]], on_progress: Progress | None) -> Iterator[_T]:
    """Do the jobs one after the other and give each result as soon as it is there.

    Parameters
    ----------
    jobs : each with its size, as a share of which its progress counts
    on_progress : called at most four times a second
    """
    report = _seldom(on_progress) if on_progress else lambda share: None
    ends = [*accumulate((size for size, _ in jobs), initial=0.0)]
    for (start, end), (_, job) in zip(pairwise(ends), jobs, strict=True):
        yield job(part_of(report, start / ends[-1], end / ends[-1]))


def _seldom(on_progress: Progress) -> Progress:
    """Return what passes progress on where the last time is long enough ago."""
    shown = -math.inf

    def report(share: float) -> None:
        nonlocal shown
        if perf_counter() - shown > _REPORT_SECONDS:
            on_progress(share)
            sleep(_SETTLE_SECONDS)
            shown = perf_counter()

    return report


def check_at_least(least: int, **numbers: int) -> None:
    """Refuse numbers that are too small.

    >>> check_at_least(1, heads=0)
    Traceback (most recent call last):
    ValueError: heads must be at least 1, got 0
    """
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")


def _average(timed: Clock, calls: int) -> Array:
    return np.mean([timed() for _ in range(calls)], axis=0)
