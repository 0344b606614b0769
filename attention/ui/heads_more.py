"""The heads page's tabs: another model beside, shared keys and values, and rotation."""

from __future__ import annotations

import numpy as np
import streamlit as st

import attention
from attention import beside_frames, frames, link_frames, links, metrics, rope
from attention.beside import aligned, later_share
from attention.charts.distance import distance_lines
from attention.charts.links import word_links
from attention.charts.maps import head_maps
from attention.edits import Head
from attention.frames import head_name
from attention.models import registry
from attention.models.llama import Llama
from attention.sharing import divergence, sharing
from attention.ui.controls import on_phone, word
from attention.ui.progress import kept
from attention.ui.readings import Reading, find_focus, trace
from attention.ui.show import draw, escape_markdown, notice, percent
from attention.units import human_bytes

MOST_WORDS = 40
FARTHEST = 64


def other_model(chosen: Reading, *, key: str = "beside") -> Reading | None:
    """Draw the picker for a second model and return the same sentence in it, without specials."""
    names = [name for name in attention.available_models() if name != chosen.model_name]
    if not names:
        st.info(
            "There is only one model here. An encoder beside a decoder tells most: "
            f"`{registry.INSTALL_SMOLLM2}`"
        )
        return None
    prefer = next((n for n in (registry.SMOLLM2, registry.EMBEDDED) if n in names), names[0])
    if st.session_state.get(key, prefer) not in names:
        del st.session_state[key]
    name = st.selectbox(
        "The other model", names, names.index(prefer), key=key, bind="query-params", width=220
    )
    try:
        trace(str(name), chosen.text)
    except ValueError as refusal:
        st.warning(escape_markdown(str(refusal)))
        return None
    return Reading(str(name), chosen.text, words=True, special=False)


def beside(chosen: Reading, query: int) -> None:
    """Draw one head of two models on the same words, one above the other's scale."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = other_model(chosen)
        if other is None:
            return
        here = Reading(chosen.model_name, chosen.text, words=True, special=False)
        readings = (here, other)
        heads = [
            _head(reading, f"Head of {reading.model_name}", key=f"beside_head{i}")
            for i, reading in enumerate(readings)
        ]
    views = [reading.view for reading in readings]
    pairs = aligned(*views, first=MOST_WORDS + 2)[:MOST_WORDS]
    names = [f"{r.model_name} {head_name(h)}" for r, h in zip(readings, heads, strict=True)]
    if not pairs:
        st.info("The two models have no word in common here.")
        return
    _tell_mask(chosen, readings, heads, query)
    labels = tuple(views[0].labels[i] for i, _ in pairs)
    draw(
        head_maps,
        beside_frames.beside_frame(views, heads, names, pairs),
        key="beside_maps",
        alt_text=f"Maps of {' and '.join(names)} on the same words",
        labels=labels,
        first=0,
        names=tuple(names),
        size=250 if on_phone() else 340,
        columns=1 if on_phone() else 2,
    )
    st.caption(
        f"The {len(pairs)} words that both models have, in order; special tokens are taken out and "
        "every row is divided by what it keeps. Rows ask, columns are read. Where a decoder has no "
        "cell, its mask lets nothing through."
    )


def _head(reading: Reading, label: str, *, key: str) -> Head:
    found = find_focus(reading.model_name, reading.text, reading.words, reading.special)
    names = frames.all_heads(*reading.view.weights.shape[:2])
    if st.session_state.get(key) not in names:
        st.session_state.pop(key, None)
    telling = list(names).index(head_name((found.layer, found.head)))
    picked = st.selectbox(label, list(names), telling, key=key, bind="query-params", width=180)
    return names[str(picked)]


def _tell_mask(
    chosen: Reading, readings: tuple[Reading, Reading], heads: list[Head], query: int
) -> None:
    """Say how much an encoder gives to later words, which a decoder never sees."""
    asks = chosen.view.labels[query]
    told = []
    for reading, head in zip(readings, heads, strict=True):
        view = reading.view
        at = view.find(asks)
        if view.is_causal:
            told.append(f"{reading.model_name} is a decoder: what comes later is hidden")
            continue
        share = later_share(view)
        own = f"“{asks}” gives {percent(float(share[head][at]))}, and " if at is not None else ""
        told.append(
            f"in {reading.model_name} {head_name(head)} {own}the words on average "
            f"{percent(float(share[head].mean()))} to later words ({percent(float(share.mean()))} "
            "over all heads)"
        )
    notice(f"Later words: {'; '.join(told)}.")


def links_beside(chosen: Reading, query: int) -> None:
    """Draw the lines of one head of two models, of the same words."""
    other = other_model(chosen)
    if other is None:
        return
    here = Reading(chosen.model_name, chosen.text, words=True, special=False)
    asks = chosen.view.labels[query]
    told = []
    for i, (reading, column) in enumerate(zip((here, other), st.columns(2), strict=True)):
        view = reading.view
        with column:
            head = _head(reading, f"Head of {reading.model_name}", key=f"links_head{i}")
            found = find_focus(reading.model_name, reading.text, True, False)
            at = view.find(asks)
            at = found.query if at is None else at
            shown = links.shown_window(len(view.units), at)
            row = view.weights[head][at]
            best = int(row.argmax())
            told.append(
                f"in {reading.model_name} {head_name(head)} “{view.labels[at]}” reads "
                f"“{view.labels[best]}” most ({row[best]:.2f})"
            )
            draw(
                word_links,
                link_frames.link_frame(view, head[0], [head[1]], shown, asks=at, several=False),
                key=f"links_beside{i}",
                alt_text=f"Lines of {reading.model_name} {head_name(head)}",
                count=len(shown),
                longest=max(len(view.labels[k]) for k in shown),
                names=tuple(f"H{h}" for h in range(view.weights.shape[1])),
                several=False,
            )
    notice(f"Side by side: {'; '.join(told)}.")
    st.caption(
        "Whole words, special tokens taken out. A decoder has lines to earlier words only. Click "
        "and hover work in both pictures."
    )


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
    view, found = chosen.view, find_focus(
        chosen.model_name, chosen.text, chosen.words, chosen.special
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        head = _head(chosen, "Head", key="rope_head")
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
