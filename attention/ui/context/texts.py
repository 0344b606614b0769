"""The context page's tabs on what the model reads across a long text, and in two texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from attention.analysis import embeddings, words
from attention.analysis.sentences import telling_word
from attention.analysis.words import View
from attention.arrays import Array
from attention.context import charts, reach
from attention.context import frames as context_frames
from attention.context.reach import ASKS, CONTROL, READS
from attention.models.trace import Trace
from attention.ui import inputs
from attention.ui.context import work
from attention.ui.controls import head_picker, view_toggles
from attention.ui.questions import predict
from attention.ui.readings import Reading, trace
from attention.ui.show import draw, escape_markdown, notice, percent, unknown_words
from attention.wording import head_name

FAR_COUNTS = (0, 2, 4, 8, 12, 17, 21, 25, 30, 34)  # sentences in between, of the sweep
FAR_HEAD = (2, 5)
PAIR = ("I deposited money at the bank", "We fished by the bank of the river")


def far(chosen: Reading) -> None:
    """Draw how much one word reads of another across more and more text."""
    most = work.most_sentences(chosen.model_name)
    if most < 1:
        st.info(
            f"{escape_markdown(chosen.model_name)} reads at most {chosen.model.longest_trace} "
            f"tokens at once, in pieces of its own: it cannot read “{READS}” and “{ASKS}” as two "
            "words with sentences between them."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = inputs.slider(
            "Sentences in between", 0, most, min(17, most), key="between", width=280
        )
        of = (chosen.model_name,)
        head = head_picker("Head to compare", chosen.model, FAR_HEAD, key="far_head", of=of)
    counts = sorted({*(n for n in FAR_COUNTS if n < most), most, count})
    looks, controls = work.far_looks(chosen.model_name, counts)
    best = reach.keeps_best(looks)
    look, control = looks[counts.index(count)], controls[counts.index(count)]
    notice(
        f"“{ASKS}” reads “{READS}” across {look.distance} tokens in one step: "
        f"{head_name(best)} gives it {percent(float(look.weight[best]))}, rank "
        f"{look.rank[best]} of {look.tokens}; {head_name(head)} {percent(float(look.weight[head]))}"
        f", rank {look.rank[head]}. With “{CONTROL}” in its place {head_name(best)} gives "
        f"{percent(float(control.weight[best]))}, rank {control.rank[best]}."
    )
    predict(work.ranks_question(looks[-1]))
    series = {
        f"{head_name(best)}, which keeps it best": (looks, best),
        f"{head_name(head)}, your choice": (looks, head),
        f"{head_name(best)}, “{CONTROL}” in place of “{READS}”": (controls, best),
    }
    data = context_frames.far_frame(series)
    pictures = {"Weight": charts.far_weights, "Rank": charts.far_ranks}
    for column, (title, build) in zip(st.columns(2, gap="large"), pictures.items(), strict=True):
        with column:
            st.subheader(title)
            draw(
                build,
                data,
                key=f"far-{title}",
                alt_text=f"{title} of the far word against distance",
                series=tuple(series),
                chosen=look.distance,
            )
    st.caption(
        f"{len(counts)} texts of {looks[0].tokens} to {looks[-1].tokens} tokens, each through the "
        "whole model. Dashed: the chosen text, and the weight if every token got the same. The "
        "head that keeps it best is the one whose smallest weight over these texts is the largest. "
        "From the second layer on, a word's place also holds what the word has read before."
    )
    st.latex(r"w_{qk} = \mathrm{softmax}_k\!\left(\frac{q \cdot k}{\sqrt{E}}\right)")
    st.caption(f"One product of q and k, at distance 1 as at distance {look.distance}.")
    text = reach.far_text(count)
    st.subheader(f"What “{ASKS}” reads most in {head_name(best)}")
    st.dataframe(
        context_frames.most_read_frame(look, best, _labels(chosen, text), 5),
        hide_index=True,
        width="content",
        column_config={"Weight": st.column_config.NumberColumn(format="%.3f")},
        alt="The five tokens that are read most",
    )
    with st.expander("The text", icon=":material/article:"):
        st.text(text)


def _labels(chosen: Reading, text: str) -> list[str]:
    return [unit.label for unit in words.pieces(chosen.model.tokenize(text))]


def pair(chosen: Reading) -> None:
    """Draw one word in two texts: what it reads, and how its vectors come apart."""
    with st.container(horizontal=True):
        fields = zip(("First text", "Second text"), PAIR, ("first", "second"), strict=True)
        typed = [work.text_input(*field, chosen.model) for field in fields]
    texts = [text for text in typed if text is not None]
    if len(texts) < 2:
        return
    with st.sidebar:
        merged, special = view_toggles(chosen.model_name, texts)
    traces = [trace(chosen.model_name, text) for text in texts]
    views = [words.view(t, words=merged, special=special) for t in traces]
    unknown_words(chosen.model_name, [unit for view in views for unit in view.units])
    shared = reach.shared_words(*views)
    if not shared:
        st.info("The two texts have no word in common. Use the same word in both.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        both = inputs.select("Word in both", shared, shared[0], key="shared", width=200)
        queries = [view.find(both) or 0 for view in views]
        telling = reach.changing_head(views[0], views[1], (queries[0], queries[1]))
        of = chosen.model_name, *texts, both
        head = head_picker("Head", chosen.model, telling, key="pair_head", of=of)
    reads = [telling_word(view, q, head) for view, q in zip(views, queries, strict=True)]
    alike = reach.cosine(
        *(reach.contextual(t, v.units[q]) for t, v, q in zip(traces, views, queries, strict=True))
    )
    notice(
        f"In {head_name(head)} “{both}” is most selective for {reads[0]} in the first text and for "
        f"{reads[1]} in the second. Its two vectors have a cosine of {alike[0]:.2f} at the input "
        f"and {alike[-1]:.2f} after the last layer."
    )
    st.subheader("What it reads")
    for second, column in enumerate(st.columns(2, gap="large")):
        with column:
            st.markdown(("**First text**", "**Second text**")[second])
            draw(
                charts.pair_row,
                context_frames.pair_row_frame(views[second], queries[second], head),
                key=f"pair-{second}",
                alt_text=f"The row of the word in text {second + 1}",
                labels=views[second].labels,
                second=bool(second),
            )
    st.caption(
        "The same weights of the same model make both rows; only the words differ. A convolution "
        "would weigh the neighbours alike in both texts. The word that asks is framed."
        + (
            " This model is a decoder: no word reads what comes later, and many heads rest on the "
            "first word; the sentence above names another where there is one."
            if views[0].is_causal
            else ""
        )
    )
    _similarity(chosen, traces, views, queries, alike)


def _similarity(
    chosen: Reading,
    traces: Sequence[Trace],
    views: Sequence[View],
    queries: Sequence[int],
    alike: Array,
) -> None:
    """Draw the cosine between a word's two vectors, from the bare word to the last layer."""
    units = [view.units[q] for view, q in zip(views, queries, strict=True)]
    bare = [
        embeddings.unit_vectors(chosen.model, t.input, [unit])
        for t, unit in zip(traces, units, strict=True)
    ]
    same = float(reach.cosine(*bare)[0])
    unlike = reach.unlike_cosine((traces[0], views[0]), (traces[1], views[1]))
    series = {"the same word in both texts": alike, "two different words, on average": unlike}
    data = context_frames.similarity_frame(same, series)
    st.subheader("How alike its two vectors are")
    draw(
        charts.similarity_lines,
        data,
        key="similarity",
        alt_text="Cosine between the vectors of the same word in two texts, stage by stage",
        stages=("bare word", "input", *(f"after L{layer}" for layer in range(len(alike) - 1))),
        series=tuple(series),
        low=float(np.floor(min(data["cosine"].min(), 0.0) * 10) / 10),
    )
    st.latex(r"\cos(a, b) = \frac{a \cdot b}{|a|\,|b|}")
    first, second = (unit.positions[0] for unit in units)
    ids = [t.input.ids[list(u.positions)].tolist() for t, u in zip(traces, units, strict=True)]
    bare_words = (
        "The bare word vector is the same in both texts"
        if ids[0] == ids[1]
        else "The word is spelled by other tokens in each text, with other bare vectors"
    )
    st.caption(
        f"{bare_words}: cosine {same:.2f}. The word is token {first} of the first text and token "
        f"{second} of the second: {_moved(chosen, first == second)}. What comes after is the work "
        "of attention, the only part that carries anything from word to word."
    )


def _moved(chosen: Reading, same_place: bool) -> str:
    """Say what the place of a word does to the input of the first layer."""
    if chosen.model.rotary:
        return "this model adds nothing for a position, it turns queries and keys in every layer"
    if same_place:
        return "the same position vector is added in both"
    return "another position vector is added in each, so the inputs already differ a little"
