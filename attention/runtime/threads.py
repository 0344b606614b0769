"""Work shared between processors: plain threads, with BLAS held to one thread in each of them.

NumPy lets go of the interpreter while it computes, so plain threads do run side by side. BLAS
brings threads of its own; both at once would only get in each other's way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import islice, pairwise
from threading import Lock, local
from typing import TypeVar

from threadpoolctl import ThreadpoolController

_T = TypeVar("_T")
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
    In work that is itself shared, one slice comes after the other: its processors are taken.

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
    with one_blas_thread() as held:
        parts = members if held and not getattr(_thread, "is_worker", False) else 1
        yield lambda work, count: _side_by_side(work, slices(count, parts))


def each(work: Callable[[int], _T], count: int, *, large: bool) -> list[_T]:
    """Return `work(i)` of each number below `count`; where they are large, processors share them.

    >>> each(lambda i: i * i, 4, large=True)
    [0, 1, 4, 9]
    """
    found: dict[int, _T] = {}
    with team(processors() if large else 1) as share:
        share(lambda part: found.update((i, work(i)) for i in range(count)[part]), count)
    return [found[i] for i in range(count)]


def take_turns(work: Callable[[Iterator[_T]], object], items: Iterable[_T]) -> None:
    """Let every processor do `work` on items; whoever is free takes the next one.

    `work` is called once in each thread, with an iterator over the items that are its own.

    >>> done = []
    >>> take_turns(lambda turns: done.extend(n * n for n in turns), range(5))
    >>> sorted(done)
    [0, 1, 4, 9, 16]
    """
    with one_blas_thread() as held:
        turns, members = _Turns(items), processors() if held else 1
        _side_by_side(lambda part: work(turns), slices(members, members))


def slices(count: int, parts: int) -> list[slice]:
    """Split `range(count)` into `parts` consecutive slices of nearly the same length.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    ends = [count * part // parts for part in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Hold BLAS to one thread per call until the last of those who asked for it leaves.

    The limit is one for the whole process: the first sets it and the last lifts it. Both happen in
    a thread of their own, because threadpoolctl lets only one thread of a process change it. Gives
    whether BLAS is held: it is not while a caller's own `threadpool_limits` forbids it.
    """
    with _hold.lock:
        _hold.count += 1
        if _hold.count == 1:
            _hold.lift = _limiter().submit(_limit_blas).result()
    try:
        yield all(library.num_threads == 1 for library in _blas().lib_controllers)
    finally:
        with _hold.lock:
            _hold.count -= 1
            if _hold.count == 0:
                _limiter().submit(_hold.lift).result()


@contextmanager
def unshared() -> Iterator[None]:
    """Share no work with other processors within it: the same sums in the same order everywhere.

    For work that is shared otherwise, a text a process, and whose result is not to depend on how
    many processors there are.
    """
    before = getattr(_thread, "is_worker", False)
    _thread.is_worker = True
    try:
        with one_blas_thread():
            yield
    finally:
        _thread.is_worker = before


class _Hold:
    def __init__(self) -> None:
        self.lock = Lock()
        self.count = 0
        self.lift: Callable[[], None]


_hold = _Hold()
_thread = local()  # a worker that waited for others to be free would wait for itself


class _Turns(Iterator[_T]):
    """An iterator that several threads may share."""

    def __init__(self, items: Iterable[_T]) -> None:
        self._items = iter(items)
        self._lock = Lock()

    def __next__(self) -> _T:
        with self._lock:
            return next(self._items)


def _side_by_side(work: Callable[[slice], object], parts: list[slice]) -> None:
    if len(parts) == 1 or getattr(_thread, "is_worker", False):
        for part in parts:
            work(part)
        return
    jobs = [_workers().submit(work, part) for part in parts]
    wait(jobs)
    for job in jobs:
        job.result()


def _limit_blas() -> Callable[[], None]:
    """Hold BLAS to one thread; return what lifts it, which also lets other threads limit BLAS."""
    held = ExitStack()
    held.enter_context(_blas().limit(limits=1))
    return held.close


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@cache
def _limiter() -> Executor:
    return ThreadPoolExecutor(1, thread_name_prefix="blas-limit")


@cache
def _workers() -> Executor:
    """Start one thread per processor, each bound to its own where the system can do that.

    Some kernels wake several threads on the same processor and take tens of milliseconds to notice.
    """
    own = iter(sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else ())

    def start() -> None:
        _thread.is_worker = True
        for processor in islice(own, 1):
            os.sched_setaffinity(0, {processor})

    return ThreadPoolExecutor(processors(), thread_name_prefix="attention", initializer=start)
