"""Lesson: the idea, what to take away, and three claims to break."""

import numpy as np
import streamlit as st

from attention import presets, ui
from attention.analysis.telling import telling_link
from attention.lesson import frames as lesson_frames
from attention.lesson import questions, takeaways
from attention.lesson.charts import word_bars
from attention.models import registry
from attention.ui.lesson.heads import more_heads
from attention.ui.lesson.pairs import understanding
from attention.ui.lesson.scores import additive_or_dot
from attention.ui.links import link

MOST_WORDS = 16  # in the first chart
CARDS_IN_A_ROW = 3

bar = ui.opening("Lesson", "**How does a word find its meaning?**")
chosen = ui.reading(bar, presets.CAT.text)
view = chosen.view
focus = ui.focus(chosen)
example = takeaways.LessonExample(
    chosen.trace, view, focus.query, focus.key, focus.layer, focus.head
)
head = focus.layer, focus.head
row = view.weights[head][focus.query]

left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    st.markdown(
        "**How does a word know what it means here?** It attends to the others. Each word has a "
        "question, its **query**, a label, its **key**, and something to pass on, its **value**. "
        "The better a key fits the query, the more of its value is taken over. That is attention; "
        "among the words of one text, **self-attention**."
    )
    ui.notice(example.sentence)
    st.markdown(
        "A real model does this, here and now: "
        f"{ui.escape_markdown(registry.full_name(chosen.model_name))}, with "
        f"{len(view.weights)} layers of {view.weights.shape[1]} such heads. Change the sentence "
        "above, and every figure changes with it."
    )
    link("pages/explore/visualizer.py", "Click any word and see what it attends to", example.place)
with right:
    shown = sorted(np.argsort(-row, kind="stable")[:MOST_WORDS].tolist())
    labels = tuple(view.labels[k] for k in shown)
    ui.draw(
        word_bars,
        lesson_frames.row_frame(labels, {"weight": row[shown]}),
        key="look",
        alt_text=f"What “{example.query_label}” attends to in {example.name}",
        labels=labels,
    )
    most = f", the {len(shown)} largest of {len(row)} weights" if len(shown) < len(row) else ""
    st.caption(
        f"What “{ui.escape_markdown(example.query_label)}” attends to in head {example.name}"
        f"{most}. The weights of a row sum to 1."
    )
other = telling_link(view.head(*head), 1, but=focus.query)[0]
ui.predict(questions.attends_most(view, other, *head))

st.subheader("What to take away")
cards = takeaways.takeaways(example)
for start in range(0, len(cards), CARDS_IN_A_ROW):
    for column, card in zip(
        st.columns(CARDS_IN_A_ROW), cards[start : start + CARDS_IN_A_ROW], strict=True
    ):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{card.title}**  \n{card.text}")
            st.metric(card.title, card.figure, label_visibility="collapsed")
            st.caption(ui.escape_markdown(card.meaning))
            link(card.link.page, card.link.label, card.link.state)

st.subheader("Three claims to break")
first, second, third = ui.tabs(takeaways.CLAIMS, key="claim")
with first:
    if first.open:
        understanding(chosen)
with second:
    if second.open:
        more_heads(chosen)
with third:
    if third.open:
        additive_or_dot(chosen, focus)
ui.closing()
