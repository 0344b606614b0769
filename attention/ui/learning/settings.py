"""The learning page's controls: the task, the networks, and how they are trained."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.learning.experiment import NETWORKS, REACHES, TASKS, Experiment
from attention.ui import inputs

TOKEN_COUNTS = (1, 2, 4, 8, 16, 24, 32)  # books, or words
LEARN_WIDTHS, HEAD_COUNTS = (16, 32, 64), (1, 2, 4, 8)
STEP_COUNTS = (60, 120, 240, 480, 960)  # a picture of each, or of every 2nd, 4th, 8th, 16th
LEARN_RATES = (0.001, 0.003, 0.01, 0.03)
FURTHEST_BACK = 8
_ORDERED = ("back", "first")  # tasks in which the order of the words counts


def experiment_controls(row: DeltaGenerator) -> Experiment:
    """Draw the controls at the end of a row, and return what they say."""
    with row:
        task = inputs.select("Task", list(TASKS), "library", key="task", text=TASKS.__getitem__,
                             width=190)  # fmt: skip
        n = inputs.stepped("Books" if task == "library" else "Words", TOKEN_COUNTS, 8, key="books")
        back = _back(n) if task == "back" else 1
        beside = inputs.select("Beside attention", list(NETWORKS), "gru", key="rival",
                               text=NETWORKS.__getitem__, width=170)  # fmt: skip
        more = st.popover("Settings", icon=":material/tune:")
    with more:
        return _more(task, n, back, beside)


def _more(task: str, n: int, back: int, beside: str) -> Experiment:
    """Draw what is out of sight at first."""
    width = inputs.stepped("Width", LEARN_WIDTHS, 32, key="learn_width")
    heads = inputs.stepped("Heads", HEAD_COUNTS, 1, key="learn_heads")
    steps = inputs.stepped("Steps", STEP_COUNTS, 240, key="steps")
    rate = inputs.select("Learning rate", LEARN_RATES, 0.01, key="rate", code=_thousandths,
                         width=200)  # fmt: skip
    seed = inputs.slider("Seed", 0, 20, 0, key="seed", width=200)
    positions = inputs.switch(
        "Positions",
        task in _ORDERED,
        key="positions",
        help="A learned vector for each place, added to what stands there. Without, attention "
        "does not see the order.",
    )
    depth = _reach() if beside == "convolution" else min(REACHES)
    return Experiment(
        task, n, back, width, heads, positions, steps, float(rate), seed, beside, depth
    )


def _thousandths(rate: float) -> str:
    return f"{1000 * rate:g}"


def _back(n: int) -> int:
    if n == 1:
        st.caption("k = 1: there is one word.")
        return 1
    return inputs.slider("k", 1, min(n, FURTHEST_BACK), min(n, 2), key="back", of=(n,), width=120)


def _reach() -> int:
    return inputs.stepped("The convolution's reach", tuple(REACHES), 15, key="conv_reach")
