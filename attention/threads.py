"""Work shared between processors: plain threads, with BLAS held to one thread in each of them.

NumPy lets go of the interpreter while it computes, so plain threads do run side by side. BLAS
brings threads of its own; both at once would only get in each other's way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

Share = Callable[[Callable[[slice], object], int], object]


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def team(members: int) -> Iterator[Share]:
    """Give a function `share(work, count)` that does `work` on slices of `range(count)`.

    Every member of the team does one slice, side by side; `share` returns when all are done and
    raises the first error. A team of one does everything right here, with all of BLAS's threads.

    >>> import numpy as np
    >>> with team(2) as share:
    ...     squares = np.arange(5)
    ...     share(lambda part: np.square(squares[part], out=squares[part]), 5)
    ...     squares
    array([ 0,  1,  4,  9, 16])
    """
    if members == 1:
        yield lambda work, count: work(slice(0, count))
        return
    with one_blas_thread():
        yield lambda work, count: _side_by_side(work, slices(count, members))


def slices(count: int, parts: int) -> list[slice]:
    """Split `range(count)` into `parts` consecutive slices of nearly the same length.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    ends = [count * part // parts for part in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread per call until the last of those who asked for it leaves.

    The limit is one for the whole process: the first sets it and the last lifts it. Both happen in
    a thread of their own, because threadpoolctl lets only one thread of a process change it.
    """
    with _hold.lock:
        _hold.count += 1
        if _hold.count == 1:
            _hold.limit = _executor("blas-limit", 1).submit(_limit_blas).result()
    try:
        yield
    finally:
        with _hold.lock:
            _hold.count -= 1
            if _hold.count == 0:
                lift = _hold.limit.restore_original_limits
                _executor("blas-limit", 1).submit(lift).result()


class _Hold:
    def __init__(self) -> None:
        self.lock = Lock()
        self.count = 0
        self.limit: Any = None


_hold = _Hold()


def _side_by_side(work: Callable[[slice], object], parts: list[slice]) -> None:
    pool = _executor("attention", max(processors() - 1, 1))
    others = [pool.submit(work, part) for part in parts[1:]]
    try:
        work(parts[0])
    finally:
        for other in others:
            other.result()


def _limit_blas() -> Any:
    return _blas().limit(limits=1)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@cache
def _executor(name: str, threads: int) -> Executor:
    return ThreadPoolExecutor(threads, thread_name_prefix=name)
