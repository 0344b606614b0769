"""Explorer: adjust the relevance of each word and see the blended output shift."""

import streamlit as st

from attention import ui
from attention.pipeline import questions
from attention.ui.address import end_fragment
from attention.ui.explorer.experiment import draw_details, draw_experiment
from attention.ui.explorer.starts import start_from, start_picker

bar = ui.opening(
    "Explorer",
    "**What does a word become when it attends to the others?** Drag its relevance: all follows.",
)
row = st.container(horizontal=True, vertical_alignment="bottom")
chosen = ui.reading(bar, words_only=start_picker(row))
focus = ui.focus(chosen)
start = start_from(row, chosen, focus, st.session_state["start"])


@st.fragment  # a score that moves sends what depends on it, not the whole page
def experiment() -> None:
    """Let the reader move the scores, and show what follows from them."""
    blended, rests = draw_experiment(chosen, start)
    draw_details(blended)
    ui.code_box()  # here, so that it follows the scores
    end_fragment(rests=rests)


experiment()
st.caption(f"{start.says}\n\n{start.explanation}")
ui.predict(questions.flattened(start.view.labels, start.base))
ui.closing()
