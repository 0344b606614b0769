"""The context page's tab on one word in two texts."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from attention.arrays import Array
from attention.context import charts
from attention.context import frames as context_frames
from attention.context.two_texts import WordInTwoTexts, refusal_of_text, shared_words
from attention.ui import inputs
from attention.ui.context.both import BothTexts, both_texts
from attention.ui.controls import head_picker
from attention.ui.readings import Reading
from attention.ui.short_text import short_text
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

PAIR = ("I deposited money at the bank", "We fished by the bank of the river")
_FIGURE = "similarity"
_CAUSAL = (
    " This model is a decoder: no word attends to what comes later, and many heads rest on the "
    "first word; the sentence above names another where there is one."
)


def pair(chosen: Reading) -> None:
    """Draw one word in two texts: what it attends to, and how its vectors come apart."""
    texts = _texts(chosen)
    if texts is None:
        return
    shown = both_texts(chosen, texts)
    picked = _word_and_head(chosen, shown)
    if picked:
        both, head = picked
        notice(both.sentence(head))
        _rows(both, head)
        _similarity(chosen, both)
        offer(ViewCode(partial(_code, shown, both, head), _FIGURE, text=both.word))


def _code(shown: BothTexts, both: WordInTwoTexts, head: Head) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    imports = [
        "from attention.context.frames import similarity_frame",
        "from attention.context.two_texts import WordInTwoTexts",
        imported,
    ]
    return shown.code(imports, [
        f"both = WordInTwoTexts({both.word!r}, traces, views)",
        f"series = dict(zip({tuple(_series(both))!r}, (both.alike, both.unlike)))",
        "data = similarity_frame(both.bare(model), series)",
        *drawing,
        f"print(both.sentence({head}))",
    ])  # fmt: skip


def _texts(chosen: Reading) -> tuple[str, str] | None:
    """Draw the fields for both texts; None where the model can read neither them nor examples."""

    def field(number: int, label: str, key: str) -> str | None:
        refusal = partial(refusal_of_text, chosen.model)
        return short_text(label, PAIR[number], refusal, key=key, width=380)

    with st.container(horizontal=True):
        one, other = field(0, "First text", "first"), field(1, "Second text", "second")
    return None if one is None or other is None else (one, other)


def _word_and_head(chosen: Reading, shown: BothTexts) -> tuple[WordInTwoTexts, Head] | None:
    """Draw the pickers; None, with a sentence, where the texts share no word."""
    views = shown.views
    shared = shared_words(*views)
    if not shared:
        st.info("The two texts have no word in common. Use the same word in both.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        word = inputs.select("Word in both", shared, shared[0], key="shared", width=200)
        both = WordInTwoTexts(word, shown.traces, views)
        of = shown.model, *shown.texts, word
        head = head_picker("Head", chosen.model, both.telling_head, key="pair_head", of=of)
    return both, head


def _rows(both: WordInTwoTexts, head: Head) -> None:
    st.subheader("What it attends to")
    for second, column in enumerate(st.columns(2, gap="large")):
        view = both.views[second]
        with column:
            st.markdown(("**First text**", "**Second text**")[second])
            draw(
                charts.pair_row,
                context_frames.pair_row_frame(view, both.queries[second], head),
                key=f"pair-{second}",
                alt_text=f"The row of the word in text {second + 1}",
                labels=view.labels,
                second=bool(second),
            )
    st.caption(
        "The same weights of the same model make both rows; only the words differ. A convolution "
        "would weigh the neighbours alike in both texts. The query itself is framed."
        + (_CAUSAL if both.views[0].is_causal else "")
    )


def _series(both: WordInTwoTexts) -> dict[str, Array]:
    return {
        "the same word in both texts": both.alike,
        "two different words, on average": both.unlike,
    }


def _similarity(chosen: Reading, both: WordInTwoTexts) -> None:
    """Draw the cosine between a word's two vectors, from the bare word to the last layer."""
    series = _series(both)
    data = context_frames.similarity_frame(both.bare(chosen.model), series)
    after = (f"after L{layer}" for layer in range(len(both.alike) - 1))
    st.subheader("How alike its two vectors are")
    draw(
        charts.similarity_lines,
        data,
        key=_FIGURE,
        alt_text="Cosine between the vectors of the same word in two texts, stage by stage",
        stages=("bare word", "input", *after),
        series=tuple(series),
        low=float(np.floor(min(data["cosine"].min(), 0.0) * 10) / 10),
    )
    st.latex(r"\cos(a, b) = \frac{a \cdot b}{|a|\,|b|}")
    st.caption(
        f"{both.origin(chosen.model)} What comes after is the work of attention, the only part "
        "that carries anything from word to word."
    )
