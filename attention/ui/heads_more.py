"""The heads page's tabs on decoders: shared keys and values, and rotation."""

from __future__ import annotations

import numpy as np
import streamlit as st

from attention import beside_frames, metrics, rope
from attention.charts.distance import distance_lines
from attention.edits import Head
from attention.frames import head_name
from attention.models.llama import Llama
from attention.sharing import divergence, sharing
from attention.ui.beside import head_picker, opens_on, telling
from attention.ui.controls import word
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, notice
from attention.units import human_bytes

FARTHEST = 64


def shared(chosen: Reading, heads: list[Head]) -> None:
    """Show which query heads share keys and values, how alike they are, and what is saved."""
    found = sharing(chosen.trace)
    if found.groups == found.heads:
        st.info(
            f"Each of the {found.heads} heads in a layer of {chosen.model_name} has keys and "
            "values of its own: nothing is shared."
        )
        return
    inside, across = kept(
        "Comparing heads",
        lambda _: divergence(chosen.view, found.groups),
        chosen.model_name, chosen.text, chosen.words, chosen.special,
    )  # fmt: skip
    tokens = len(chosen.trace.tokens)
    now, whole = (found.token_bytes(n) for n in (found.groups, found.heads))
    notice(
        f"{found.heads} query heads share {found.groups} heads of keys and values, {found.each} "
        f"each. Two heads that share read {inside:.2f} bits apart, two that do not {across:.2f}. "
        f"Kept for these {tokens} tokens: {human_bytes(now * tokens)} instead of "
        f"{human_bytes(whole * tokens)}."
    )
    rows = [
        [f"K/V head {group}", ", ".join(f"H{h}" for h in found.siblings(group * found.each))]
        for group in range(found.groups)
    ]
    for layer, head in heads:
        others = [head_name((layer, h)) for h in found.siblings(head) if h != head]
        rows.append([f"{head_name((layer, head))} shares with", ", ".join(others)])
    st.dataframe(
        {"": [row[0] for row in rows], "Query heads": [row[1] for row in rows]},
        hide_index=True,
        width="content",
        alt="Which query heads share keys and values",
    )
    product = rf"2 \cdot {found.layers} \cdot {found.groups} \cdot {found.width} \cdot 4 = {now:,}"
    st.latex(r"2 \cdot L \cdot G \cdot E \cdot 4\ \text{bytes} = " + product.replace(",", "{,}"))
    st.caption(
        f"For each token, in float32; without sharing it would be {whole:,} bytes. Bits apart: "
        "Jensen-Shannon divergence of the rows, 0 is the same and 1 has nothing in common, the "
        "mean over pairs of heads in a layer, words and layers."
    )


def rotation(chosen: Reading, query: int) -> None:
    """Draw scores against distance, with and without rotation."""
    model = chosen.model
    if not isinstance(model, Llama):
        st.info(
            f"{chosen.model_name} rotates nothing: it adds a learned vector for each position "
            "below the first layer. Pick a Llama model in the sidebar."
        )
        return
    view, found = chosen.view, telling(chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        head = head_picker(chosen, "Head", "rope_head")
        opens_on("rope_key", (chosen.text, view.units), found.key)
        key = word("Word that is read", view, found.key, key="rope_key")
    asks, reads = view.units[query].positions[-1], view.units[key].positions[-1]
    means = rope.mean_scores(model, chosen.trace, *head)
    pair = rope.pair_scores(model, chosen.trace, head, asks, reads, FARTHEST)
    labels = f"“{view.labels[query]}” asks “{view.labels[key]}” at any distance"
    series = {
        "this text, rotated (mean of all pairs)": means.rotated,
        "this text, without rotation": means.unrotated,
        labels: pair,
    }
    best = int(np.argmax(pair))
    notice(
        f"In {head_name(head)} the very same query of “{view.labels[query]}” and key of "
        f"“{view.labels[key]}” would score {pair[best]:.2f} when {best} tokens apart and "
        f"{pair.min():.2f} when {int(np.argmin(pair))} apart: rotation alone does that. "
        f"Without it the score would be {pair[0]:.2f} at any distance."
    )
    draw(
        distance_lines,
        beside_frames.distance_frame(series),
        key="distance",
        alt_text="Score against distance, with and without rotation",
        series=tuple(series),
    )
    st.latex(r"q_m \cdot k_n = (R_m q) \cdot (R_n k) = q \cdot R_{n - m}\, k")
    st.caption(
        "Position p turns each pair of numbers of a query or key by its own angle times p; when "
        "both are multiplied only the difference of the positions is left. The first two lines are "
        "means over all pairs of this text; the third takes one query and one key as they are "
        f"before rotation and puts 0 to {FARTHEST} tokens between them."
    )
    st.caption(metrics.describe(view, *head))
