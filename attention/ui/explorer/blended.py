"""The explorer's start: whose scores, which vectors, and what can be said of their blend."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from attention import Blend, presets, scores_for, wording
from attention.analysis import embeddings, head_values, words
from attention.analysis.words import View
from attention.arrays import Array
from attention.ui.controls import layer_and_head, word
from attention.ui.inputs import choice
from attention.ui.readings import Focus, Reading
from attention.ui.show import escape_markdown, percent, show_check
from attention.wording import Head, head_name, spelled

LESSON, HEAD, EQUAL = "lesson", "head", "equal"
NEAREST = 8
BLENDED = {"input": "The words' input vectors", "own": "The head's own values"}
_PLAIN = "Out of use here: these weights are of whole words, without special tokens."


@dataclass(frozen=True, eq=False)
class Start:
    """Where the scores stand at first, and what they blend."""

    view: View  # the words that have a score
    base: Array  # (W,) scores
    vectors: Array  # (W, D)
    origin: str  # of the scores
    looking: str | None = None  # the word whose blend it is; None for any
    head: Head | None = None  # whose row it is
    row: Array | None = None  # (W,) the model's own
    own: bool = False  # the vectors are the head's values, not the vocabulary's

    def key(self, k: int) -> str:
        """Return a key for the slider of a word: a score belongs to one sentence and one start."""
        return f"r{k}-{zlib.crc32(f'{self.view.labels}{self.origin}'.encode()) % 0xFFFF:x}"


def start_picker(row: st.delta_generator.DeltaGenerator) -> Callable[[Reading], str | None]:
    """Return what draws the choice of a start, and says why it shows whole words only."""

    def pick(plain: Reading) -> str | None:
        given = plain.preset and presets.illustrated(plain.text, plain.view.words)
        names = {HEAD: "A real head", EQUAL: "Equal scores"}
        if given:
            own = "The lesson's weights" if given.from_lesson else "Illustrative weights"
            names = {LESSON: own, **names}
        with row:
            picked = choice("Start from", names, key="start")
        return _PLAIN if picked == LESSON else None

    return pick


def start_from(
    row: st.delta_generator.DeltaGenerator, chosen: Reading, focus: Focus, kind: str
) -> Start:
    """Draw what a start needs; return it, and say what its scores are and what they blend."""
    view = chosen.view
    if kind == HEAD:
        return _head_start(row, chosen, focus)
    vectors = embeddings.unit_vectors(chosen.model, chosen.trace.input, view.units)
    given = presets.illustrated(chosen.text, view.words)
    if kind == LESSON and given:
        named = ", ".join(f"{name} {percent(w)}" for name, w in given.weights.items())
        whose = "Illustrative, from the lesson" if given.from_lesson else "Illustrative"
        st.caption(
            f"{whose}, for “{given.query}”: {named}; the other words share the rest. "
            f"{_of_inputs(chosen)}"
        )
        # These are weights, so their scores are their logarithms.
        base = scores_for(presets.illustrative_weights(given, view.words))
        return Start(view, base - base.min(), vectors, kind, given.query)
    st.caption(f"Every word has the same score, whichever is looking. {_of_inputs(chosen)}")
    return Start(view, np.zeros(len(view.units)), vectors, kind)


def _head_start(row: st.delta_generator.DeltaGenerator, chosen: Reading, focus: Focus) -> Start:
    with row:
        query = word("Word that is looking", chosen.view, focus.query)
        own = choice("What is blended", BLENDED, key="blended") == "own"
    layer, head = layer_and_head(chosen.view, focus)
    view, asks = words.seen_by(chosen.view, query), chosen.view.units[query]
    base = words.row_scores(chosen.trace, view, layer, head, query)
    name = head_name((layer, head))
    if own:
        vectors = head_values.unit_outputs(
            chosen.model, chosen.trace, view.units, (layer, head), asks
        )
        st.caption(
            f"The weights are those of {name}. Blended: what it passes on itself, the value of "
            f"each word taken through the head's part of W_O, {vectors.shape[1]} numbers that it "
            "adds to the stream. The bias of W_O, which belongs to no head, is left out."
        )
    else:
        vectors = embeddings.unit_vectors(chosen.model, chosen.trace.input, view.units)
        st.caption(
            f"The weights are those of {name}. {_of_inputs(chosen)} The head itself passes on "
            "others: “The head's own values” shows them."
        )
    origin = f"{layer}.{head}.{query}"
    weights = view.weights[layer, head, query]
    return Start(view, base, vectors, origin, asks.label, (layer, head), weights, own)


def _of_inputs(chosen: Reading) -> str:
    return (
        f"Blended: the words' input vectors, the {chosen.model.word_embeddings.shape[1]} numbers "
        "that the model has learned for each entry of its vocabulary, before any layer."
    )


def explained(start: Start) -> str:
    """Say what the blend's bars are, below them."""
    if start.own:
        return (
            "No meanings are named here. A head's output is no word's vector: it is added to the "
            "stream of its layer, and what later layers take from it they have learned. A cosine "
            "with vectors of the vocabulary would name words, but measure no meaning."
        )
    return (
        "A word of several pieces has the mean of their vectors. The bars measure the cosine of "
        "the blend with another word's vector; each word's part is its weight times its own "
        "vector's share in it, so the parts add up to the bar."
    )


def told(chosen: Reading, start: Start, now: Blend, weights: Array) -> str:
    """Say in one sentence what the blend is made of and, of word vectors, what it is near."""
    most = leader(start, weights, "weigh")
    if start.own and start.head:
        made = leader(start, head_values.makes_up(now.contributions), "contribute")
        return (
            f"{head_name(start.head)} adds a vector of length {np.linalg.norm(now.output):.2f} to "
            f"“{start.looking}”. Along that vector {made}; by weight {most}."
        )
    whose = f"“{start.looking}” becomes a blend" if start.looking else "The blend is one"
    nearest = embeddings.nearest_words(chosen.model, now.output, NEAREST)
    named = ", ".join(f"{name} {cosine:.2f}" for name, cosine in nearest)
    return f"{whose} in which {most}. Nearest vocabulary words: {named or 'none'}."


def leader(start: Start, shares: Array, verb: str) -> str:
    """Say which word has the largest share, or that several or all have the same."""
    names = [spelled(start.view.labels, k) for k in range(len(shares))]
    return wording.leads(names, shares, percent(float(shares.max())), verb)


def check_row(start: Start, weights: Array) -> None:
    """Show whether the weights are the model's own row, where they started from one."""
    if start.head is None or start.row is None:
        return
    gap = float(np.abs(weights - start.row).max())
    show_check(
        f"weights: the model's own row at {head_name(start.head)}, largest difference {gap:.0e}",
        gap < 1e-6,
    )


def hidden_note(chosen: Reading, start: Start) -> None:
    """Say which words have no slider, as a decoder's later ones."""
    if hidden := len(chosen.view.units) - len(start.view.units):
        st.caption(
            f"Words that are hidden: {hidden}. {escape_markdown(chosen.model_name)} is a "
            "decoder: what comes later has no score, and no slider."
        )
