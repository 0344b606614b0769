"""Survey: what every head does over many texts."""

import streamlit as st

from attention import ui
from attention.analysis.role_sentences import chance_sentence
from attention.ui.survey import heads, source

ui.opening(
    "Survey",
    "**What does each head do over many texts?** One sentence may be an exception: here is every "
    "head over hundreds of texts, its roles beside what they are by chance.",
)
controls = st.container(horizontal=True, vertical_alignment="bottom")
pictures, more = st.container(), st.container()
with more:
    below = st.container()
    own = source.brought()
with controls:
    name, summary = source.picked(own)
    column = heads.column_picker(summary)
with pictures:
    left, right = st.columns((2, 3), gap="medium")
    with left:
        head = heads.one_column(name, summary, column)
    with right:
        heads.one_head(name, summary, column, head)
with below:
    heads.active_texts(summary, head)
    st.subheader("Two models")
    heads.two_models(name, summary, column, own)
    st.caption(
        f"{summary.texts} texts with {summary.tokens:,} tokens in {summary.model}. Scores are "
        f"means over queries; chance is the mean of {summary.draws} draws in which positions or "
        "words are shuffled, of all their shifts for “first token”, “separator” and "
        "“punctuation”, or for “broad” the rows of all heads; a head has a role where its score "
        "reaches the role's "
        "threshold and is more than 2.5 spreads above chance, over 3 queries at least. "
        f"{chance_sentence()}"
    )
ui.closing()
