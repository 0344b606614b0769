"""Context: attention against what came before."""

import streamlit as st

from attention import frames, ui
from attention.ui import context_layers, context_texts
from attention.ui import context_work as work

EXAMPLE = "The keys that I left on the table in the kitchen yesterday are gone"
TABS = ("RNN", "CNN", "Arbitrary range", "Data-dependent", "Cost")

st.title("Context")
st.markdown(
    "**How does one word learn of another?** A recurrent network passes the message on word by "
    "word, a convolution layer by layer; attention looks. Here all three run on the same text."
)
above = st.container()  # what is said of the text; the tab decides which controls it needs
rnn, cnn, arbitrary, dependent, cost = st.tabs(
    TABS, on_change="rerun", key="view", bind="query-params"
)
if rnn.open or cnn.open:
    with above:
        chosen = ui.reading(EXAMPLE)
    far, head = work.far_link(chosen.view)
    ui.focus(
        chosen,
        word=lambda _: work.own_words(chosen.view)[-1],
        reach_word=lambda _: far,
        path_head=lambda _: frames.head_name(head),
    )
elif not cost.open:  # which has no text and no model
    with above:
        chosen = ui.model_only()
with rnn:
    if rnn.open:
        context_layers.rnn(chosen)
with cnn:
    if cnn.open:
        context_layers.cnn(chosen)
with arbitrary:
    if arbitrary.open:
        context_texts.far(chosen)
with dependent:
    if dependent.open:
        context_texts.pair(chosen)
with cost:
    if cost.open:
        context_layers.cost()
ui.saving_hint()
