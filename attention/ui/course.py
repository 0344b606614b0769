"""The course: every page in order, and what stands above and below each of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.ui import address
from attention.ui.links import link
from attention.ui.show import saving_hint
from attention.ui.view_code import begin_figures, code_box


class CoursePage(NamedTuple):
    """A page as the menu names it."""

    file: str
    icon: str
    question: str

    @property
    def name(self) -> str:
        """What the menu calls it."""
        return PurePosixPath(self.file).stem.capitalize()


COURSE = {
    "Learn": (
        CoursePage(
            "pages/learn/lesson.py",
            ":material/school:",
            "How does a word find its meaning?",
        ),
        CoursePage(
            "pages/learn/explorer.py",
            ":material/tune:",
            "What does a word become when it attends to the others?",
        ),
        CoursePage(
            "pages/learn/pipeline.py",
            ":material/account_tree:",
            "How do words become queries, keys, values and an output?",
        ),
        CoursePage(
            "pages/learn/translation.py",
            ":material/translate:",
            "Where did attention begin, and what does one line of it carry?",
        ),
        CoursePage(
            "pages/learn/learning.py",
            ":material/model_training:",
            "How does attention learn where to look?",
        ),
        CoursePage(
            "pages/learn/context.py",
            ":material/route:",
            "How does one word learn of another?",
        ),
    ),
    "Explore": (
        CoursePage(
            "pages/explore/visualizer.py",
            ":material/hub:",
            "What does a word attend to?",
        ),
        CoursePage(
            "pages/explore/heads.py",
            ":material/grid_view:",
            "Do all heads attend to the same words?",
        ),
        CoursePage(
            "pages/explore/interventions.py",
            ":material/construction:",
            "What does attention cause?",
        ),
    ),
    "Measure": (
        CoursePage(
            "pages/measure/scaling.py",
            ":material/timer:",
            "What does it cost to let every word attend to every word?",
        ),
        CoursePage(
            "pages/measure/survey.py",
            ":material/dataset:",
            "What does each head do over many texts?",
        ),
    ),
}
PAGES = [page for pages in COURSE.values() for page in pages]


def opening(title: str, question: str) -> DeltaGenerator:
    """Draw the page's head; return the place above it, for the text that the page is about."""
    begin_figures()
    bar = st.container()
    st.title(title)
    st.markdown(question)
    return bar


def closing() -> None:
    """End a page: its code, how to save it, and which comes next."""
    code_box()
    st.divider()
    here = address.visit().file
    for page, following in pairwise(PAGES):
        if PurePosixPath(page.file).stem == here:
            link(following.file, f"Next: {following.name}", {})
            st.caption(following.question)
    saving_hint()
