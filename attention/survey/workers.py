"""Who measures the parts of a survey: this process, others on this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice
from typing import Any, Protocol, TypeVar

from attention.survey.measure import SurveySettings, digest, measure_part

Work = tuple[SurveySettings, int, tuple[str, ...]]  # what `measure_part` takes
_T = TypeVar("_T")
_AHEAD = 2  # parts for each worker: one that it measures, and one that waits
_RETRIES = 3  # of a part whose worker is lost
INSTALL_DASK = "pip install 'attention-lab[survey]'"


class _Promise(Protocol):
    def result(self) -> bytes:
        """Return what was computed."""


def measured_parts(
    parts: Iterator[tuple[_T, Work]], workers: int, scheduler: str | None
) -> Iterator[tuple[_T, bytes]]:
    """Measure parts; yield each with its file as soon as it is there, in any order.

    No more parts are taken than are in work.

    Raises
    ------
    ValueError : Dask is not installed.
    """
    if scheduler is not None:
        yield from _on_cluster(parts, workers, scheduler)
    elif workers == 1:
        for part, work in parts:
            yield part, measure_part(*work)
    else:
        context = multiprocessing.get_context("spawn")  # a fork would copy BLAS's threads
        with ProcessPoolExecutor(workers, context) as pool:
            yield from _in_flight(
                parts,
                lambda work: pool.submit(measure_part, *work),
                lambda waiting: wait(waiting, return_when=FIRST_COMPLETED).done,
                _AHEAD * workers,
            )


def _on_cluster(
    parts: Iterator[tuple[_T, Work]], each: int, scheduler: str
) -> Iterator[tuple[_T, bytes]]:
    """Let the workers of a Dask cluster measure; a part whose worker is lost is measured again."""
    try:
        import distributed
    except ImportError:
        raise ValueError(f"a scheduler needs Dask: {INSTALL_DASK}") from None
    with distributed.Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(1)
        count = len(client.scheduler_info(n_workers=-1)["workers"])

        def submit(work: Work) -> _Promise:
            key = f"survey-{digest([repr(work)])}"  # another survey's part is not this one
            return client.submit(measure_part, *work, key=key, pure=False, retries=_RETRIES)

        def some(waiting: list[Any]) -> set[Any]:
            with client.as_current():
                return set(distributed.wait(waiting, return_when="FIRST_COMPLETED").done)

        yield from _in_flight(parts, submit, some, _AHEAD * each * count)


def _in_flight(
    parts: Iterator[tuple[_T, Work]],
    submit: Callable[[Work], _Promise],
    done: Callable[[list[Any]], set[Any]],
    most: int,
) -> Iterator[tuple[_T, bytes]]:
    """Keep so many parts in work; yield each that is done."""
    waiting: dict[Any, _T] = {}
    while True:
        for part, work in islice(parts, most - len(waiting)):
            waiting[submit(work)] = part
        if not waiting:
            return
        for promise in done(list(waiting)):
            yield waiting.pop(promise), promise.result()
