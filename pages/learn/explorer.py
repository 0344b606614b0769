"""Explorer: adjust the relevance of each word and see the blended output shift."""

import zlib
from dataclasses import replace

import numpy as np
import streamlit as st

from attention import (
    Blend,
    blend,
    frames,
    lesson,
    meanings,
    questions,
    scores_for,
    softmax,
    ui,
    words,
)
from attention.charts.blend import blend_bars, weight_bars

MOST_SLIDERS = 24
MOST_MEANINGS = 12
DIMENSIONS = 12
STARTS = {"lesson": "The lesson's weights", "head": "A real head", "equal": "Equal scores"}

st.title("Explorer")
st.markdown(
    "**What does a word become when it reads the others?** Give every word a relevance score. "
    "Softmax turns the scores into weights, and the weights blend the words' vectors into one."
)
chosen = ui.reading()
focus = ui.focus(chosen, word=lambda f: f.query, layer=lambda f: f.layer, head=lambda f: f.head)

with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Word that is looking", chosen.view, focus.query)
    looking = chosen.view.labels[query]
    illustrated = lesson.illustrated(chosen.text, chosen.view.words[query])
    start = ui.choice(
        "Start from", {s: STARTS[s] for s in STARTS if illustrated or s != "lesson"}, key="start"
    )
    temperature = st.slider(
        "Temperature", 0.1, 5.0, 1.0, 0.1, key="temperature", bind="query-params", width=200
    )

# The scores to start from. The lesson gives weights, so its scores are their logarithms.
if start == "head":
    layer, head = ui.layer_and_head(chosen.view, focus)
    view = words.seen_by(chosen.view, query)
    base = words.row_scores(chosen.trace, view, layer, head, query)
    origin = f"{layer}.{head}.{query}"
else:
    view, origin = replace(chosen, special=False).view, start
    base = np.zeros(len(view.units))
    if illustrated and start == "lesson":
        base = scores_for(lesson.illustrative_weights(illustrated, view.words))
        base -= base.min()
before = softmax(base)
movable = sorted(np.argsort(-before, kind="stable")[:MOST_SLIDERS].tolist())
rest = len(base) - len(movable)
mark = zlib.crc32(f"{view.labels}{origin}".encode())  # a score belongs to this sentence and start
keys = {k: f"r{k}-{mark % 0xFFFF:x}" for k in movable}


def reset() -> None:
    """Put every slider back where it started."""
    st.session_state.update({keys[k]: float(base[k]) for k in movable})


@st.fragment  # a score that moves sends what depends on it, not the whole page
def experiment() -> None:
    """Let the reader move the scores, and show what follows from them."""
    note = st.container()
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Relevance scores")
            st.button("Reset", icon=":material/restart_alt:", on_click=reset)
        if rest:
            st.warning(
                f"The text has {len(base)} words. The {MOST_SLIDERS} that weigh most have a "
                f"slider; the other {rest} keep the score they start with."
            )
        if hidden := len(chosen.view.units) - len(view.units) if start == "head" else 0:
            st.caption(
                f"Words that are hidden: {hidden}. {ui.escape_markdown(chosen.model_name)} is a "
                "decoder: what comes later has no score, and no slider."
            )
        scores = base.copy()
        with st.container(height=440, horizontal=True):
            for k in movable:
                scores[k] = st.slider(
                    ui.escape_markdown(view.labels[k]),
                    float(np.floor(base.min())) - 4,
                    float(np.ceil(base.max())) + 4,
                    float(base[k]),
                    0.01,
                    key=keys[k],
                    bind="query-params",
                    width=120,
                )

    weights = softmax(scores, temperature=temperature)
    values = meanings.unit_vectors(chosen.model, chosen.trace.input, view.units)
    now, then = blend(weights, values), blend(before, values).output
    nearest = meanings.nearest_words(chosen.model, now.output, 8)
    strongest = int(np.argmax(weights))
    labels = tuple(view.labels[k] for k in movable) + ((f"{rest} others",) if rest else ())
    folded = Blend(now.output, words.fold(now.contributions, movable))

    with right:
        st.subheader("Weights after softmax")
        ui.draw(
            weight_bars,
            frames.weight_frame(labels, words.fold(weights, movable), words.fold(before, movable)),
            key="weights",
            alt_text=f"Weights of {len(labels)} words; {view.labels[strongest]} weighs most",
            labels=labels,
        )
        with st.container(horizontal=True):
            ui.check(f"none negative: smallest {weights.min():.2g}", weights.min() >= 0)
            ui.check(f"sum {weights.sum():.6f}", abs(weights.sum() - 1) < 1e-6)
            if start == "head":
                gap = float(np.abs(weights - view.weights[layer, head, query]).max())
                ui.check(
                    f"the model's own row at L{layer} H{head}, largest difference {gap:.0e}",
                    gap < 1e-6,
                )
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Blended output")
            kind = ui.choice(
                "Show as", {"meanings": "Meanings", "dims": "Raw dimensions"}, key="as"
            )
        if kind == "meanings":
            names = ui.meanings_input(chosen, [word for word, _ in nearest], MOST_MEANINGS)
            directions = np.stack([meanings.word_vector(chosen.model, name) for name in names])
            frame = frames.blend_frame(labels, folded, then, names, directions)
            title = "cosine of the blend with the meaning"
        else:
            frame = frames.dimension_frame(labels, folded, then, DIMENSIONS)
            title = f"{DIMENSIONS} of {len(then)} dimensions, those furthest from 0"
        bars = frame.drop_duplicates("s")
        ui.draw(
            blend_bars,
            frame,
            key="blend",
            alt_text=f"The blend is nearest to {nearest[0][0]}",
            labels=tuple(bars["meaning"]),
            words=len(labels),
            title=title,
            domain=frames.stack_domain(frame, 0.25 if kind == "meanings" else 0.02),
        )
        st.caption("Each colour is a word, as above. Grey marks: at the start.")

    with note:
        ui.notice(
            f"“{looking}” becomes a blend in which “{view.labels[strongest]}” weighs most "
            f"({ui.percent(weights[strongest])}). Nearest vocabulary words: "
            + ", ".join(f"{word} {cosine:.2f}" for word, cosine in nearest)
            + f". At the start: {meanings.nearest_words(chosen.model, then, 1)[0][0]}."
        )

    st.subheader("The formula, with these numbers")
    st.latex(
        r"w_k = \frac{e^{s_k / t}}{\sum_j e^{s_j / t}} \qquad\qquad"
        r"\mathrm{output} = \sum_k w_k\, v_k"
    )
    ui.table(
        ("word", "e to the score / t", "weight"),
        lesson.softmax_receipt(view.labels, scores, temperature),
    )


experiment()
st.caption(
    f"The values v are {chosen.model.word_embeddings.shape[1]} numbers per word: the vectors that "
    "the model itself has learned for its vocabulary, before any layer. A word of several pieces "
    "has the mean of theirs. The bars measure the cosine of the blend with another word's vector; "
    "each word's part is its weight times its own vector's share in it, so the parts add up to the "
    "bar."
)
ui.predict(questions.flattened(view.labels, base))
ui.saving_hint()
