"""The heads page's tabs on decoders: shared keys and values, and rotation."""

from __future__ import annotations

import numpy as np
import streamlit as st

from attention.analysis import alignment_frames, rope
from attention.analysis.grouped_heads import Apart, Sharing, divergence, pairwise, sharing
from attention.analysis.sentences import describe
from attention.charts.distance import distance_lines
from attention.charts.maps import shared_map
from attention.ui import inputs
from attention.ui.alignment import telling, telling_head
from attention.ui.controls import word
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.wording import Head, head_name, human_bytes

FARTHEST = 64


def shared_keys(chosen: Reading, heads: list[Head]) -> None:
    """Show which query heads share keys and values, how alike they are, and what is saved."""
    found = sharing(chosen.trace)
    if found.groups == found.heads:
        st.info(
            f"Each of the {found.heads} heads in a layer of {chosen.model_name} has keys and "
            "values of its own: nothing is shared."
        )
        return
    view = chosen.view
    apart = kept(
        "Comparing heads that share",
        lambda progress: pairwise(view, progress),
        chosen.model_name, chosen.text, chosen.words, chosen.special,
    )  # fmt: skip
    near = divergence(apart, found.groups)
    _tell_sharing(chosen, found, near)
    left, right = st.columns(2, gap="large")
    with left:
        first = heads[0][0] if heads else 0
        of = chosen.model_name, *heads[:1]
        layer = inputs.select("Layer", range(found.layers), first, key="kv_layer", of=of, width=120)
        draw(
            shared_map,
            alignment_frames.apart_frame(apart[layer], found.groups, layer),
            key="apart",
            alt_text=f"How far apart any two heads of layer {layer} read",
            heads=found.heads,
            sharing=found.each,
            highest=max(0.1, float(np.ceil(10 * apart.max())) / 10),
        )
        st.caption(
            "A cell is two heads; the stronger its colour, the more alike they read. Lines part "
            "heads that share keys and values from the others: if sharing made heads alike, the "
            "blocks along the diagonal would stand out."
        )
    with right:
        st.dataframe(
            alignment_frames.siblings_frame(heads, found, near),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.3f")
                for name in ("Bits from these", "Bits from others")
            },
            alt="Which heads share keys and values with the chosen ones, and how alike they read",
        )
        _tell_bytes(found)


def _tell_sharing(chosen: Reading, found: Sharing, near: Apart) -> None:
    tokens = len(chosen.trace.tokens)
    now, whole = (found.token_bytes(n) * tokens for n in (found.groups, found.heads))
    saved = (
        f"{found.heads} query heads share {found.groups} heads of keys and values, {found.each} "
        f"each: {human_bytes(now)} are kept for these {tokens} tokens instead of "
        f"{human_bytes(whole)}."
    )
    if found.groups == 1:  # there are no others to compare with
        notice(f"{saved} Any two heads read {near.inside.mean():.2f} bits apart.")
        return
    nearer = int((near.inside.mean(axis=1) < near.across.mean(axis=1)).sum())
    notice(
        f"{saved} Two heads that share read {near.inside.mean():.2f} bits apart, two that do not "
        f"{near.across.mean():.2f}; in {nearer} of {found.layers} layers those that share are "
        "nearer to each other."
    )


def _tell_bytes(found: Sharing) -> None:
    now, whole = (found.token_bytes(n) for n in (found.groups, found.heads))
    product = rf"2 \cdot {found.layers} \cdot {found.groups} \cdot {found.width} \cdot 4 = {now:,}"
    st.latex(r"2 \cdot L \cdot G \cdot E \cdot 4\ \text{bytes} = " + product.replace(",", "{,}"))
    st.caption(
        f"Keys and values of one token in float32; without sharing {whole:,} bytes. Query head h "
        f"reads K/V head h // {found.each}."
    )
    st.latex(r"\mathrm{JSD}(p, q) = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{H(p) + H(q)}{2}")
    st.caption(
        "Bits apart: Jensen-Shannon divergence of two rows, 0 is the same and 1 has nothing in "
        "common; the mean over the words."
    )


def rotation_distance(chosen: Reading, query: int) -> None:
    """Draw scores against distance, with and without rotation."""
    model = chosen.model
    if not model.rotary:
        st.info(
            f"{chosen.model_name} rotates nothing: it adds a learned vector for each position "
            "below the first layer. Pick a Llama model in the sidebar."
        )
        return
    view, found = chosen.view, telling(chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        head = telling_head(chosen, "Head", "rope_head")
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
        alignment_frames.distance_frame(series),
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
    st.caption(escape_markdown(describe(view, *head)))
