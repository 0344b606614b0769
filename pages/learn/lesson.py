"""Lesson: how a word finds its meaning, the story, what to take away, and claims to break."""

import streamlit as st

from attention import presets, ui
from attention.analysis.telling import telling_link
from attention.lesson import questions, takeaways
from attention.ui.lesson.heads import more_heads
from attention.ui.lesson.hero import hero
from attention.ui.lesson.pairs import understanding
from attention.ui.lesson.story import steps
from attention.ui.links import link

bar = ui.opening(
    "Attention: how a word finds its meaning",
    "**Click any word.** Lines go to the words that it attends to, in a real model.",
)
chosen = ui.reading(bar, presets.CAT.text, pairs=False)
view = chosen.view
focus = ui.focus(chosen)

left, right = st.columns([2, 1], gap="large")
with right:
    query = ui.word("Query: click a word, or pick it here", view, focus.query)
    telling = focus.query, focus.key, focus.layer, focus.head
    example = takeaways.example_of(chosen.trace, view, telling, query)
    ui.notice(example.told)
    st.markdown(
        "Words are read **all at once**. Each asks a question, its **query**, and has a label, its "
        "**key**; where they match, its **value** is blended in. That is attention; among the "
        "words of one text, **self-attention**."
    )
    other = telling_link(view.head(focus.layer, focus.head), 1, but=query)[0]
    ui.predict(questions.attends_most(view, other, focus.layer, focus.head))
with left:
    hero(example, chosen)

st.subheader("The story in six pictures")
steps(chosen, example)

st.subheader("What to take away")
cards = takeaways.takeaways(example, chosen.roles)
for column, card in zip(st.columns(len(cards)), cards, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.markdown(f"**{card.title}**  \n{card.text}")
        st.metric(card.title, card.figure, label_visibility="collapsed")
        st.caption(ui.escape_markdown(card.meaning))
        link(card.link.page, card.link.label, card.link.state)

st.subheader("Two claims to break")
first, second = ui.tabs(takeaways.CLAIMS, key="claim")
with first:
    if first.open:
        understanding(chosen)
with second:
    if second.open:
        more_heads(chosen)
ui.closing()
