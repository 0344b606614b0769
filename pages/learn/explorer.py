"""Explorer: adjust the relevance of each word and see the blended output shift."""

import numpy as np
import streamlit as st

from attention import Blend, blend, presets, softmax, ui
from attention.analysis import embeddings, frames, words
from attention.charts.blend import blend_bars, weight_bars
from attention.pipeline import questions
from attention.ui.address import publish_fragment
from attention.ui.explorer import blended

MOST_SLIDERS = 24
MOST_MEANINGS = 12
DIMENSIONS = 12
VIEWS = {"meanings": "Meanings", "dims": "Raw dimensions"}

st.title("Explorer")
st.markdown(
    "**What does a word become when it reads the others?** Give every word a relevance score. "
    "Softmax turns the scores into weights, and the weights blend the words' vectors into one."
)
row = st.container(horizontal=True, vertical_alignment="bottom")
chosen = ui.reading(words_only=blended.start_picker(row))
focus = ui.focus(chosen)
start = blended.start_from(row, chosen, focus, st.session_state["start"])
view, base = start.view, start.base
before = softmax(base)
movable = sorted(np.argsort(-before, kind="stable")[:MOST_SLIDERS].tolist())
rest = len(base) - len(movable)


def reset() -> None:
    """Put every slider back where it started."""
    st.session_state.update({start.key(k): float(base[k]) for k in movable}, temperature=1.0)


@st.fragment  # a score that moves sends what depends on it, not the whole page
def experiment() -> None:
    """Let the reader move the scores, and show what follows from them."""
    note = st.container()
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Relevance scores")
            button = st.container(width="content")
        if rest:
            st.warning(
                f"The text has {len(base)} words. The {MOST_SLIDERS} that weigh most have a "
                f"slider; the other {rest} keep the score they start with."
            )
        blended.hidden_note(chosen, start)
        temperature = ui.slider("Temperature", 0.1, 5.0, 1.0, 0.1, key="temperature", width=200)
        scores = base.copy()
        with st.container(height=440, horizontal=True):
            for k in movable:
                scores[k] = ui.slider(
                    ui.escape_markdown(view.labels[k]),
                    float(np.floor(base.min())) - 4,
                    float(np.ceil(base.max())) + 4,
                    float(base[k]),
                    0.01,
                    key=start.key(k),
                    width=120,
                )
        untouched = temperature == 1 and bool((scores == base).all())
        button.button(
            "Reset", icon=":material/restart_alt:", on_click=reset, disabled=untouched,
            help="Scores and temperature, as they were at first",
        )  # fmt: skip

    weights = softmax(scores, temperature=temperature)
    now, then = blend(weights, start.vectors), blend(before, start.vectors).output
    labels = tuple(view.labels[k] for k in movable) + ((f"{rest} others",) if rest else ())
    folded = Blend(now.output, words.fold(now.contributions, movable))

    with right:
        st.subheader("Weights after softmax")
        ui.draw(
            weight_bars,
            frames.weight_frame(labels, words.fold(weights, movable), words.fold(before, movable)),
            key="weights",
            alt_text=f"Weights of {len(labels)} words: {blended.leader(start, weights, 'weigh')}",
            labels=labels,
        )
        with st.container(horizontal=True):
            ui.show_check(f"none negative: smallest {weights.min():.2g}", weights.min() >= 0)
            ui.show_check(f"sum {weights.sum():.6f}", abs(weights.sum() - 1) < 1e-6)
            blended.check_row(start, weights)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Blended output")
            kind = "dims" if start.own else ui.choice("Show as", VIEWS, key="as")
        names: tuple[str, ...] = ()
        if kind == "meanings":
            nearest = embeddings.nearest_words(chosen.model, now.output, blended.NEAREST)
            names = ui.meanings_input(chosen, [word for word, _ in nearest], MOST_MEANINGS)
        if names:
            directions = [embeddings.word_vector(chosen.model, name) for name in names]
            frame = frames.blend_frame(labels, folded, then, names, np.stack(directions))
            title, step, limit = "cosine of the blend with the meaning", 0.25, 1.0
        else:
            frame = frames.dimension_frame(labels, folded, then, DIMENSIONS)
            title = f"{DIMENSIONS} of {len(then)} dimensions, those furthest from 0"
            step, limit = 0.02, np.inf
        ui.draw(
            blend_bars,
            frame,
            key="blend",
            alt_text=f"The blended output: {title}",
            labels=tuple(frame.drop_duplicates("s")["meaning"]),
            words=len(labels),
            title=title,
            domain=frames.stack_domain(frame, step, limit),
        )
        st.caption("Each colour is a word, as above. Grey marks: at the start.")

    with note:
        ui.notice(blended.told(chosen, start, now, weights))

    st.subheader("The formula, with these numbers")
    st.latex(
        r"w_k = \frac{e^{s_k / t}}{\sum_j e^{s_j / t}} \qquad\qquad"
        r"\mathrm{output} = \sum_k w_k\, v_k"
    )
    ui.table(
        ("word", "e to the score / t", "weight"),
        presets.softmax_receipt(view.labels, scores, temperature),
    )
    publish_fragment()


experiment()
st.caption(blended.explained(start))
ui.predict(questions.flattened(view.labels, base))
ui.saving_hint()
