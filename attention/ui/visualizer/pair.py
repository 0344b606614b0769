"""The best head for a pair of words."""

from __future__ import annotations

import streamlit as st

from attention.analysis import link_frames
from attention.analysis.telling import telling_heads
from attention.arrays import Array
from attention.interventions.cuts import pair_effects
from attention.ui.controls import word
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import escape_markdown
from attention.ui.visualizer.lines import WEIGHT
from attention.wording import Head, head_name

_MOST_TOKENS = 64  # of a text in which a pair is cut unasked


def best_head(chosen: Reading, query: int, default: int, head: Head) -> None:
    """Draw the picker for a key, the heads in which the query is most selective for it, and a way.

    Parameters
    ----------
    default : the key at first
    head : the one that the page shows
    """
    view = chosen.view
    label = f"Key for “{escape_markdown(view.labels[query])}”"
    key = word(label, view, default, key="pair")
    if not view.seen[..., query, key].any():
        where = "comes later" if key > query else "is further back than any window reaches"
        st.info(f"That word {where}: the mask of a decoder hides it in every head.")
        return
    table = link_frames.best_heads_frame(view, query, key, chosen.written)
    moved = _moved(chosen, query, key)
    st.dataframe(
        table if moved is None else table.assign(Effect=moved),
        hide_index=True,
        column_config={"Weight": WEIGHT, "Others": WEIGHT, "Written": WEIGHT, "Effect": WEIGHT},
        alt=f"The heads in which {view.labels[query]} is most selective for {view.labels[key]}",
    )
    effect = (
        ""
        if moved is None
        else " Effect: how far the query's last vector turns, 1 - cosine, when this one connection "
        "is cut: a high weight need not have a high effect."
    )
    st.caption(
        "Ranked by how much more this query attends to the key than the other words of the text "
        "do on average: a head in which every word attends to it says nothing about this one. "
        "Written: the key's share of what the head writes for the query, by length." + effect
    )
    best = telling_heads(view, query, key, 1)[0]
    st.button(
        f"Go to {head_name(best)}",
        icon=":material/near_me:",
        on_click=st.session_state.update,
        kwargs={"layer": best[0], "head": best[1]},
        disabled=best == head,
    )


def _moved(chosen: Reading, query: int, key: int) -> Array | None:
    """Return the effect of cutting the pair in each listed head; None for a long text."""
    view, trace = chosen.view, chosen.trace
    if len(trace.tokens) > _MOST_TOKENS:
        return None
    heads = telling_heads(view, query, key, link_frames.STRONGEST)

    def work(progress: object) -> Array:
        return pair_effects(chosen.model, trace, view.units[query], view.units[key], heads)

    place = chosen.model_name, chosen.text, chosen.words, chosen.special, query, key
    return kept("Cutting the pair in each of these heads", work, *place)
