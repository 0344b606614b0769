"""The learning page's charts: maps, curves, what pushes the scores, accuracy against length."""

from __future__ import annotations

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    NEUTRAL,
    TITLE_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
    ramp_below,
)

_CROWDED = 16  # rows or columns of a map: beyond, some have no label
_TITLED = 100  # pixels of a map: beside a smaller one the title of the rows has no room
_ROW, _THIN = 22, 9  # pixels of a bar, and of one among several
_PICKER = 50  # and of what stands above the bars
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
    a map in pixels. Many cells are painted on a canvas: an element of the page for each takes a
    browser longer.
    """
    crowded = max(len(labels), len(rows)) * max(1, 340 // size) > _CROWDED
    row_axis = position_axis(thin=crowded)
    row_axis.labelExpr = "rows[datum.value]"
    base = alt.Chart().encode(
        x=alt.X("k:O").title(titles[1]).axis(position_axis(thin=crowded, labelAngle=-60)),
        y=alt.Y("q:O").title(titles[0] if size > _TITLED else None).axis(row_axis),
        tooltip=[
            alt.Tooltip("query:N", title=titles[0]),
            alt.Tooltip("key:N", title=titles[1]),
            alt.Tooltip("weight:Q", title="weight", format=".4f"),
        ],
    )
    legend = ramp_below() if heads == 1 else alt.Legend(orient="bottom", gradientLength=160)
    cells = base.mark_rect(aria=not crowded).encode(  # a thousand labels are slow, and no help
        color=alt.Color("weight:Q").title("weight").scale(domain=[0, 1]).legend(legend)
    )
    right = base.transform_filter("datum.right").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=0.6 if crowded else 1.5, aria=False
    )
    layers = alt.layer(cells, right).properties(width=size, height=size)
    names = alt.param(name="rows", value=list(rows))
    painted = {"usermeta": {"embedOptions": {"renderer": "canvas"}}} if crowded else {}
    if heads == 1:  # as wide as its column
        layers = alt.layer(cells, right, data=data).properties(height=_TALL, **painted)
        return layers.add_params(labels_param(labels), names)
    header = alt.Header(title=None, labelExpr="'head ' + datum.value", labelFontSize=13)
    columns = 2 if heads < 8 else 4
    facets = layers.facet(alt.Facet("map:O", header=header), data=data, columns=columns)
    return facets.properties(**painted).add_params(labels_param(labels), names)


def learning_curves(
    data: pd.DataFrame, *, series: tuple[str, ...], steps: int, chance: float, highest: float
) -> alt.TopLevelMixin:
    """Draw right answers (solid lines, left axis) and the loss (dashed, right axis) against steps.

    `data` is `frames.learned_frame`; `chance` is a dotted level, `highest` where the axis of losses
    ends.
    """
    legend = legend_below(series, labelFontSize=13)
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
    level = alt.Chart(data).mark_rule(strokeDash=[2, 4], tooltip=None, aria=False)
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
    crowded = len(labels) > _CROWDED
    right = alt.Color("right:N").scale(domain=[True, False], range=[CHOSEN, NEUTRAL]).legend(None)
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("push:Q")
            .title("push (−dL/ds)")
            .scale(domain=[-largest, largest], nice=False)
            .axis(tickCount=5, format="~g"),
            y=alt.Y("k:O").title(None).axis(position_axis(thin=crowded)),
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
    height = len(labels) * max(_ROW, _THIN * heads) + AXIS_HEIGHT + TITLE_HEIGHT
    return bars.add_params(labels_param(labels)).properties(height=min(height, _TALL - _PICKER))


def accuracy_lines(
    data: pd.DataFrame,
    *,
    series: tuple[str, ...],
    lengths: tuple[int, ...],
    chance: float,
    here: bool = False,
) -> alt.TopLevelMixin:
    """Draw accuracy against the number of books: the mean of the seeds, from worst to best.

    `data` is `frames.accuracy_frame`; what was measured on the reader's machine is a ring, where
    it has any `here`: Vega warns of empty layers.
    """
    legend = legend_below(series)
    color = alt.Color("series:N").scale(domain=list(series)).legend(legend)
    shape = alt.Shape("series:N").scale(domain=list(series)).legend(legend)
    base = alt.Chart(data).encode(
        x=alt.X("at:Q")
        .title("books on the shelf")
        .scale(type="log", base=2, nice=False, padding=18)
        .axis(values=list(lengths), grid=False, format="d"),
        color=color,
        tooltip=_accuracy_tips(),
    )
    mean = alt.Y("mean:Q").title("right answers").scale(domain=[0, 1])
    mean = mean.axis(format="%", tickCount=5)
    stored = base.transform_filter("!datum.here")
    layers = [
        _guess(data, chance),
        base.encode(y=alt.Y("low:Q"), y2="high:Q").mark_rule(strokeWidth=4, opacity=0.4),
        stored.encode(y=mean).mark_line(strokeWidth=2),
        stored.encode(y=mean, shape=shape).mark_point(filled=True, size=70, opacity=1),
    ]
    if here:
        rings = base.transform_filter("datum.here").encode(y=mean)
        layers.append(rings.mark_point(size=190, strokeWidth=2.5, filled=False))
    return alt.layer(*layers).properties(height=400)


def accuracy_bars(
    data: pd.DataFrame, *, series: tuple[str, ...], chance: float
) -> alt.TopLevelMixin:
    """Draw the accuracy of each network as a bar, with its spread. `data` as `accuracy_lines`."""
    base = alt.Chart(data).encode(
        y=alt.Y("series:N").title(None).sort(list(series)).axis(labelLimit=240),
        tooltip=_accuracy_tips(),
    )
    x = alt.X("mean:Q").title("right answers").scale(domain=[0, 1]).axis(format="%", tickCount=5)
    first = alt.Color("here:N").scale(domain=[True, False]).legend(None)
    bars = base.mark_bar(height={"band": 0.6}).encode(x=x, color=first)
    spread = base.mark_rule(strokeWidth=3, color=NEUTRAL).encode(x="low:Q", x2="high:Q")
    rows = alt.Chart(data).transform_aggregate(count="count()")
    guess = rows.mark_rule(strokeDash=[2, 4], color=NEUTRAL, aria=False).encode(x=alt.datum(chance))
    height = max(len(series), 1) * 40 + AXIS_HEIGHT + TITLE_HEIGHT
    return alt.layer(bars, spread, guess).properties(height=height)


def _guess(data: pd.DataFrame, chance: float) -> alt.Chart:
    """Return a level at what a guess gets, one for all rows."""
    rows = alt.Chart(data).transform_aggregate(count="count()")
    return rows.mark_rule(strokeDash=[2, 4], color=NEUTRAL, aria=False).encode(y=alt.datum(chance))


def _accuracy_tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("series:N", title="network"),
        alt.Tooltip("n:Q", title="books or words"),
        alt.Tooltip("mean:Q", title="right, mean", format=".1%"),
        alt.Tooltip("low:Q", title="worst seed", format=".1%"),
        alt.Tooltip("high:Q", title="best seed", format=".1%"),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("parameters:Q", title="numbers learned", format=","),
        alt.Tooltip("rate:Q", title="learning rate"),
        alt.Tooltip("steps:Q", title="steps, mean", format=",.0f"),
    ]
