"""The heads page's charts: all heads at a glance, chosen maps, and one row across heads."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, labels_param, position_axis


def head_grid(
    data: pd.DataFrame, *, title: str, domain: tuple[float, float], layers: int
) -> alt.TopLevelMixin:
    """Draw one figure for every layer and head; a click names a head, chosen ones are framed.

    `data` is `frames.head_frame`. The selection is called `head` and has the fields layer, head.
    """
    click = alt.selection_point("head", fields=["layer", "head"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("head:O").title("head").axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O")
        .title("layer")
        .axis(ticks=False, domain=False, labelOverlap=False, labelFlush=False),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("value:Q", title=title, format=".3f"),
        ],
    )
    cells = base.mark_rect(cornerRadius=3, cursor="pointer").encode(
        color=alt.Color("value:Q").title(None).scale(domain=list(domain)).legend(gradientLength=100)
    )
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=3, cornerRadius=3, cursor="pointer"
    )
    grid = alt.layer(cells.add_params(click), chosen)
    return grid.properties(height=max(layers, 1) * 26 + 50)


def head_maps(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    first: int,
    names: Sequence[str],
    size: int,
    columns: int,
) -> alt.TopLevelMixin:
    """Draw the chosen heads side by side on one scale; hovering a row marks it in all of them.

    `data` is `frames.map_frame`; `labels` are the words shown, `first` the position of the first of
    them, `size` the side of a map in pixels.
    """
    row = alt.selection_point("row", fields=["q"], on="pointerover", clear="pointerout")
    cells = (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("k:O")
            .title("is read")
            .axis(position_axis(offset=first, labelAngle=-60, orient="top")),
            y=alt.Y("q:O").title("asks").axis(position_axis(offset=first)),
            color=alt.Color("weight:Q")
            .title("weight")
            .scale(domain=[0, 1])
            .legend(orient="bottom", direction="horizontal", gradientLength=160),
            opacity=alt.when(row).then(alt.value(1)).otherwise(alt.value(0.3)),
            tooltip=[
                alt.Tooltip("name:N", title="head"),
                alt.Tooltip("query:N", title="asks"),
                alt.Tooltip("key:N", title="is read"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
        .add_params(row)
        .properties(width=size, height=size)
    )
    return _by_head(cells, data, labels, names, columns)


def row_bars(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    first: int,
    names: Sequence[str],
    size: int,
    columns: int,
) -> alt.TopLevelMixin:
    """Draw what one word reads, head beside head, on one scale.

    `data` is the rows of `frames.map_frame` with one `q`.
    """
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("weight:Q").title(None).scale(domain=[0, 1]).axis(format="%", tickCount=3),
            y=alt.Y("k:O").title(None).axis(position_axis(offset=first)),
            color=alt.Color("map:N").scale(domain=list(range(len(names)))).legend(None),
            tooltip=[
                alt.Tooltip("name:N", title="head"),
                alt.Tooltip("key:N", title="is read"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
        .properties(width=size, height=max(len(labels), 1) * 17)
    )
    return _by_head(bars, data, labels, names, columns)


def _by_head(
    chart: alt.Chart, data: pd.DataFrame, labels: Sequence[str], names: Sequence[str], columns: int
) -> alt.TopLevelMixin:
    header = alt.Header(
        title=None, labelExpr="names[datum.value]", labelFontSize=14, labelFontWeight="bold"
    )
    facets = chart.facet(alt.Facet("map:O", header=header), data=data, columns=columns)
    return facets.add_params(labels_param(labels), alt.param(name="names", value=list(names)))
