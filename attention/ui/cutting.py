"""Edits that clicks make: as text in the address, and what takes them away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from attention.edits import Edits
from attention.edits.codes import decode, encode
from attention.ui import inputs
from attention.ui.address import Source
from attention.ui.show import escape_markdown

_T = TypeVar("_T")


def edits_field(key: str, source: Source) -> str:
    """Draw the field that holds the edits to a text, and return their code."""
    return inputs.text(
        "The edits as text", "", key=key, of=(source,), max_chars=2_000,
        help="The same as in the address of this page and in attention.edits.codes.decode.",
    )  # fmt: skip


def edited(code: str, run: Callable[[Edits], _T], without: str) -> _T:
    """Return what a run with the edits of a code gives.

    Edits that cannot be made here are said, and all are left out: `without` says what that means.
    """
    try:
        return run(decode(code))
    except ValueError as refusal:
        reason = escape_markdown(str(refusal))
        st.warning(f"These edits cannot be made here: {reason}. {without}.")
        return run(())


def set_edits(key: str, edits: Edits) -> None:
    """Let these be the edits; to be called by what a reader clicks."""
    st.session_state[key] = encode(edits)


def edits_button(key: str, label: str, icon: str, then: Edits) -> None:
    """Draw a button that makes other edits."""
    st.button(label, icon=f":material/{icon}:", on_click=set_edits, args=(key, then))


def less_buttons(key: str, edits: Edits) -> None:
    """Draw the buttons that take the last edit away, or all."""
    edits_button(key, "Undo", "undo", edits[:-1])
    edits_button(key, "Clear", "delete", ())


def fresh_key(name: str, edits: Edits) -> str:
    """Return a chart's key that is new after every click, so that any cell can be clicked again."""
    return f"{name} {len(edits)} {encode(edits)[-40:]}"
