"""The best head for a pair of words."""

from __future__ import annotations

import streamlit as st

from attention.analysis import link_frames
from attention.analysis.telling import telling_heads
from attention.ui.controls import word
from attention.ui.readings import Reading
from attention.ui.show import escape_markdown
from attention.ui.visualizer.lines import WEIGHT
from attention.wording import Head, head_name


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
    if view.is_causal and key > query:
        st.info("That word comes later: the mask of a decoder hides it in every head.")
        return
    st.dataframe(
        link_frames.best_heads_frame(view, query, key),
        hide_index=True,
        column_config={"Weight": WEIGHT, "Others": WEIGHT},
        alt=f"The heads in which {view.labels[query]} is most selective for {view.labels[key]}",
    )
    st.caption(
        "Ranked by how much more this query attends to the key than the other words of the text "
        "do on average: a head in which every word attends to it says nothing about this one."
    )
    best = telling_heads(view, query, key, 1)[0]
    st.button(
        f"Go to {head_name(best)}",
        icon=":material/near_me:",
        on_click=st.session_state.update,
        kwargs={"layer": best[0], "head": best[1]},
        disabled=best == head,
    )
