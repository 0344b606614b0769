"""What a cell of a map, or a line, is: the weight, or what is written. One choice on all pages."""

from __future__ import annotations

import streamlit as st

from attention.analysis.words import View
from attention.ui import inputs
from attention.ui.readings import Reading

AS_WEIGHT, AS_WRITTEN = "weight", "share of what is written"  # as charts call it
_WHAT = {"weights": "weight", "written": "weight × ‖v W_O‖"}
_NOTE = (
    "By length of what is written: the weight times the norm of the value that it moves into the "
    "stream, v W_O, as a share of the row (Kobayashi et al. 2020). It says how much of what a head "
    "adds comes from which word; it cannot say whether what is added matters later."
)


def cell_picker(label: str = "A cell is") -> str:
    """Draw the choice; return what the numbers are, `AS_WEIGHT` or `AS_WRITTEN`."""
    codes, text = list(_WHAT), _WHAT.__getitem__
    code = inputs.select(label, codes, codes[0], key="cell", text=text, width=180)
    return AS_WEIGHT if code == "weights" else AS_WRITTEN


def cell_note(what: str, remark: str) -> None:
    """Say what the numbers can and cannot say, where they are not the weights.

    Parameters
    ----------
    remark : what else on the page is of the weights, or is not
    """
    if what == AS_WRITTEN:
        st.caption(f"{_NOTE} {remark}")


def cells_of(chosen: Reading, what: str) -> View:
    """Return the weights of a reading, or the same rows by what is written."""
    return chosen.written if what == AS_WRITTEN else chosen.view
