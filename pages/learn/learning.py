"""Learning: attention learns where to look, in front of the reader."""

import streamlit as st

from attention import ui
from attention.learning.questions import breaks_question, even_question
from attention.learning.sentences import told_sizes, told_task
from attention.learning.stored import stored_comparison
from attention.ui.learning import trials
from attention.ui.learning.looking import learning
from attention.ui.learning.settings import experiment_controls
from attention.ui.learning.training import majority_learned, train_buttons

TABS = {
    "books": "More books, other networks",
    "positions": "Without positions",
    "heads": "More heads",
}

ui.opening(
    "Learning",
    "**How does attention learn where to look?** Press “Train”, and watch it learn.",
)
row = st.container(horizontal=True, vertical_alignment="bottom")
experiment = experiment_controls(row)
buttons = train_buttons(row)
st.caption(f"{told_task(experiment)} Every example is drawn anew: nothing can be learned by heart.")
above = st.container()
if not buttons.wanted:
    with above:
        learning(experiment, buttons.stop)
st.caption(told_sizes(experiment))
ui.predict(breaks_question(stored_comparison().library))
ui.predict(even_question(majority_learned()))
books, positions, heads = ui.tabs(TABS, key="try")
with books:
    if books.open:
        trials.books()
with positions:
    if positions.open:
        trials.positions()
with heads:
    if heads.open:
        trials.heads()
ui.closing()
if buttons.wanted:  # it takes a while: the rest of the page is there before
    with above:
        learning(experiment, buttons.stop)
