"""What the context page computes once and keeps, and the controls that its tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import streamlit as st

import attention
from attention.analysis import embeddings, words
from attention.analysis.telling import row_selectivity
from attention.analysis.words import View
from attention.arrays import Array
from attention.context import layer_runs, rnn_cnn
from attention.context import reach as context
from attention.context.layer_costs import LayerTime, time_layers
from attention.context.layer_runs import LENGTHS, WIDTHS
from attention.context.reach import ASKS, CONTROL, FILLER, READS, FarLook
from attention.models.model import Model
from attention.question import Question
from attention.ui import inputs
from attention.ui.controls import head_picker
from attention.ui.inputs import stepped
from attention.ui.measuring import alone
from attention.ui.readings import Reading, loaded, trace
from attention.ui.show import escape_markdown
from attention.wording import Head

_MOST_WORDS = 40  # of a text in the comparison of two
_SHOW_AFTER_SECONDS = 0.1  # quicker work shows no progress bar
_UNSTEADY = 2.0
_TIMES = "_layer_times"  # (width, kernel) -> what this visit has measured


def own_words(view: View) -> list[int]:
    """Return the positions of the text's own words: no special tokens, no white space."""
    return [k for k, unit in enumerate(view.units) if unit.ordinary]


def far_link(view: View) -> tuple[int, Head]:
    """Return the word in the first half that the last one is most selective for, and the head.

    In a decoder the first word counts only where there is no other.
    """
    own = own_words(view)
    early = own[: max(1, len(own) // 2)]
    if view.is_causal and len(early) > 1:
        early = early[1:]  # nearly every head rests its weight on the first word
    found = row_selectivity(view, own[-1])[..., early]  # (L, H, early words)
    layer, head, best = np.unravel_index(np.argmax(found), found.shape)
    return early[best], (int(layer), int(head))


def path_head(chosen: Reading) -> Head:
    """Draw the picker for the head that reads the sentence in the sidebar."""
    found, of = far_link(chosen.view)[1], (chosen.source,)
    return head_picker("Attention head", chosen.model, found, key="path_head", of=of)


@st.cache_resource(max_entries=64, show_spinner=False)
def recurrent_norms(
    model: str, text: str, merged: bool, hidden: int, gain: float, seed: int
) -> tuple[Array, Array]:
    """Return how much the last state of a tanh network, and of a GRU, moves with each word."""
    tokens = trace(model, text).input
    units = words.whole_words(tokens) if merged else words.pieces(tokens)
    own = [unit for unit in units if unit.ordinary]
    x = rnn_cnn.standardised(embeddings.unit_vectors(attention.load_model(model), tokens, own))
    tanh, gru = (
        rnn_cnn.random_cell(gates, x.shape[1], hidden, gain=gain, seed=seed)
        for gates in (rnn_cnn.TANH, rnn_cnn.GRU)
    )
    return rnn_cnn.input_norms(tanh, x), rnn_cnn.input_norms(gru, x)


@st.cache_resource(max_entries=16, show_spinner=False)
def kernel_weights(kernel: int, width: int, side: int) -> Array:
    """Return how much of a random convolution of this width weighs on each offset."""
    return context.kernel_shares(rnn_cnn.random_kernel(kernel, width, seed=0), side)


@st.cache_resource(max_entries=16, show_spinner=False)
def most_sentences(model: str) -> int:
    """Return how many sentences may stand in between for a model to read the text; -1 for none.

    And for the words that are looked at to be tokens of their own.
    """
    reader = loaded(model)

    def is_read(count: int, word: str) -> bool:
        try:
            units = words.whole_words(reader.tokenize(context.far_text(count, word)))
        except ValueError:  # too long for it
            return False
        return {word, ASKS} <= {unit.label for unit in units}

    counts = range(len(FILLER), -1, -1)
    return next((n for n in counts if all(is_read(n, word) for word in (READS, CONTROL))), -1)


def far_looks(model: str, counts: Sequence[int]) -> tuple[list[FarLook], list[FarLook]]:
    """Read texts with so many sentences in between, and the same with another word in its place.

    The first time this takes about a second, longer with a larger model; a bar shows how far it is.
    """
    slot, start = st.empty(), perf_counter()
    todo = [(count, word) for word in (READS, CONTROL) for count in counts]
    done: list[FarLook] = []
    for count, word in todo:
        done.append(_far_look(model, count, word))
        if perf_counter() - start > _SHOW_AFTER_SECONDS:
            slot.progress(len(done) / len(todo), f"Reading {len(todo)} texts")
    slot.empty()
    return done[: len(counts)], done[len(counts) :]


@st.cache_resource(max_entries=96, show_spinner=False)  # 0.1 MB each
def _far_look(model: str, count: int, word: str) -> FarLook:
    found = attention.load_model(model).trace(context.far_text(count, word))
    return context.far_look(found, words.whole_words(found.input), ASKS, word)


def length_and_width() -> tuple[int, int]:
    """Draw the sliders for the length and the width of a layer."""
    n = stepped("Tokens n", LENGTHS, 100, key="tokens")
    return n, stepped("Width d", WIDTHS, 64, key="wide")


def layer_times(width: int, kernel: int) -> tuple[list[LayerTime], str]:
    """Return the times of the three layers and where they come from; draw a button for new ones.

    Those that this visit has measured, or else those that are kept with the package.
    """
    kept: dict[tuple[int, int], list[LayerTime]] = st.session_state.setdefault(_TIMES, {})
    if st.button("Measure here", icon=":material/timer:", help="About a second"):
        slot = st.empty()
        kept[width, kernel] = alone(slot, lambda: time_layers(LENGTHS, width, kernel))
        slot.empty()
    if (width, kernel) in kept:
        return kept[width, kernel], "Measured on this machine, in this visit."
    made = escape_markdown(layer_runs.machine_text(layer_runs.stored()))
    return layer_runs.stored_times(width, kernel), (
        f"A stored run, not of this machine: {made}, made by `{layer_runs.COMMAND}`. "
        "“Measure here” times this one."
    )


def unsteady_note(times: Sequence[LayerTime], n: int) -> None:
    """Say so where the rounds at this length were not alike."""
    worst = max(time.median / time.low for time in times if time.n == n)
    if worst > _UNSTEADY:
        st.warning(
            f"Half the rounds took more than {worst:.1f} times as long as the fastest: other "
            "programs are using this machine. Measure again when it is quiet."
        )


def text_input(label: str, default: str, key: str, model: Model) -> str | None:
    """Draw a field for a short text; one that cannot be shown is answered with the reason.

    None where the model cannot read the field's example either.
    """
    typed = inputs.text(label, default, key=key, width=380)
    refusal = _refusal(model, typed)
    if refusal is None:
        return typed
    example_too = _refusal(model, default) is not None
    told = "Write one that fits." if example_too else "Below is its example."
    st.warning(f"{label}: {escape_markdown(refusal)} {told}")
    return None if example_too else default


def layers_question(kernel: int) -> Question:
    """Ask how many layers join two words that are 99 apart when each layer doubles its step."""
    answer, plain = (rnn_cnn.layers_to_connect(99, kernel, rule) or 0 for rule in (0, 1))
    reach = rnn_cnn.receptive_field(kernel, rnn_cnn.dilations(answer, 0)) // 2
    return Question(
        key="dilated",
        text=f"Every layer doubles its dilation: 1, 2, 4, … How many layers with a kernel of "
        f"{kernel} until a word sees one that is 99 words away?",
        options=tuple(str(n) for n in sorted({answer - 3, answer, 2 * answer, plain})),
        answer=str(answer),
        because=f"{answer} layers see {reach} words to either side. With a dilation of 1 in every "
        f"layer it takes {plain}, and attention takes one.",
    )


def ranks_question(look: FarLook) -> Question:
    """Ask how many heads still have the far word among the ten that they read most."""
    heads, within = look.rank.size, int((look.rank <= 10).sum())
    bins = {"none": 0, "1 to 5": 5, "6 to 20": 20, f"21 to {heads}": heads}
    return Question(
        key="far",
        text=f"“{READS}” stands {look.distance} tokens before “{ASKS}”. In how many of the {heads} "
        "heads is it still among the ten most read tokens?",
        options=tuple(bins),
        answer=next(name for name, most in bins.items() if within <= most),
        because=f"It is in {within} of {heads} heads. The others read something else: heads differ "
        "in what they look for, not in how far they can look.",
    )


def _refusal(model: Model, text: str) -> str | None:
    """Return why a text cannot be shown, if it cannot."""
    try:
        units = words.whole_words(model.tokenize(text))
    except ValueError as refusal:
        return str(refusal)
    count = sum(unit.ordinary for unit in units)
    if not count:
        return "There is no word in it."
    if count > _MOST_WORDS:
        return f"It has {count} words; two texts are compared up to {_MOST_WORDS} each."
    return None
