"""The context page's tab on what a recurrent, a convolutional and an attention layer cost."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.context import charts
from attention.context import frames as context_frames
from attention.context.layer_costs import LayerComparison
from attention.context.layer_runs import KERNELS
from attention.ui.code_lines import ANEW, script
from attention.ui.context import timed
from attention.ui.inputs import stepped
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_FIGURE = "layer-time"


def cost() -> None:
    """Show table 1 of the paper with the reader's numbers, and the time of each layer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n, width = timed.length_and_width()
        kernel = stepped("Kernel k", KERNELS, 3, key="kernel")
        times, source = timed.layer_times(width, kernel)
    costs = LayerComparison(n, width, kernel, times)
    notice(costs.sentence)
    _table(costs)
    st.caption(source)
    timed.unsteady_note(costs)
    st.subheader("Time of one layer")
    draw(
        charts.layer_time_chart,
        context_frames.layer_time_frame(times),
        key=_FIGURE,
        alt_text="Time of a recurrent, a convolutional and an attention layer against length",
        n=n,
    )
    offer(ViewCode(partial(_code, costs, anew=timed.is_own(width, kernel)), _FIGURE, text="cost"))


def _code(costs: LayerComparison, *, anew: bool) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    made, note = "stored_times", []
    if anew:
        made, note = "time_layers", [ANEW]
    own = f"{'LENGTHS, ' if anew else ''}{costs.width}, {costs.kernel}"
    imports = [
        "from attention import plot",
        "from attention.context.frames import layer_time_frame",
        "from attention.context.layer_costs import LayerComparison, time_layers",
        "from attention.context.layer_runs import LENGTHS, stored_times",
        imported,
    ]
    return script(imports, [
        *note,
        f"times = {made}({own})",
        "data = layer_time_frame(times)",
        *drawing,
        f"print(LayerComparison({costs.n}, {costs.width}, {costs.kernel}, times).sentence)",
    ])  # fmt: skip


def _table(costs: LayerComparison) -> None:
    st.dataframe(
        context_frames.price_frame(costs.counted, costs.times, costs.n),
        hide_index=True,
        alt="Path length, sequential steps and cost of three kinds of layer",
    )
    st.latex(r"\text{recurrent } n\,d^2 \quad \text{convolution } k\,n\,d^2")
    st.latex(r"\text{self-attention } 2\,n^2 d")
    st.caption(
        "After Vaswani et al. 2017, “Attention is all you need”, table 1. Paths join the first "
        "word to the last; that of the convolution is its number of layers with dilation 1, 2, 4, "
        "… Timed is what the table counts: the projections of the input, one product for all words "
        "in each case, are made before. Attention's two products both count as multiplications. "
        f"Medians of {costs.times[0].rounds} rounds in float32 on one processor."
    )
