"""The chart of patches: how much of another text's answer comes back."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, LABEL_ROW, labels_param, ramp_below

_FRAME = 130  # pixels


def patch_map(
    data: pd.DataFrame, *, labels: Sequence[str], layers: int, title: str, row: int
) -> alt.TopLevelMixin:
    """Draw how much comes back by layer and head, or by layer and word; a click names a cell.

    `data` is `frames.patch_frame`; `labels` what its columns are, `title` what they are called. The
    scale ends at -1 and 1: what lies beyond has the colour of its end. The selection is called
    `cell` and has the fields layer, column.
    """
    click = alt.selection_point("cell", fields=["layer", "column"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("column:O")
        .title(title)
        .axis(
            labelExpr="labels[datum.value]", labelAngle=-60 if title != "head" else 0,
            labelOverlap=False, labelLimit=80, ticks=False, domain=False,
        ),
        y=alt.Y("layer:O")
        .title("layer")
        .scale(domain=list(range(layers)))
        .axis(ticks=False, domain=False, labelOverlap=row < LABEL_ROW, labelFlush=False),
        tooltip=[
            alt.Tooltip("name:N", title="put in"),
            alt.Tooltip("share:Q", title="comes back", format=".1%"),
        ],
    )  # fmt: skip
    legend = ramp_below(150, format=".0%", titleOrient="left")
    scale = alt.Scale(domain=[-1, 1], domainMid=0, range="diverging", clamp=True)
    cells = base.mark_rect(cornerRadius=2, cursor="pointer").encode(
        color=alt.Color("share:Q").title("comes back").scale(scale).legend(legend)
    )
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=3, cornerRadius=2, cursor="pointer"
    )
    drawn = alt.layer(cells.add_params(click), chosen).add_params(labels_param(labels))
    return drawn.properties(height=max(layers, 1) * row + _FRAME)
