"""The learning page's charts: maps, curves, what pushes the scores, accuracy against length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    NEUTRAL,
    TITLE_HEIGHT,
    labels_param,
    position_axis,
)

_CROWDED = 16  # rows or columns of a map: beyond, some have no label
_ROW = 22  # pixels of a bar
_TALL = 380  # and of the curves, and of a single map, with their axes


def weight_maps(
    data: pd.DataFrame,
    *,
    labels: tuple[str, ...],
    rows: tuple[str, ...],
    heads: int,
    size: int,
    titles: tuple[str, str],
) -> alt.TopLevelMixin:
    """Draw what is attended to in each example, a map for each head; the right cells are framed.

    `data` is `frames.weight_frame`; `titles` are those of the axes, rows first, `size` the side of
    a map in pixels.
    """
    crowded = max(len(labels), len(rows)) * max(1, 340 // size) > _CROWDED
    row_axis = position_axis(thin=crowded)
    row_axis.labelExpr = "rows[datum.value]"
    base = alt.Chart().encode(
        x=alt.X("k:O").title(titles[1]).axis(position_axis(thin=crowded, labelAngle=-60)),
        y=alt.Y("q:O").title(titles[0]).axis(row_axis),
        tooltip=[
            alt.Tooltip("query:N", title=titles[0]),
            alt.Tooltip("key:N", title=titles[1]),
            alt.Tooltip("weight:Q", title="weight", format=".4f"),
        ],
    )
    legend = alt.Legend(orient="bottom", direction="horizontal", gradientLength=160)
    cells = base.mark_rect().encode(
        color=alt.Color("weight:Q").title("weight").scale(domain=[0, 1]).legend(legend)
    )
    right = base.transform_filter("datum.right").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=1.5, aria=False
    )
    layers = alt.layer(cells, right).properties(width=size, height=size)
    names = alt.param(name="rows", value=list(rows))
    if heads == 1:  # as wide as its column
        layers = alt.layer(cells, right, data=data).properties(height=_TALL)
        return layers.add_params(labels_param(labels), names)
    header = alt.Header(title=None, labelExpr="'head ' + datum.value", labelFontSize=13)
    facets = layers.facet(alt.Facet("map:O", header=header), data=data, columns=2)
    return facets.add_params(labels_param(labels), names)


def learning_curves(
    data: pd.DataFrame, *, series: tuple[str, ...], steps: int, chance: float, highest: float
) -> alt.TopLevelMixin:
    """Draw right answers (solid lines, left axis) and the loss (dashed, right axis) against steps.

    `data` is `frames.learned_frame`; `chance` is a dotted level, `highest` where the axis of losses
    ends.
    """
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=210, symbolOpacity=1)
    base = alt.Chart(data).encode(
        x=alt.X("step:Q").title("step").scale(domain=[0, steps], nice=False).axis(tickCount=6),
        color=alt.Color("series:N").scale(domain=list(series)).legend(legend),
        tooltip=[
            alt.Tooltip("series:N", title="network"),
            alt.Tooltip("step:Q"),
            alt.Tooltip("accuracy:Q", title="right, last 20 batches", format=".1%"),
            alt.Tooltip("loss:Q", title="loss of one batch", format=".3f"),
        ],
    )
    right = alt.Y("accuracy:Q").title("right answers, solid").scale(domain=[0, 1])
    right = right.axis(format="%", tickCount=5)
    loss = alt.Y("loss:Q").title("loss in nats, dashed")
    loss = loss.scale(domain=[0, highest], clamp=True, nice=False)
    level = alt.Chart(data).mark_rule(strokeDash=[2, 4], tooltip=None)
    now = base.transform_filter("datum.now").mark_point(filled=True, size=90, opacity=1)
    solid = alt.layer(
        level.transform_filter("datum.step == 0").encode(
            y=alt.datum(chance), color=alt.value(NEUTRAL)
        ),
        base.encode(y=right).mark_line(strokeWidth=2.5),
        now.encode(y=right),
    )
    dashed = base.encode(y=loss.axis(orient="right", tickCount=4, grid=False))
    lines = alt.layer(solid, dashed.mark_line(strokeDash=[6, 4], strokeWidth=1.5))
    return lines.resolve_scale(y="independent").properties(height=_TALL)


def push_bars(
    data: pd.DataFrame, *, labels: tuple[str, ...], largest: float, heads: int
) -> alt.TopLevelMixin:
    """Draw where the loss pushes each score: right is up. `data` is `frames.push_frame`."""
    right = alt.Color("right:N").scale(domain=[True, False], range=[CHOSEN, NEUTRAL]).legend(None)
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("push:Q")
            .title("push on the score (−dL/ds)")
            .scale(domain=[-largest, largest], nice=False)
            .axis(tickCount=5, format="~g"),
            y=alt.Y("k:O").title(None).axis(position_axis()),
            color=right,
            tooltip=[
                alt.Tooltip("key:N"),
                alt.Tooltip("head:N"),
                alt.Tooltip("weight:Q", title="weight now", format=".4f"),
                alt.Tooltip("push:Q", title="−dL/ds", format="+.5f"),
            ],
        )
    )
    if heads > 1:
        bars = bars.encode(yOffset=alt.YOffset("head:N"))
    height = max(len(labels), 1) * max(_ROW if len(labels) <= _CROWDED else 12, 9 * heads)
    return bars.add_params(labels_param(labels)).properties(
        height=height + AXIS_HEIGHT + TITLE_HEIGHT
    )


def accuracy_lines(
    data: pd.DataFrame, *, series: tuple[str, ...], lengths: tuple[int, ...], chance: float
) -> alt.TopLevelMixin:
    """Draw accuracy against the number of books: the mean of the seeds, from worst to best.

    `data` is `frames.accuracy_frame`; of two networks with the same accuracy one hides the other,
    so the points of each are a little aside.
    """
    base = alt.Chart(data).encode(
        x=alt.X("n:Q")
        .title("books on the shelf")
        .scale(type="log", base=2, nice=False, padding=24)
        .axis(values=list(lengths), grid=False, format="d"),
        xOffset=alt.XOffset("series:N").scale(domain=list(series), range=[-9, 9]),
        color=alt.Color("series:N").scale(domain=list(series)).legend(_below()),
        tooltip=[
            alt.Tooltip("series:N", title="network"),
            alt.Tooltip("n:Q", title="books"),
            alt.Tooltip("mean:Q", title="accuracy, mean", format=".1%"),
            alt.Tooltip("low:Q", title="worst seed", format=".1%"),
            alt.Tooltip("high:Q", title="best seed", format=".1%"),
            alt.Tooltip("seeds:Q", title="seeds"),
            alt.Tooltip("parameters:Q", title="numbers learned", format=","),
            alt.Tooltip("rate:Q", title="learning rate"),
            alt.Tooltip("steps:Q", title="steps, mean", format=",.0f"),
        ],
    )
    scale: Any = alt.Scale(domain=[0, 1])
    mean = alt.Y("mean:Q", scale=scale).title("accuracy").axis(format="%", tickCount=5)
    spread = base.encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    level = alt.Chart(data).mark_rule(strokeDash=[5, 5], color=NEUTRAL).encode(y=alt.datum(chance))
    return alt.layer(
        level,
        spread.mark_rule(strokeWidth=4, opacity=0.4),
        base.encode(y=mean).mark_line(strokeWidth=2),
        base.encode(y=mean, shape=_shape(series)).mark_point(filled=True, size=60, opacity=1),
    ).properties(height=400)


def _shape(series: Sequence[str]) -> alt.Shape:
    return alt.Shape("series:N").scale(domain=list(series)).legend(_below())


def _below() -> alt.Legend:
    return alt.Legend(title=None, orient="bottom", columns=3, labelLimit=220, symbolOpacity=1)
