"""Translation: a recurrent decoder that looks back at its source, and one line cut."""

import streamlit as st

from attention import ui
from attention.ui.translation.bar import source_reading, translation_of
from attention.ui.translation.below import foggy_window, gets_wrong, which_carry
from attention.ui.translation.cut import cut_the_line, line_of_example
from attention.ui.translation.looking import looking
from attention.ui.translation.scores import additive_or_dot

TABS = {
    "window": "The foggy window",
    "carry": "Which heads carry it",
    "scores": "Additive or dot product?",
    "wrong": "What it gets wrong",
}

bar = ui.opening(
    "Translation",
    "**Where attention began**: a recurrent decoder writes one token at a time, and at each step "
    "looks back at the whole sentence (**cross-attention**).",
)
chosen = source_reading(bar)
done = translation_of(chosen)
st.markdown(f"#### {ui.escape_markdown(done.text)}")
looking(done)

st.subheader("Cut the line")
line = cut_the_line(chosen)

window, carry, scores, wrong = ui.tabs(TABS, key="see")
with carry:
    if carry.open:
        which_carry(line)
with window:
    if window.open:
        foggy_window(chosen)
with scores:
    if scores.open:
        additive_or_dot(chosen, line_of_example(chosen), line.query)
with wrong:
    if wrong.open:
        gets_wrong()
ui.closing()
