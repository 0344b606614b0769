"""Measuring from a page: one reader at a time, with progress, stopped by any click, kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.runtime.timing import BUSY, Progress
from attention.runtime.waiting_line import Turnstile
from attention.scaling.runs import Facts
from attention.ui.shelf import renew, results

_T = TypeVar("_T")

HEAD_WIDTHS = (16, 32, 64, 128)  # of a head that can be measured
REDRAW_SECONDS = 1.0  # drawing takes time from the very processor that is timed


@dataclass(frozen=True)
class Sweep(Generic[_T]):
    """What was measured last, or else is stored with the package, and with which settings."""

    settings: Facts
    results: list[_T]
    stored: bool = False


@dataclass(frozen=True)
class Bench:
    """Where a sweep is started and stopped, and shows how far it is."""

    pressed: bool
    stop: DeltaGenerator
    status: DeltaGenerator


def bench(controls: DeltaGenerator, *, key: str) -> Bench:
    """Draw the button at the end of the `controls`, and leave a place for progress below."""
    with controls:
        pressed = st.button("Measure", icon=":material/play_arrow:", key=key, on_click=renew)
        stop = st.empty()
    return Bench(pressed, stop, st.empty())


def measured(
    name: str,
    place: Bench,
    settings: Facts,
    start: Callable[[Progress], Iterator[_T]],
    show: Callable[[list[_T]], object] = lambda _: None,
    *,
    before: Callable[[], Sweep[_T]] = lambda: Sweep({}, []),
) -> Sweep[_T]:
    """Measure where the reader asked to; return what was measured last.

    A refusal is answered with its reason, and what was measured before stays.

    Parameters
    ----------
    name : under which the results are kept, for as long as the address holds on to them
    settings : of this sweep, kept with its results
    start : called with a function that shows progress; raises ValueError to refuse
    show : draws what there is so far, now and then while it runs
    before : gives what there is before anything is measured
    """
    if place.pressed:
        try:
            _measure(name, place, settings, start, show)
        except ValueError as refusal:
            place.status.error(f"{refusal}.")
    sweep: Sweep[_T] | None = results().get(name)
    return sweep if sweep and sweep.results else before()


def busy_warning(others: float) -> None:
    """Say so where other programs took much of the processors meanwhile."""
    if others > BUSY:
        st.warning(
            f"Other programs took {others:.0%} of the processors while this was measured, and "
            "the figures suffer from it. Measure again when the machine is quiet."
        )


def alone(status: DeltaGenerator, work: Callable[[], _T]) -> _T:
    """Do the work when it is this reader's turn; what `status` shows meanwhile goes after it."""
    result = _turnstile().alone(
        work,
        lambda ahead: status.info(
            f"Another reader is measuring. Before you in the queue: {ahead}."
        ),
    )
    status.empty()
    return result


@st.cache_resource
def _turnstile() -> Turnstile:
    """Return the server's one queue for timings."""
    return Turnstile()


def _measure(
    name: str,
    place: Bench,
    settings: Facts,
    start: Callable[[Progress], Iterator[_T]],
    show: Callable[[list[_T]], object],
) -> None:
    box = results()
    steps = start(lambda share: place.status.progress(share, f"Measuring: {share:.0%}"))
    place.stop.button("Stop", icon=":material/stop:", key=f"stop_{name}")

    def collect() -> None:
        done: list[_T] = []
        box[name] = Sweep(settings, done)
        drawn = time.monotonic()
        for result in steps:
            done.append(result)
            if time.monotonic() - drawn > REDRAW_SECONDS:
                show(done)
                drawn = time.monotonic()

    alone(place.status, collect)
    place.stop.empty()
