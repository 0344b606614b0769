"""The pipeline page's cached work, and receipts with the code that prints the same number."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from attention.pipeline import frames as step_frames
from attention.pipeline import receipt
from attention.pipeline.head_state import HeadState
from attention.pipeline.receipt import ReceiptCell
from attention.ui import address
from attention.ui.inputs import expander
from attention.ui.readings import Reading
from attention.ui.show import show_check

_BOX = "sums"
_HEIGHT = 250  # pixels of a table: the rest scrolls


def place(chosen: Reading, cell: ReceiptCell) -> HeadState:
    """Return the place of a cell; what its steps compute is kept while the reader stays there."""
    return _place(chosen.model_name, chosen.text, cell.layer, cell.head, cell.query, cell.key)


def receipt_box() -> Any:
    """Draw the box of the receipt; `.open` says whether it is open.

    It is closed at first, but for an address that says which receipt is meant, as old ones do.
    """
    arriving = address.visit().arriving
    if arriving.keys() & {"receipt", "column"}:
        arriving.setdefault(_BOX, ("true",))
    return expander(
        "Receipt: every product and sum behind one cell", icon=":material/receipt_long:", key=_BOX
    )


def weight_receipt(chosen: Reading, cell: ReceiptCell) -> None:
    """Draw the receipt of a weight."""
    trace = chosen.trace
    made = receipt.receipt_of(trace, cell)
    left, right = st.columns([2, 3])
    with left:
        st.caption(f"The {len(made.query)} products of query and key")
        _table(step_frames.product_frame(made), "Products of query and key")
    with right:
        st.caption(f"From dot product to weight, for all {len(made.scores)} keys")
        _table(step_frames.softmax_frame(made, chosen.view.labels), "Scores, terms and weights")
    st.code(receipt.weight_steps(made), language=None)
    held = float(trace.weights[cell.layer, cell.head, cell.query, cell.key])
    _agree("weight", made.weight, held)
    st.code(receipt.weight_code(trace, cell), language="python")


def output_receipt(chosen: Reading, cell: ReceiptCell) -> None:
    """Draw the receipt of one number of the head's output."""
    trace = chosen.trace
    made = receipt.receipt_of(trace, cell)
    st.caption(f"The products of weight and value, for all {len(made.weights)} keys")
    _table(step_frames.output_frame(made, chosen.view.labels), "Weights times values")
    st.code(receipt.output_steps(made), language=None)
    held = float(trace.head_output[cell.layer, cell.head, cell.query, cell.column])
    _agree("output", made.output, held)
    st.code(receipt.output_code(trace, cell), language="python")


@st.cache_resource(max_entries=4, show_spinner=False)  # each holds on to its trace
def _place(model: str, text: str, layer: int, head: int, query: int, key: int) -> HeadState:
    reading = Reading(model, text, words=False, special=True)
    return HeadState(reading.model, reading.trace, layer, head, query, key)


def _table(frame: pd.DataFrame, alt: str) -> None:
    config = {
        name: st.column_config.NumberColumn(format="%.6g")
        for name in frame.columns
        if frame[name].dtype == float
    }
    st.dataframe(frame, hide_index=True, height=_HEIGHT, column_config=config, alt=alt)


def _agree(what: str, computed: float, held: float) -> None:
    gap = abs(computed - held)
    show_check(
        f"the model's own {what} is {receipt.six_digits(held)}: within {gap:.1g}", gap < 1e-5
    )
