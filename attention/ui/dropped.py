"""A new text starts with no edits and no pushes; those of the last one can be brought back."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from attention.ui import address
from attention.ui.address import Source, Spelled
from attention.ui.readings import Reading, parted
from attention.ui.show import escape_markdown

_DROPPED = "_dropped"
_PUSHES = ("edits", "strength", "nudge")  # how the names of controls begin that change the model
_LONGEST = 60  # letters of the text that is named


class Dropped(NamedTuple):
    """What was chosen for a text that another one has taken the place of."""

    was: Source
    now: Source
    state: dict[str, Spelled]


def tell_dropped(chosen: Reading) -> None:
    """Forget edits and pushes that were made on another text, say so, and offer to undo it."""
    kept = address.visit().kept
    void = [key for key in kept if key.startswith(_PUSHES) and kept[key].of[0] != chosen.source]
    if void:
        was = kept[void[0]].of[0]
        about = {key: choice.spelled for key, choice in kept.items() if choice.of[:1] == (was,)}
        st.session_state[_DROPPED] = Dropped(was, chosen.source, about)
        for key in void:
            del kept[key]
    dropped: Dropped | None = st.session_state.get(_DROPPED)
    if dropped is None or dropped.now != chosen.source:
        return
    text = " / ".join(filter(None, parted(dropped.was.text)))
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    st.info(
        f"What was changed inside {escape_markdown(dropped.was.model)} on "
        f"“{escape_markdown(short)}” is dropped: it holds for that text and that model only."
    )
    st.button(
        "Undo: bring both back", key="undo_text", icon=":material/undo:", on_click=_bring_back
    )


def _bring_back() -> None:
    dropped: Dropped = st.session_state.pop(_DROPPED)
    text, second = parted(dropped.was.text)
    address.forget("q2")
    two = {} if second is None else {"q2": second}
    address.go({"model": dropped.was.model, "q": text, **two, **dropped.state})
