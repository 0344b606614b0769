"""The heads page's grid of all heads, one of which a click adds to the chosen ones."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import frames, metrics
from attention.analysis.grouped_heads import sharing
from attention.analysis.metrics import Metric
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.ui import inputs
from attention.ui.controls import toggled
from attention.ui.readings import Reading
from attention.ui.show import draw
from attention.wording import Head

MOST_HEADS = 6
PICKER = "heads"  # the key of the picker that a click changes
_NO_ROOM = "_no_room"
_FEW_LAYERS, _ROW, _LOW_ROW = 12, 22, 12  # pixels that a layer takes in the grid
_HIGHEST = 5


def clickable_grid(chosen: Reading, heads: list[Head]) -> None:
    """Draw one figure of all heads, with a picker for it; a click adds or removes a head."""
    metric = _metric(chosen)
    figure = chosen.figures[metric.label]
    each = sharing(chosen.trace).each
    refused = st.session_state.pop(_NO_ROOM, None)
    picked = " ".join(map(wording.head_name, heads))
    grid = f"grid {picked} {refused}"  # new after every click: any can be clicked again
    unit = f" ({metric.unit})" if metric.unit else ""
    st.caption(
        f"{metric.label}{unit}: {metric.meaning}. Click a head to add or remove it."
        + (" Lines part heads that share keys and values from the next." if each > 1 else "")
    )
    draw(
        head_grid,
        frames.head_frame(figure, heads),
        key=grid,
        row=_ROW if len(figure) <= _FEW_LAYERS else _LOW_ROW,
        alt_text=f"{metric.label} of all {figure.size} heads",
        on_select=partial(_click, grid),
        title=f"{metric.label}{unit}",
        domain=(0.0, float(np.ceil(figure.max())) if unit else 1.0),
        layers=len(figure),
        sharing=each,
    )
    if refused:
        st.warning(f"{MOST_HEADS} heads are compared at most: take one away to add {refused}.")
    _highest(figure, heads, metric)


def _highest(figure: Array, heads: list[Head], metric: Metric) -> None:
    """Draw a button for each of the heads in which the figure is highest, to add or remove it."""
    st.markdown(f"**Highest {metric.label.lower()} here**")
    order = np.argsort(-figure, axis=None, kind="stable")[:_HIGHEST]
    with st.container(horizontal=True, gap="small"):
        for place, at in enumerate(order.tolist()):
            head = divmod(at, figure.shape[1])
            name, has = wording.head_name(head), head in heads
            st.button(
                f"{name} · {figure[head]:.2f}",
                key=f"highest{place}",
                icon=":material/check:" if has else ":material/add:",
                help=f"{'Take away' if has else 'Add'} {name}",
                on_click=_toggle,
                args=(name,),
            )


def _metric(chosen: Reading) -> Metric:
    figures = metrics.figures_for(chosen.view)
    labels = {name: figure.label for name, figure in figures.items()}
    text = labels.__getitem__
    return figures[inputs.select("Figure", list(figures), "entropy", key="figure", text=text)]


def _click(grid: str) -> None:
    """Add the clicked head to the chosen ones, or take it away; say so where there is no room."""
    for cell in st.session_state[grid]["selection"]["head"]:
        _toggle(wording.head_name((cell["layer"], cell["head"])))


def _toggle(name: str) -> None:
    before = st.session_state[PICKER]
    st.session_state[PICKER] = toggled(before, name, MOST_HEADS)
    st.session_state[_NO_ROOM] = name if st.session_state[PICKER] == before else None


def figures_table(chosen: Reading, heads: list[Head], query: int) -> None:
    """Show every figure of the chosen heads."""
    st.dataframe(
        frames.figures_frame(chosen.view, heads, query, chosen.figures),
        hide_index=True,
        column_config={
            label: st.column_config.NumberColumn(format="%.2f") for label in chosen.figures
        },
        alt="The figures of each chosen head on this text",
    )
