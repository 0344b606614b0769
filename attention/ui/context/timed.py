"""Times of the three kinds of layer, as two tabs of the context page show them."""

from __future__ import annotations

import streamlit as st

from attention.context import layer_runs
from attention.context.layer_costs import LayerComparison, LayerTime, time_layers
from attention.context.layer_runs import LENGTHS, WIDTHS
from attention.ui.inputs import stepped
from attention.ui.measuring import alone
from attention.ui.show import escape_markdown

_UNSTEADY = 2.0
_TIMES = "_layer_times"  # (width, kernel) -> what this visit has measured


def length_and_width() -> tuple[int, int]:
    """Draw the sliders for the length and the width of a layer."""
    n = stepped("Tokens n", LENGTHS, 100, key="tokens")
    return n, stepped("Width d", WIDTHS, 64, key="wide")


def layer_times(width: int, kernel: int) -> tuple[list[LayerTime], str]:
    """Return the times of the three layers and where they come from; draw a button for new ones.

    Those that this visit has measured, or else those that are stored with the package.
    """
    own: dict[tuple[int, int], list[LayerTime]] = st.session_state.setdefault(_TIMES, {})
    if st.button("Measure here", icon=":material/timer:", help="About a second"):
        slot = st.empty()
        own[width, kernel] = alone(slot, lambda: time_layers(LENGTHS, width, kernel))
        slot.empty()
    if (width, kernel) in own:
        return own[width, kernel], "Measured on this machine, in this visit."
    made = escape_markdown(layer_runs.machine_text(layer_runs.stored()))
    return layer_runs.stored_times(width, kernel), (
        f"A stored run, not of this machine: {made}, made by “{layer_runs.COMMAND}”. "
        "“Measure here” times this one."
    )


def is_own(width: int, kernel: int) -> bool:
    """Return whether these times are of this visit."""
    return (width, kernel) in st.session_state.get(_TIMES, {})


def unsteady_note(costs: LayerComparison) -> None:
    """Say so where the rounds at this length were not alike."""
    if costs.unsteady > _UNSTEADY:
        st.warning(
            f"Half the rounds took more than {costs.unsteady:.1f} times as long as the fastest: "
            "other programs are using this machine. Measure again when it is quiet."
        )
