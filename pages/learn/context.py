"""Context: attention against what came before."""

import streamlit as st

from attention import ui
from attention.ui.context import layers, texts

EXAMPLE = "The keys that I left on the table in the kitchen yesterday are gone"
TABS = {
    "rnn": "RNN",
    "cnn": "CNN",
    "range": "Arbitrary range",
    "pair": "Data-dependent",
    "cost": "Cost",
}

st.title("Context")
st.markdown(
    "**How does one word learn of another?** A recurrent network passes the message on word by "
    "word, a convolution layer by layer; attention looks. Here all three run on the same text."
)
above = st.container()  # what is said of the text; the tab decides which controls it needs
rnn, cnn, arbitrary, dependent, cost = ui.tabs(TABS, key="view")
if rnn.open or cnn.open:
    with above:
        chosen = ui.reading(EXAMPLE)
elif not cost.open:  # which has no text and no model
    with above:
        chosen = ui.model_only()
with rnn:
    if rnn.open:
        layers.rnn(chosen)
with cnn:
    if cnn.open:
        layers.cnn(chosen)
with arbitrary:
    if arbitrary.open:
        texts.far(chosen)
with dependent:
    if dependent.open:
        texts.pair(chosen)
with cost:
    if cost.open:
        layers.cost()
ui.saving_hint()
