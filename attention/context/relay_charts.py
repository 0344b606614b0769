"""The relay beside the arc: how a message gets from one word to another."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import NEUTRAL, labels_param, position_axis

_ROW = 26  # pixels
_BELOW = 30
_FIRST = "#6366f1"  # the theme's first colour, between its light and its dark form


def relay_chart(
    data: pd.DataFrame, *, labels: Sequence[str], series: Sequence[str]
) -> alt.TopLevelMixin:
    """Draw a message that networks hand on from word to word, downwards, each in a lane.

    `data` is `frames.relay_frame`; `labels` are the words that are drawn.
    """
    x = (
        alt.X("series:N")
        .title(None)
        .scale(domain=list(series))
        .axis(
            orient="top", labelAngle=0, ticks=False, domain=False, labelPadding=12, labelFontSize=13
        )
    )
    base = alt.Chart(data).encode(x=x, y=_rows("i", len(labels)))
    line = base.mark_line(color=NEUTRAL, strokeWidth=1.5).encode(detail="series:N")
    rings = base.mark_circle(size=240, color="transparent", stroke=NEUTRAL, strokeWidth=1.5)
    filled = base.mark_circle(size=240, color=_FIRST).encode(
        opacity=alt.Opacity("left:Q").scale(domain=[0, 1], range=[0, 1]).legend(None),
        tooltip=[
            alt.Tooltip("series:N", title="network"),
            alt.Tooltip("word:N", title="at the word"),
            alt.Tooltip("said:N", title="is left"),
        ],
    )
    said = base.mark_text(align="left", dx=16, color=NEUTRAL, fontSize=13).encode(text="said:N")
    chart = alt.layer(line, rings, filled, said).add_params(labels_param(labels))
    return chart.properties(height=_height(labels))


def arc_chart(data: pd.DataFrame, *, labels: Sequence[str], name: str) -> alt.TopLevelMixin:
    """Draw arcs from the last word to each before it, thicker for higher weights.

    `data` is `frames.arc_frame`; `labels` are the words that are drawn, `name` is the head's.
    """
    x = alt.X("x:Q").title(name).scale(domain=[-0.04, 1.15], nice=False)
    x = x.axis(orient="top", labels=False, ticks=False, domain=False, grid=False)
    base = alt.Chart(data).encode(x=x, y=_rows("y", len(labels)))
    arcs = base.mark_line(color=_FIRST, strokeCap="round").encode(
        order="step:Q",
        detail="i:N",
        strokeWidth=alt.StrokeWidth("weight:Q").legend(None).scale(domain=[0, 1], range=[0.6, 12]),
        opacity=alt.Opacity("weight:Q").legend(None).scale(domain=[0, 1], range=[0.25, 1]),
        tooltip=[
            alt.Tooltip("word:N", title="key"),
            alt.Tooltip("said:N", title="gets"),
        ],
    )
    far = base.transform_filter("datum.i == 0")
    told = far.transform_filter("datum.step == 12").mark_text(
        align="right", dx=-14, color=NEUTRAL, fontSize=15, fontWeight=600
    )
    chart = alt.layer(arcs, told.encode(text="said:N")).add_params(labels_param(labels))
    return chart.properties(height=_height(labels))


def _rows(field: str, count: int) -> alt.Y:
    scale = alt.Scale(domain=[-0.5, count - 0.5], reverse=True, nice=False)
    axis = position_axis(values=list(range(count)), grid=False)
    return alt.Y(f"{field}:Q").title(None).scale(scale).axis(axis)


def _height(labels: Sequence[str]) -> int:
    return max(len(labels), 1) * _ROW + _BELOW
