"""Visualizer: click a word, see what it attends to."""

import streamlit as st

from attention import ui
from attention.analysis import links
from attention.presets import CAT
from attention.ui.alignment import links_beside
from attention.ui.cells import cell_picker
from attention.ui.visualizer import lines
from attention.ui.visualizer.lines import Lines
from attention.ui.visualizer.pair import best_head

MODES = {"single": "Single head", "multi": "Multi-head"}

bar = ui.opening(
    "Visualizer",
    "**What does a word attend to?** Click a word on the left: lines go to what it attends to. "
    "Pointing at a word shows its lines for a moment.",
)
chosen = ui.reading(bar, CAT.text)
view = chosen.view
focus = ui.focus(chosen)
with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Query", view, focus.query, width=170)
    layer, head = ui.layer_and_head(view, focus)
    several = ui.choice("Show", MODES, key="mode") == "multi"
    what = cell_picker("A line is")
heads = lines.heads_that_are_on(chosen, layer, head, query) if several else [head]
drawn = Lines(chosen, layer, heads, query, several, what)
lines.say(drawn)
shown = lines.words_in_picture(drawn)
left, right = st.columns([3, 2], gap="large")
with left:
    if told := links.listed_sentence(len(view.units), shown):
        st.caption(told)
    lines.picture(drawn, shown)
with right:
    st.subheader("Best head for a pair")
    best_head(chosen, query, focus.key, (layer, head))

left, right = st.columns([3, 2], gap="large")
with left:
    if len(heads) > 1:
        lines.differences(drawn)
    if heads:
        lines.formula(drawn)
with right:
    st.subheader("What do you expect?")
    for question in (
        links.back_question(view, layer, head, query),
        links.most_question(view, layer, head, query),
    ):
        if question:
            ui.predict(question)
beside = ui.expander(
    "The same sentence in another model", icon=":material/compare_arrows:", key="both"
)
with beside:
    if beside.open:
        links_beside(chosen, query, (layer, head), what)
ui.closing()
