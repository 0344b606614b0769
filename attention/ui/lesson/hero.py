"""The top of the lesson: the sentence, lines from one word to all, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from attention.analysis import links
from attention.charts.links import word_links
from attention.lesson import frames as lesson_frames
from attention.lesson.takeaways import LessonExample
from attention.models.registry import full_name
from attention.ui.code_lines import of_view, only
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown
from attention.ui.view_code import ViewCode, offer

_MOST_WORDS = 18  # that stand in the picture at the same time
_STRONGEST = 9  # of a long text, wherever they are
_HERO = "hero"


def click() -> None:
    """Make the clicked word the query, on the whole page."""
    for word in st.session_state[_HERO]["selection"]["query"]:
        st.session_state["word"] = word["q"]


def hero(example: LessonExample, chosen: Reading) -> None:
    """Draw lines from a word to all that it attends to, with bars and what the others give."""
    view, count = example.view, len(example.view.units)
    strongest = np.argsort(-example.row, kind="stable")[:_STRONGEST].tolist()
    shown = links.shown_words(count, example.query, strongest, _MOST_WORDS)
    draw(
        word_links,
        lesson_frames.hero_frame(view, (example.layer, example.head), shown, example.query),
        key=_HERO,
        alt_text=f"Lines from each of {len(shown)} words to the words that it attends to",
        on_select=click,
        selection="query",
        count=len(shown),
        longest=max(len(view.labels[i]) for i in shown),
        names=tuple(f"H{head}" for head in range(view.weights.shape[1])),
        several=False,
        bars=True,
    )
    offer(ViewCode(partial(_code, example, chosen, shown), _HERO, chosen.trace, chosen.text))
    layers, heads = view.weights.shape[:2]
    model = escape_markdown(full_name(chosen.model_name))
    st.caption(
        f"Head {example.name} of {model}, {layers} layers of {heads} heads, "
        f"computed now. Bars: the weights of “{escape_markdown(example.query_label)}”; all of "
        "them sum to 1. Grey marks: what the other words give the same word, on average."
    )
    if left_out := links.left_out_sentence("The text has", "the picture shows", count, shown):
        st.caption(left_out)


def _code(example: LessonExample, chosen: Reading, shown: Sequence[int]) -> str:
    place = f"{example.layer}, {example.head}"
    drawn = only(shown, example.view)
    return of_view(chosen, (), [
        f"chart = plot.links(view, query={example.query}, heads=[({place})]{drawn})",
        f'print(f"{{view.weights[{place}, {example.query}, {example.key}]:.2f}}")',
    ])  # fmt: skip
