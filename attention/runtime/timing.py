"""Timing calls side by side: warmed up, in rounds in which they alternate, with progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import TypeVar

import numpy as np

from attention.arrays import Array

_T = TypeVar("_T")
Clock = Callable[[], Sequence[float]]  # does its work once and returns the seconds of each part
Progress = Callable[[float], object]  # is told the share that is done, 0 to 1; may raise to stop
Job = tuple[float, Iterator[float | _T]]  # its size, and what it yields: shares done, and results

FEWEST_ROUNDS = 3  # below three a median is not one
BUSY = 0.15  # where other programs took more of the processors than this, times mean little

_WARM_UP_SECONDS = 0.03  # also lets the page finish showing what came before
_ROUND_SECONDS = 3e-3  # short calls are repeated within a round until it lasts about this long
_REPORT_SECONDS = 0.25  # showing progress takes time from the same processor, so it is done seldom
_SETTLE_SECONDS = 0.02  # and has this long to finish before the next round
_JOB_SECONDS = 5.0  # where all rounds would take longer, there are fewer of them


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


def in_turn(clocks: Sequence[Clock], repeats: int) -> Generator[float, None, list[Timing]]:
    """Time all clocks in every round, so that a slow moment of the machine hits them alike.

    Calls of microseconds are averaged within a round. Where `repeats` rounds would take more than
    about 5 s there are fewer of them, but never less than 3.

    Yields
    ------
    the share that is done, after each round

    Returns
    -------
    one timing for each part that the clocks tell of, in their order
    """
    once = [sum(timed()) for timed in clocks]
    calls = [math.ceil(_ROUND_SECONDS / max(seconds, 1e-9)) for seconds in once]
    round_seconds = sum(c * seconds for c, seconds in zip(calls, once, strict=True))
    rounds = max(FEWEST_ROUNDS, min(repeats, int(_JOB_SECONDS / round_seconds)))
    table = []
    for i in range(rounds):
        table.append([_average(timed, c) for timed, c in zip(clocks, calls, strict=True)])
        yield (i + 1) / rounds
    return [
        Timing(float(np.median(part)), float(part.min()), float(part.max()), rounds, calls[i])
        for i in range(len(clocks))
        for part in np.array([row[i] for row in table]).T
    ]


def in_order(jobs: Iterable[Job[_T]], total: float, on_progress: Progress | None) -> Iterator[_T]:
    """Do the jobs one after the other and give each result as soon as it is there.

    `on_progress` is called at most four times a second with the share done of the `total` size.
    """
    done, shown = 0.0, -math.inf
    for size, job in jobs:
        for step in job:
            if not isinstance(step, float):
                yield step
            elif on_progress is not None and perf_counter() - shown > _REPORT_SECONDS:
                on_progress((done + step * size) / total)
                sleep(_SETTLE_SECONDS)
                shown = perf_counter()
        done += size


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
