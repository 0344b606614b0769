"""The heads page's tabs on decoders: shared keys and values, and rotation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from attention.analysis import alignment_frames, rope
from attention.analysis.decoder_sentences import rotation_sentence, sharing_sentence
from attention.analysis.grouped_heads import Apart, Sharing, divergence, pairwise, sharing
from attention.analysis.sentences import describe
from attention.arrays import Array
from attention.charts.distance import distance_lines
from attention.charts.maps import shared_map
from attention.ui import inputs
from attention.ui.alignment import telling, telling_head
from attention.ui.code_lines import of_view
from attention.ui.controls import word
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

FARTHEST = 64
_APART, _DISTANCE = "apart", "distance"  # keys of charts


def useful(chosen: Reading, tabs: Mapping[str, str]) -> dict[str, str]:
    """Return the tabs, `{code: text}`, that have something to show of this model."""
    idle = {
        "shared": sharing(chosen.trace).each == 1,
        "rotation": not chosen.model.rotary,
    }
    return {code: text for code, text in tabs.items() if not idle.get(code)}


def shared_keys(chosen: Reading, heads: list[Head]) -> None:
    """Show which query heads share keys and values, how alike they are, and what is saved."""
    shared, view = sharing(chosen.trace), chosen.view
    if shared.groups == shared.heads:
        st.info(
            f"Each of the {shared.heads} heads in a layer of {chosen.model_name} has keys and "
            "values of its own: nothing is shared."
        )
        return
    apart = kept(
        "Comparing heads that share",
        lambda progress: pairwise(view, progress),
        chosen.model_name, chosen.text, chosen.words, chosen.special,
    )  # fmt: skip
    near = divergence(apart, shared.groups)
    notice(sharing_sentence(shared, near, len(chosen.trace.tokens)))
    left, right = st.columns(2, gap="large")
    with left:
        _apart_map(chosen, shared, apart, heads)
    with right:
        _siblings(shared, near, heads)
        _formulas(shared)


def _apart_map(chosen: Reading, shared: Sharing, apart: Array, heads: list[Head]) -> None:
    """Draw how far apart any two heads of a layer are; the layer follows the first chosen head."""
    first = heads[0][0] if heads else 0
    of = chosen.model_name, *heads[:1]
    layer = inputs.select("Layer", range(shared.layers), first, key="kv_layer", of=of, width=120)
    draw(
        shared_map,
        alignment_frames.apart_frame(apart[layer], shared.groups, layer),
        key=_APART,
        alt_text=f"How far apart the rows of any two heads of layer {layer} are",
        heads=shared.heads,
        sharing=shared.each,
        highest=max(0.1, float(np.ceil(10 * apart.max())) / 10),
    )
    offer(ViewCode(partial(_apart_code, chosen, layer), _APART, chosen.trace, chosen.text))
    st.caption(
        "A cell is two heads; the stronger its colour, the more alike their rows are. Lines part "
        "heads that share keys and values from the others: if sharing made heads alike, the "
        "blocks along the diagonal would stand out."
    )


def _apart_code(chosen: Reading, layer: int) -> str:
    imported, drawing = drawn_last(_APART).code()
    imports = [
        "from attention.analysis.alignment_frames import apart_frame",
        "from attention.analysis.decoder_sentences import sharing_sentence",
        "from attention.analysis.grouped_heads import divergence, pairwise, sharing",
        imported,
    ]
    return of_view(chosen, imports, [
        "shared, apart = sharing(trace), pairwise(view)",
        f"data = apart_frame(apart[{layer}], shared.groups, {layer})",
        *drawing,
        "near = divergence(apart, shared.groups)",
        "print(sharing_sentence(shared, near, len(trace.tokens)))",
    ])  # fmt: skip


def _siblings(shared: Sharing, near: Apart, heads: list[Head]) -> None:
    st.dataframe(
        alignment_frames.siblings_frame(heads, shared, near),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Bits from these", "Bits from others")
        },
        alt="Which heads share keys and values with the chosen ones, and how alike their rows are",
    )


def _formulas(shared: Sharing) -> None:
    now, whole = (shared.token_bytes(n) for n in (shared.groups, shared.heads))
    sizes = rf"2 \cdot {shared.layers} \cdot {shared.groups} \cdot {shared.width} \cdot 4 = {now:,}"
    st.latex(r"2 \cdot L \cdot G \cdot E \cdot 4\ \text{bytes} = " + sizes.replace(",", "{,}"))
    st.caption(
        f"Keys and values of one token in float32; without sharing {whole:,} bytes. Query head h "
        f"uses the keys and values of K/V head h // {shared.each}."
    )
    st.latex(r"\mathrm{JSD}(p, q) = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{H(p) + H(q)}{2}")
    st.caption(
        "Bits apart: Jensen-Shannon divergence of two rows, 0 is the same and 1 has nothing in "
        "common; the mean over the words."
    )


def rotation_distance(chosen: Reading, query: int) -> None:
    """Draw scores against distance, with and without rotation."""
    if not chosen.model.rotary:
        st.info(
            f"{chosen.model_name} rotates nothing: it adds {chosen.model.positions} for positions "
            "below the first layer. Pick a model that does above, as Llama and its relatives do."
        )
        return
    view = chosen.view
    with st.container(horizontal=True, vertical_alignment="bottom"):
        head = telling_head(chosen, "Head", "rope_head")
        key = word("Key", view, telling(chosen).key, key="rope_key")
    last_q, last_k = (view.units[i].positions[-1] for i in (query, key))
    scores = rope.pair_scores(chosen.model, chosen.trace, head, last_q, last_k, FARTHEST)
    notice(rotation_sentence(head, view.labels[query], view.labels[key], scores))
    means = rope.mean_scores(chosen.model, chosen.trace, *head)
    names = (
        "this text, rotated (mean of all pairs)",
        "this text, without rotation",
        f"query “{view.labels[query]}”, key “{view.labels[key]}” at any distance",
    )
    _draw_distance(dict(zip(names, (*means, scores), strict=True)))
    code = partial(_rotation_code, chosen, head, (query, key), names)
    offer(ViewCode(code, _DISTANCE, chosen.trace, chosen.text))
    st.caption(escape_markdown(describe(view, *head)))


def _rotation_code(
    chosen: Reading, head: Head, pair: tuple[int, int], names: tuple[str, ...]
) -> str:
    imported, drawing = drawn_last(_DISTANCE).code(series="names")
    imports = [
        "from attention.analysis import rope",
        "from attention.analysis.alignment_frames import distance_frame",
        "from attention.analysis.decoder_sentences import rotation_sentence",
        imported,
    ]
    query, key = pair
    return of_view(chosen, imports, [
        f"head, query, key = {head}, {query}, {key}",
        "tokens = (view.units[i].positions[-1] for i in (query, key))",
        f"scores = rope.pair_scores(model, trace, head, *tokens, {FARTHEST})",
        "means = rope.mean_scores(model, trace, *head)",
        f"names = {names}",
        "data = distance_frame(dict(zip(names, (*means, scores))))",
        *drawing,
        "print(rotation_sentence(head, view.labels[query], view.labels[key], scores))",
    ])  # fmt: skip


def _draw_distance(series: dict[str, Array]) -> None:
    draw(
        distance_lines,
        alignment_frames.distance_frame(series),
        key=_DISTANCE,
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
