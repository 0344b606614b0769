"""The stored comparison of trained networks, which two pages draw."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from attention.learning import charts, frames
from attention.learning.compared import figure_rows
from attention.learning.measure import BOOKS, LEARNING_COMMAND, AccuracyPoint
from attention.learning.stored import stored_comparison
from attention.learning.tasks import LIBRARY
from attention.scaling.runs import machine_text
from attention.ui.inputs import expander
from attention.ui.show import draw, escape_markdown, table

BOOKS_TOLD = 8  # of which the sentence above the picture is


def draw_by_books(here: Sequence[AccuracyPoint] = ()) -> None:
    """Draw right answers against the number of books, with what was measured on this machine."""
    points = stored_comparison().library
    draw(
        charts.accuracy_lines,
        frames.accuracy_frame(points, here),
        key="by_books",
        alt_text="Right answers against the number of books",
        series=tuple(dict.fromkeys(point.series for point in points)),
        lengths=BOOKS,
        chance=1 / LIBRARY.answers,
        here=bool(here),
    )


def say_how() -> None:
    """Say how the stored comparison was made."""
    run = stored_comparison().run
    settings = run.settings
    st.caption(
        f"A stored run, not of this machine: {escape_markdown(machine_text(run))}, made by "
        f"“{LEARNING_COMMAND}”. Lines are means of {settings['seeds']} seeds, bars go from the "
        "worst seed to the best. Each network has the best of three learning rates, by a search "
        f"on other seeds at 4 books. A training ends when 99.5 % of the last 20 batches of "
        f"{settings['batch']} are right, or after {settings['steps at most']:,} steps, at 16 books "
        "half and at 32 a quarter as many: those that took all of them may do better with more. "
        "Dotted: a guess."
    )


def draw_figures() -> None:
    """Draw every figure of the stored comparison, closed at first."""
    box = expander("All figures, and the numbers that each network learns", key="figures")
    if box.open:
        with box:
            table(*figure_rows(stored_comparison().library))
