"""The explorer's experiment: scores to move, and the weights and the blend that follow."""

from __future__ import annotations

import zlib
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from attention import presets
from attention.analysis import embeddings, frames, words
from attention.charts.blend import blend_bars, weight_bars
from attention.pipeline.blending import MOST_MOVABLE, BlendedWords, BlendStart
from attention.ui.controls import meanings_input
from attention.ui.inputs import choice, slider
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, show_check, table
from attention.wording import head_name

MOST_MEANINGS = 12
DIMENSIONS = 12
VIEWS = {"meanings": "Meanings", "dims": "Raw dimensions"}


def relevance_scores(chosen: Reading, start: BlendStart) -> BlendedWords:
    """Draw the scores and the temperature; return what they make of the words."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.subheader("Relevance scores")
        button = st.container(width="content")
    _notes(chosen, start)
    temperature = slider("Temperature", 0.1, 5.0, 1.0, 0.1, key="temperature", width=200)
    scores = start.base.copy()
    with st.container(height=440, horizontal=True):
        for k in start.movable:
            scores[k] = _score(start, k)
    blended = BlendedWords(start, scores, temperature)
    button.button(
        "Reset", icon=":material/restart_alt:", on_click=partial(_reset, start),
        disabled=blended.untouched, help="Scores and temperature, as they were at first",
    )  # fmt: skip
    return blended


def draw_weights(blended: BlendedWords) -> None:
    """Draw the weights beside those at the start, and what holds of them."""
    start, weights, labels = blended.start, blended.weights, blended.labels
    st.subheader("Weights after softmax")
    folded, before = (words.fold(row, start.movable) for row in (weights, start.weights))
    draw(
        weight_bars,
        frames.weight_frame(labels, folded, before),
        key="weights",
        alt_text=f"Weights of {len(labels)} words: {blended.leader}",
        labels=labels,
    )
    with st.container(horizontal=True):
        show_check(f"none negative: smallest {weights.min():.2g}", weights.min() >= 0)
        show_check(f"sum {weights.sum():.6f}", abs(weights.sum() - 1) < 1e-6)
        if start.head and (gap := blended.row_gap) is not None:
            name = head_name(start.head)
            show_check(f"weights: the model's own row at {name}, largest difference {gap:.0e}",
                       gap < 1e-6)  # fmt: skip


def draw_output(chosen: Reading, blended: BlendedWords) -> None:
    """Draw the blend as meanings or as raw dimensions."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.subheader("Blended output")
        kind = "dims" if blended.start.own else choice("Show as", VIEWS, key="as")
    names: tuple[str, ...] = ()
    if kind == "meanings":
        near = [name for name, _ in blended.nearest(chosen.model)]
        names = meanings_input(chosen, near, MOST_MEANINGS)
    bars = _meanings(chosen, blended, names) if names else _dimensions(blended)
    draw(
        blend_bars,
        bars.frame,
        key="blend",
        alt_text=f"The blended output: {bars.title}",
        labels=tuple(bars.frame.drop_duplicates("s")["meaning"]),
        words=len(blended.labels),
        title=bars.title,
        domain=frames.stack_domain(bars.frame, bars.step, bars.limit),
    )
    st.caption("Each colour is a word, as above. Grey marks: at the start.")


def draw_formula(blended: BlendedWords) -> None:
    """Write softmax and the blend out with the numbers of this moment."""
    st.subheader("The formula, with these numbers")
    st.latex(
        r"w_k = \frac{e^{s_k / t}}{\sum_j e^{s_j / t}} \qquad\qquad"
        r"\mathrm{output} = \sum_k w_k\, v_k"
    )
    table(
        ("word", "e to the score / t", "weight"),
        presets.softmax_receipt(blended.start.view.labels, blended.scores, blended.temperature),
    )


class _Bars(NamedTuple):
    """The rows of the blend's chart, and how its axis goes."""

    frame: pd.DataFrame
    title: str
    step: float
    limit: float


def _meanings(chosen: Reading, blended: BlendedWords, names: tuple[str, ...]) -> _Bars:
    directions = np.stack([embeddings.word_vector(chosen.model, name) for name in names])
    frame = frames.blend_frame(blended.labels, blended.folded, blended.before, names, directions)
    return _Bars(frame, "cosine of the blend with the meaning", 0.25, 1.0)


def _dimensions(blended: BlendedWords) -> _Bars:
    frame = frames.dimension_frame(blended.labels, blended.folded, blended.before, DIMENSIONS)
    title = f"{DIMENSIONS} of {len(blended.before)} dimensions, those furthest from 0"
    return _Bars(frame, title, 0.02, np.inf)


def _notes(chosen: Reading, start: BlendStart) -> None:
    """Say which words have no slider: those that weigh little, and a decoder's later ones."""
    if start.rest:
        st.warning(
            f"The text has {len(start.base)} words. The {MOST_MOVABLE} that weigh most have a "
            f"slider; the other {start.rest} keep the score they start with."
        )
    if hidden := len(chosen.view.units) - len(start.view.units):
        st.caption(
            f"Words that are hidden: {hidden}. {escape_markdown(chosen.model_name)} is a "
            "decoder: what comes later has no score, and no slider."
        )


def _score(start: BlendStart, k: int) -> float:
    """Draw the slider of one word, around where the scores start."""
    return slider(
        escape_markdown(start.view.labels[k]),
        float(np.floor(start.base.min())) - 4,
        float(np.ceil(start.base.max())) + 4,
        float(start.base[k]),
        0.01,
        key=_key(start, k),
        width=120,
    )


def _key(start: BlendStart, k: int) -> str:
    """Return a key for the slider of a word: a score belongs to one sentence and one start."""
    return f"r{k}-{zlib.crc32(f'{start.view.labels}{start.origin}'.encode()) % 0xFFFF:x}"


def _reset(start: BlendStart) -> None:
    """Put every slider back where it started."""
    scores = {_key(start, k): float(start.base[k]) for k in start.movable}
    st.session_state.update(scores, temperature=1.0)
