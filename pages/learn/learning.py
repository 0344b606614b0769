"""Learning: attention learns where to look, in front of the reader."""

import streamlit as st

from attention import ui
from attention.learning.sentences import told_sizes, told_task
from attention.ui.learning.looking import learning
from attention.ui.learning.settings import experiment_controls
from attention.ui.learning.training import train_buttons

ui.opening(
    "Learning",
    "**How does attention learn where to look?** Press “Train”, and watch it learn.",
)
row = st.container(horizontal=True, vertical_alignment="bottom")
experiment = experiment_controls(row)
stop = train_buttons(row)
st.caption(f"{told_task(experiment)} Every example is drawn anew: nothing can be learned by heart.")
learning(experiment, stop)
st.caption(
    f"{told_sizes(experiment)} Batches of {experiment.settings.batch} examples, Adam; both "
    "networks learn from the same ones, at the same rate."
)
ui.closing()
