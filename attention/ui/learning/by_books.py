"""The stored comparison of trained networks, which two pages draw."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from attention.learning import charts, frames
from attention.learning.compared import figure_rows, told_doubling
from attention.learning.measure import (
    BOOKS,
    FULL_LENGTH,
    LEARNING_COMMAND,
    MOST_READ,
    AccuracyPoint,
)
from attention.learning.stored import stored_comparison
from attention.learning.tasks import LIBRARY
from attention.scaling.runs import machine_text
from attention.ui.inputs import expander
from attention.ui.show import draw, escape_markdown, table

BY_BOOKS = "by_books"  # the key of the chart
BOOKS_TOLD = 8  # of which the sentence above the picture is


def draw_by_books(here: Sequence[AccuracyPoint] = ()) -> None:
    """Draw right answers against the number of books, with what was measured on this machine."""
    points = stored_comparison().library
    draw(
        charts.accuracy_lines,
        frames.accuracy_frame(points, here),
        key=BY_BOOKS,
        alt_text="Right answers against the number of books",
        series=tuple(dict.fromkeys(point.series for point in points)),
        lengths=BOOKS,
        chance=1 / LIBRARY.answers,
        here=bool(here),
    )


def say_how() -> None:
    """Say how the stored comparison was made."""
    stored = stored_comparison()
    run, settings = stored.run, stored.run.settings
    steps = int(settings["steps at most"])
    st.caption(
        f"A stored run, not of this machine: {escape_markdown(machine_text(run))}, made by "
        f"“{LEARNING_COMMAND}”. Lines are means of {settings['seeds']} seeds, bars go from the "
        "worst seed to the best. Each network has the best of three learning rates and as many "
        f"steps, of up to {steps:,}, as come within one point of its best, by a search on other "
        f"seeds at 4 books. {told_doubling(stored.library, steps)} A training ends when 99.5 % of "
        f"the last 20 batches of {settings['batch']} are right, or after those steps, with more "
        f"than {FULL_LENGTH} books after at most {MOST_READ:,} divided by their number: more "
        "might do better there, too. Dotted: a guess."
    )


def draw_figures() -> None:
    """Draw every figure of the stored comparison, closed at first."""
    box = expander("All figures, and the numbers that each network learns", key="figures")
    if box.open:
        with box:
            table(*figure_rows(stored_comparison().library))
