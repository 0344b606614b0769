"""Training in front of the reader: paced, stopped by any click, kept; a few readers at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.learning.experiment import Experiment, Picture, pictures
from attention.learning.questions import MAJORITY_ASKED
from attention.runtime.waiting_line import Turnstile
from attention.ui.inputs import Control

MOST_TRAININGS = 2  # on this server at once
PICTURE_SECONDS = 0.08  # from one picture to the next; what is left of it is other readers' time
_REST_SECONDS = 0.005  # and at least so much
_SILENT_SECONDS = 0.3  # what takes longer shows how far it is
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

    def holds(self, experiment: Experiment, steps: int) -> bool:
        """Return whether it is of this experiment and goes so far; it may have been stopped."""
        return bool(self.pictures) and self.experiment == experiment and self.steps >= steps


class Buttons(NamedTuple):
    """Whether the reader has just asked for a training, and the place of the button that stops."""

    wanted: bool
    stop: DeltaGenerator


def train_buttons(row: DeltaGenerator) -> Buttons:
    """Draw the button at the end of a row and, while there is a training, one that stops it.

    That one belongs to the page, not to the fragment in which the training runs: a fragment is not
    stopped by what is pressed within it.
    """
    with row:
        wanted = st.button("Train", icon=":material/play_arrow:", key="train", on_click=_want)
        stop = st.empty()
    if wanted:
        stop.button("Stop", icon=":material/stop:", key="stop_training")
    return Buttons(wanted, stop)


def trained(experiment: Experiment, stop: DeltaGenerator, status: DeltaGenerator,
            show: Callable[[Trained], object]) -> Trained:  # fmt: skip
    """Return what is learned: as the reader asked just now, or before, or as the address says.

    Parameters
    ----------
    stop : the place of the button that stops it
    status : where a reader who has to wait is told so
    show : draws the last picture while it is trained
    """
    learned = _learned(experiment)
    steps = learned.draw(lambda value: value)
    found: Trained | None = st.session_state.get(_TRAINED)
    if st.session_state.pop(_WANTED, False):
        found, st.session_state[_LEARNED] = Trained(experiment), 0
        _train(found, experiment.steps, status, show)
        stop.empty()
    elif found is None or not found.holds(experiment, steps):
        found = Trained(experiment)
        _train(found, steps, status)
    else:  # the run that was stopped may be at its last picture still: what is shown stays as it is
        found = Trained(experiment, list(found.pictures))
        st.session_state[_TRAINED] = found
    st.session_state[_LEARNED] = found.steps
    learned.draw(lambda _: found.steps)
    return found


@st.cache_resource(show_spinner=False)
def majority_learned() -> Picture:
    """Return what attention has learned of the majority, for a question; a tenth of a second."""
    *_, last = pictures(MAJORITY_ASKED)
    return last


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
        began = time.monotonic()
        for picture in pictures(found.experiment):
            found.pictures.append(picture)
            if show:
                show(found)
                _pause(began + len(found.pictures) * PICTURE_SECONDS)
            if picture.step >= steps:
                break
            if not show and time.monotonic() - began > _SILENT_SECONDS:
                status.progress(picture.step / steps, f"Learned once more: step {picture.step}")
        status.empty()

    if steps == 0:  # nothing to learn: nobody has to wait
        work()
        return
    _line().alone(work, waits(status))


def _pause(until: float) -> None:
    time.sleep(max(until - time.monotonic(), _REST_SECONDS))


@st.cache_resource
def _line() -> Turnstile:
    return Turnstile(MOST_TRAININGS)
