"""Training in front of the reader: paced, stopped by any click, kept; a few readers at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.learning.experiment import Experiment, Picture, pictures
from attention.runtime.waiting_line import Turnstile
from attention.ui.inputs import Control

MOST_TRAININGS = 2  # on this server at once
PICTURE_SECONDS = 0.08  # from one picture to the next; what is left of it is other readers' time
_REST_SECONDS = 0.005  # and at least so much
_TRAINED, _WANTED, _LEARNED = "_trained", "_train", "learned"


@dataclass
class Trained:
    """What has been learned so far in this visit, as pictures."""

    experiment: Experiment
    pictures: list[Picture] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many steps there are to look back on."""
        return self.pictures[-1].step if self.pictures else 0


def train_buttons(row: DeltaGenerator) -> DeltaGenerator:
    """Draw the button at the end of a row; return the place beside it, of one that stops.

    That one belongs to the page, not to the fragment in which the training runs: a fragment is not
    stopped by what is pressed within it.
    """
    with row:
        wanted = st.button("Train", icon=":material/play_arrow:", key="train", on_click=_want)
        stop = st.empty()
    if wanted:
        stop.button("Stop", icon=":material/stop:", key="stop_training")
    return stop


def trained(experiment: Experiment, stop: DeltaGenerator, status: DeltaGenerator,
            show: Callable[[Trained], object]) -> Trained:  # fmt: skip
    """Return what is learned: as the reader asked just now, or before, or as the address says.

    Parameters
    ----------
    stop : as `train_buttons` returns it
    status : where a reader who has to wait is told so
    show : draws the last picture while it is trained
    """
    learned = _learned(experiment)
    steps = learned.draw(lambda value: value)
    found: Trained | None = st.session_state.get(_TRAINED)
    if st.session_state.pop(_WANTED, False):
        found = Trained(experiment)
        _train(found, experiment.steps, status, show)
        stop.empty()
    elif found is None or found.experiment != experiment or found.steps < steps:
        found = Trained(experiment)
        _train(found, steps, status)
    learned.draw(lambda _: found.steps)
    return found


def line() -> Turnstile:
    """Return the server's queue for trainings."""
    return _line()


def waits(status: DeltaGenerator) -> Callable[[int], object]:
    """Return what tells a reader that others are being served."""
    return lambda ahead: status.info(
        f"{MOST_TRAININGS} trainings run on this server at once. Before you in the queue: {ahead}."
    )


def _want() -> None:
    st.session_state[_WANTED] = True


def _learned(experiment: Experiment) -> Control[int]:
    def read(said: tuple[str, ...]) -> int:
        steps = int(said[-1])
        if not 0 <= steps <= experiment.steps:
            raise ValueError(f"{steps} is not within 0 and {experiment.steps}")
        return steps

    return Control(_LEARNED, 0, read, of=(experiment,))


def _train(
    found: Trained, steps: int, status: DeltaGenerator,
    show: Callable[[Trained], object] | None = None,
) -> None:  # fmt: skip
    """Train up to a step; with `show`, picture by picture at a pace that can be followed."""

    def work() -> None:
        st.session_state[_TRAINED] = found
        status.empty()
        for picture in pictures(found.experiment):
            found.pictures.append(picture)
            st.session_state[_LEARNED] = picture.step
            if show:
                show(found)
                _pause(began + len(found.pictures) * PICTURE_SECONDS)
            if picture.step >= steps:
                return

    began = time.monotonic()
    if steps == 0:  # nothing to learn: nobody has to wait
        work()
        return
    _line().alone(work, waits(status))


def _pause(until: float) -> None:
    time.sleep(max(until - time.monotonic(), _REST_SECONDS))


@st.cache_resource
def _line() -> Turnstile:
    return Turnstile(MOST_TRAININGS)
