"""A message that recurrent networks hand on from word to word, on the page's own text."""

from __future__ import annotations

import streamlit as st

import attention
from attention.analysis import words
from attention.arrays import Array
from attention.context import reach
from attention.ui.readings import Reading, trace


def relay_on_text(
    chosen: Reading, start: int, hidden: int, gain: float, seed: int
) -> tuple[Array, Array]:
    """Return how much of one word a tanh network, and a GRU, holds at each later word.

    Parameters
    ----------
    start : counts the text's own words
    """
    return _relayed(chosen.model_name, chosen.text, chosen.words, start, hidden, gain, seed)


@st.cache_resource(max_entries=64, show_spinner=False)
def _relayed(
    model: str, text: str, merged: bool, start: int, hidden: int, gain: float, seed: int
) -> tuple[Array, Array]:
    tokens = trace(model, text).input
    units = words.whole_words(tokens) if merged else words.pieces(tokens)
    own = [unit for unit in units if unit.ordinary]
    return reach.relayed(attention.load_model(model), tokens, own, start, hidden, gain, seed)
