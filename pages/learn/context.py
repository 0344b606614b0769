"""Context: attention against what came before."""

import streamlit as st

from attention import ui
from attention.ui.context.convolution import cnn
from attention.ui.context.cost import cost
from attention.ui.context.differences import whole_texts
from attention.ui.context.far_words import far
from attention.ui.context.recurrent import rnn
from attention.ui.context.two_texts import pair

EXAMPLE = "The keys that I left on the table in the kitchen yesterday are gone"
TABS = {
    "rnn": "RNN",
    "cnn": "CNN",
    "range": "Arbitrary range",
    "pair": "Data-dependent",
    "changed": "Two texts",
    "cost": "Cost",
}

bar = ui.opening(
    "Context",
    "**How does one word learn of another?** Word by word, layer by layer, or in one step.",
)
above = st.container()  # what is said of the text; the tab decides which controls it needs
recurrent, convolution, arbitrary, dependent, texts, costs = ui.tabs(TABS, key="view")
if recurrent.open or convolution.open:
    with above:
        chosen = ui.reading(bar, EXAMPLE)
elif not costs.open:  # which has no text and no model
    with above:
        chosen = ui.model_only(bar)
with recurrent:
    if recurrent.open:
        rnn(chosen)
with convolution:
    if convolution.open:
        cnn(chosen)
with arbitrary:
    if arbitrary.open:
        far(chosen)
with dependent:
    if dependent.open:
        pair(chosen)
with texts:
    if texts.open:
        whole_texts(chosen)
with costs:
    if costs.open:
        cost()
ui.closing()
