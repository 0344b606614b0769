"""The explorer's charts: what a blend of words means, and where it stands between two meanings."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    NEUTRAL,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    labels_param,
    position_axis,
)

_COLOURS = 4  # the numbers below this are colours of the theme, the others grey


def blend_bars(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    title: str,
    domain: tuple[float, float],
) -> alt.TopLevelMixin:
    """Draw the blended output: a bar per meaning, stacked by word, a mark where it stood before.

    `data` is `frames.blend_frame` or `frames.dimension_frame`; `labels` name the bars, `domain` is
    the range of the axis.
    """
    base = alt.Chart(data).encode(y=alt.Y("s:O").title(None).axis(position_axis(labelFontSize=14)))
    colour = alt.Color("colour:N").scale(domain=list(range(_COLOURS))).legend(None)
    bars = base.mark_bar(height={"band": 0.72}).encode(
        x=alt.X("part:Q")
        .title(title)
        .scale(domain=list(domain))
        .stack("zero")
        .axis(tickCount=6, format=".2~f", labelFontSize=13, titleFontSize=13),
        color=alt.when(f"datum.colour < {_COLOURS}").then(colour).otherwise(alt.value(NEUTRAL)),
        order=alt.Order("colour:Q"),  # within one, as the rows are: by position
        tooltip=[
            alt.Tooltip("meaning:N", title="towards"),
            alt.Tooltip("word:N", title="from"),
            alt.Tooltip("part:Q", title="part", format="+.3f"),
            alt.Tooltip("total:Q", title="all words", format="+.3f"),
            alt.Tooltip("before:Q", title="at the start", format="+.3f"),
        ],
    )
    once = base.transform_filter("datum.k == 0")
    before = once.mark_tick(thickness=3, color=NEUTRAL, height={"band": 0.95}).encode(x="before:Q")
    value = once.mark_text(align="left", dx=8, fontSize=13, fontWeight=600, color=NEUTRAL).encode(
        x=alt.value("width"), text=alt.Text("total:Q", format="+.2f")
    )
    chart = alt.layer(bars, before, value).add_params(labels_param(labels))
    return chart.properties(height=len(labels) * ROW_HEIGHT + AXIS_HEIGHT + TITLE_HEIGHT)


def meaning_axis(data: pd.DataFrame, *, labels: tuple[str, str]) -> alt.TopLevelMixin:
    """Draw where a blend stands between two meanings: a dot now, a ring where it stood before.

    `data` is `frames.leaning_frame`; `labels` are the meanings at the ends.
    """
    poles = alt.Axis(
        values=[-1, 1], labelExpr="labels[datum.value < 0 ? 0 : 1]", labelFontSize=15,
        labelFontWeight=600, labelLimit=140, labelFlush=True, orient="top", domain=False,
        ticks=False, grid=False, labelPadding=8,
    )  # fmt: skip
    x = alt.X("at:Q").title(None).scale(domain=[-1, 1], clamp=True).axis(poles)
    own = alt.Color("when:N").scale(domain=["now"]).legend(None)  # the theme's first
    when = alt.when("datum.when == 'now'").then(own).otherwise(alt.value(NEUTRAL))
    tooltip = [alt.Tooltip("when:N"), alt.Tooltip("at:Q", title="place", format="+.3f")]
    base = alt.Chart(data).encode(x=x, y=alt.value(14), color=when, tooltip=tooltip)
    start, now = (base.transform_filter(f"datum.when == '{one}'") for one in ("start", "now"))
    track = start.mark_rule(strokeWidth=6, strokeCap="round", opacity=0.25).encode(
        x=alt.datum(-1), x2=alt.datum(1)
    )
    way = base.mark_rule(strokeWidth=3).encode(x2="from:Q")
    ring = start.mark_point(size=200, strokeWidth=3, opacity=1)
    dot = now.mark_circle(size=300, opacity=1)
    near_end = "abs(datum.at) < 0.6 ? 'center' : datum.at < 0 ? 'left' : 'right'"
    line = "datum.when == 'now' ? 24 : 42"
    said = base.mark_text(
        fontSize=14, fontWeight=600, align={"expr": near_end}, dy={"expr": line}
    ).encode(text="said:N")
    chart = alt.layer(track, way, ring, dot, said).add_params(labels_param(labels))
    return chart.properties(height=96)
