"""Translation: a recurrent decoder that looks back at its source, and one line cut."""

import streamlit as st

from attention import ui
from attention.ui.translation.bar import source_reading, translation_of
from attention.ui.translation.cut import cut_the_line
from attention.ui.translation.looking import looking

bar = ui.opening(
    "Translation",
    "**Where attention began**: a translator writes one token at a time, and at each step looks "
    "back at the whole sentence (**cross-attention**).",
)
chosen = source_reading(bar)
done = translation_of(chosen)
st.markdown(f"#### {ui.escape_markdown(done.text)}")
looking(done)

st.subheader("Cut the line")
line = cut_the_line(chosen)
ui.closing()
