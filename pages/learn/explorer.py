"""Explorer: adjust the relevance of each word and see the blended output shift."""

import streamlit as st

from attention import ui
from attention.pipeline import questions
from attention.ui.address import publish_fragment
from attention.ui.explorer.experiment import (
    draw_formula,
    draw_output,
    draw_weights,
    relevance_scores,
)
from attention.ui.explorer.starts import start_from, start_picker

bar = ui.opening(
    "Explorer",
    "**What does a word become when it attends to the others?** Give every word a relevance score. "
    "Softmax turns the scores into weights, and the weights blend the words' vectors into one.",
)
row = st.container(horizontal=True, vertical_alignment="bottom")
chosen = ui.reading(bar, words_only=start_picker(row))
focus = ui.focus(chosen)
start = start_from(row, chosen, focus, st.session_state["start"])


@st.fragment  # a score that moves sends what depends on it, not the whole page
def experiment() -> None:
    """Let the reader move the scores, and show what follows from them."""
    note = st.container()
    left, right = st.columns([2, 3], gap="large")
    with left:
        blended = relevance_scores(chosen, start)
    with right:
        draw_weights(blended)
        draw_output(chosen, blended)
    with note:
        ui.notice(blended.sentence(chosen.model))
    draw_formula(blended)
    publish_fragment()


experiment()
st.caption(start.explanation)
ui.predict(questions.flattened(start.view.labels, start.base))
ui.closing()
