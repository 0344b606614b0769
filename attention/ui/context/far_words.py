"""The context page's tab on a head that attends to one word across more and more text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import perf_counter

import streamlit as st

import attention
from attention.analysis import words
from attention.context import charts, far_words
from attention.context import frames as context_frames
from attention.context.far_words import CONTROL_WORD, KEY_WORD, QUERY_WORD, FarAttention, FarSweep
from attention.context.questions import ranks_question
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.controls import head_picker
from attention.ui.questions import predict
from attention.ui.readings import Reading, loaded
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import head_name

FAR_COUNTS = (0, 2, 4, 8, 12, 17, 21, 25, 30, 34)  # sentences in between, of the sweep
FAR_HEAD = (2, 5)
_SHOW_AFTER_SECONDS = 0.1  # quicker work shows no progress bar
_FIGURE = "far-"
_CHARTS = {"Weight": charts.far_weights, "Rank": charts.far_ranks}


def far(chosen: Reading) -> None:
    """Draw how much one word attends to another across more and more text."""
    most = _most_sentences(chosen.model_name)
    if most < 1:
        widest = None if chosen.model.scoring is None else chosen.model.scoring.widest
        windows = f", attending to the last {widest}" if widest else ""
        st.info(
            f"{escape_markdown(chosen.model_name)} reads at most {chosen.model.longest_trace} "
            f"tokens at once{windows}, in pieces of its own: it cannot take in “{KEY_WORD}” and "
            f"“{QUERY_WORD}” as two words with sentences between them."
        )
        return
    sweep = _sweep(chosen, most)
    notice(sweep.sentence)
    predict(ranks_question(sweep.measured[-1]))
    _against_distance(sweep)
    offer(ViewCode(partial(_code, chosen, sweep), f"{_FIGURE}Weight", text="far words"))
    _largest_weights(chosen, sweep)


def _sweep(chosen: Reading, most: int) -> FarSweep:
    """Draw the controls; run the model on texts with up to `most` sentences in between."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = inputs.slider(
            "Sentences in between", 0, most, min(17, most), key="between", width=280
        )
        of = (chosen.model_name,)
        head = head_picker("Head to compare", chosen.model, FAR_HEAD, key="far_head", of=of)
    counts = sorted({*(n for n in FAR_COUNTS if n < most), most, count})
    return FarSweep(counts, count, *_measure(chosen.model_name, counts), head)


def _measure(model: str, counts: Sequence[int]) -> tuple[list[FarAttention], list[FarAttention]]:
    """Run texts with so many sentences in between, and the same with another word as the key.

    The first time this takes about a second, longer with a larger model; a bar shows how far it is.
    """
    slot, start = st.empty(), perf_counter()
    todo = [(count, word) for word in (KEY_WORD, CONTROL_WORD) for count in counts]
    done: list[FarAttention] = []
    for count, word in todo:
        done.append(_far_attention(model, count, word))
        if perf_counter() - start > _SHOW_AFTER_SECONDS:
            slot.progress(len(done) / len(todo), f"Reading {len(todo)} texts")
    slot.empty()
    return done[: len(counts)], done[len(counts) :]


@st.cache_resource(max_entries=96, show_spinner=False)  # 0.1 MB each
def _far_attention(model: str, count: int, word: str) -> FarAttention:
    trace = attention.load_model(model).trace(far_words.far_text(count, word))
    return far_words.far_attention(trace, words.whole_words(trace.input), QUERY_WORD, word)


@st.cache_resource(max_entries=16, show_spinner=False)
def _most_sentences(model: str) -> int:
    return far_words.longest_far_text(loaded(model))


def _code(chosen: Reading, sweep: FarSweep) -> str:
    imported, drawing = drawn_last(f"{_FIGURE}Weight").code()
    imports = [
        "import attention",
        "from attention import plot",
        "from attention.analysis.words import whole_words",
        "from attention.context.far_words import (",
        "    CONTROL_WORD, KEY_WORD, QUERY_WORD, FarSweep, far_attention, far_text",
        ")",
        "from attention.context.frames import far_frame",
        imported,
    ]
    return script(imports, [
        f"model = attention.load_model({chosen.model_name!r})",
        f"counts = {sweep.counts}  # sentences in between",
        "",
        "def measured(count, word):",
        "    trace = model.trace(far_text(count, word))",
        "    return far_attention(trace, whole_words(trace.input), QUERY_WORD, word)",
        "",
        "both = [[measured(n, word) for n in counts] for word in (KEY_WORD, CONTROL_WORD)]",
        f"sweep = FarSweep(counts, {sweep.count}, *both, {sweep.head})",
        "data = far_frame(sweep.series)",
        *drawing,
        "print(sweep.sentence)",
    ])  # fmt: skip


def _against_distance(sweep: FarSweep) -> None:
    data = context_frames.far_frame(sweep.series)
    for column, (title, build) in zip(st.columns(2, gap="large"), _CHARTS.items(), strict=True):
        with column:
            st.subheader(title)
            draw(
                build,
                data,
                key=f"{_FIGURE}{title}",
                alt_text=f"{title} of the far word against distance",
                series=tuple(sweep.series),
                chosen=sweep.chosen.distance,
            )
    st.caption(
        f"{len(sweep.counts)} texts of {sweep.measured[0].tokens} to {sweep.measured[-1].tokens} "
        "tokens, each through the whole model. Dashed: the chosen text, and the weight if every "
        "token got the same. The head that keeps it best is the one whose smallest weight over "
        "these texts is the largest. From the second layer on, a word's place also holds what the "
        "word has taken over from others before."
    )
    st.latex(r"w_{qk} = \mathrm{softmax}_k\!\left(\frac{q \cdot k}{\sqrt{E}}\right)")
    st.caption(f"One product of q and k, at distance 1 as at distance {sweep.chosen.distance}.")


def _largest_weights(chosen: Reading, sweep: FarSweep) -> None:
    """Show the tokens with the largest weights in the chosen text, and the text."""
    text = far_words.far_text(sweep.count)
    labels = [unit.label for unit in words.pieces(chosen.model.tokenize(text))]
    st.subheader(f"What “{QUERY_WORD}” attends to most in {head_name(sweep.best)}")
    st.dataframe(
        context_frames.most_attended_frame(sweep.chosen, sweep.best, labels, 5),
        hide_index=True,
        width="content",
        column_config={"Weight": st.column_config.NumberColumn(format="%.3f")},
        alt="The five tokens with the largest weights",
    )
    with st.expander("The text", icon=":material/article:"):
        st.text(text)
