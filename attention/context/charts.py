"""The context page's charts: attention beside a recurrent and a convolutional layer."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    NEUTRAL,
    ROW_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
)
from attention.context.layer_costs import LAYERS

_FIRST = "#6366f1"  # the theme's first colour, between its light and its dark form
_SMALLEST_SHARE = 1e-6  # the axis ends here: one in a million
_SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+d')"
_SECONDS = "(datum.value < 1 ? format(datum.value, '~s') + 's' : format(datum.value, '~r') + ' s')"


def reach_chart(
    data: pd.DataFrame, *, labels: Sequence[str], series: Sequence[str]
) -> alt.TopLevelMixin:
    """Draw how much each word still counts at the last one, a line for each kind of layer.

    `data` is `frames.reach_frame`; a share below a millionth is drawn at the edge.
    """
    hover = alt.selection_point(
        "hover_word", fields=["k"], on="pointerover", clear="pointerout", nearest=True, empty=False
    )
    base = alt.Chart(data).encode(
        x=alt.X("k:Q")
        .title(None)
        .scale(domain=[0, max(len(labels) - 1, 1)], nice=False, padding=12)
        .axis(_word_axis(0, len(labels))),
        y=alt.Y("share:Q")
        .title("share of all")
        .scale(type="log", domain=[_SMALLEST_SHARE, 1], clamp=True)
        .axis(values=[10.0**-power for power in range(7)], format="~%"),
        color=_series(series),
    )
    points = base.mark_point(filled=True, opacity=1).encode(
        size=alt.when(hover).then(alt.value(130)).otherwise(alt.value(45)),
        tooltip=[
            alt.Tooltip("series:N", title="layer"),
            alt.Tooltip("word:N", title="word"),
            alt.Tooltip("back:Q", title="words back"),
            alt.Tooltip("share:Q", title="share of all", format=".3~g"),
            alt.Tooltip("value:Q", title="norm or weight itself", format=".3~g"),
        ],
    )
    chart = alt.layer(base.mark_line(strokeWidth=2), points.add_params(hover))
    return chart.add_params(labels_param(labels)).properties(height=400)


def layer_time_chart(data: pd.DataFrame, *, n: int) -> alt.TopLevelMixin:
    """Draw the time of each kind of layer against length, with a line at the chosen `n`.

    `data` is `frames.layer_time_frame`.
    """
    base = alt.Chart(data).encode(
        x=alt.X("n:Q")
        .title("tokens n")
        .scale(type="log", base=2, nice=False, padding=14)
        .axis(values=[16, 32, 64, 128, 256, 512], grid=False, format="d"),
        color=_series(LAYERS),
    )
    y = alt.Y("seconds:Q").title("time of one layer").scale(type="log", nice=False, padding=10)
    y = y.axis(values=[10.0**power for power in range(-7, 3)], labelExpr=_SECONDS)
    timed = base.encode(
        y=y,
        tooltip=[
            alt.Tooltip("series:N", title="layer"),
            alt.Tooltip("n:Q", title="tokens n"),
            alt.Tooltip("median_text:N", title="median"),
            alt.Tooltip("low_text:N", title="fastest round"),
            alt.Tooltip("high_text:N", title="slowest round"),
        ],
    )
    here = base.transform_filter(alt.datum.n == n).transform_filter(alt.datum.series == LAYERS[0])
    line = here.mark_rule(strokeDash=[4, 4]).encode(color=alt.value(NEUTRAL))
    spread = timed.encode(y=alt.Y("low:Q"), y2="high:Q")
    layers = [
        line,
        spread.mark_rule(strokeWidth=5, opacity=0.3),
        timed.mark_line(strokeWidth=2),
        timed.mark_point(filled=True, size=50, opacity=1),
    ]
    return alt.layer(*layers).properties(height=360)


def cone_chart(
    data: pd.DataFrame, *, labels: Sequence[str], first: int, layers: int, output: int, other: int
) -> alt.TopLevelMixin:
    """Draw which words of which layer an output is made from, and the word that it shall reach.

    `data` is `frames.cone_frame`; `first` is the position of the first of the `labels`,
    `output` and `other` are positions.
    """
    names = ["words", *(f"layer {i}" for i in range(1, layers + 1))]
    levels = alt.param(name="levels", value=names)
    x = (
        alt.X("k:Q")
        .title(None)
        .scale(domain=[first, first + max(len(labels) - 1, 1)], nice=False, padding=14)
    )
    x = x.axis(_word_axis(first, len(labels)))
    y = alt.Y("layer:Q").title(None).scale(domain=[0, layers], nice=False, padding=14)
    y = y.axis(
        values=list(range(layers + 1)), labelExpr="levels[datum.value]", grid=False, domain=False
    )
    base = alt.Chart(data)
    links = base.transform_filter("datum.kind == 'link'").mark_rule(opacity=0.5, strokeWidth=1.2)
    nodes = base.transform_filter("datum.kind == 'node'").encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("word:N", title="position of"),
            alt.Tooltip("layer:Q", title="layer (0: the words)"),
            alt.Tooltip("inside:N", title="reaches the output"),
        ],
    )
    colour = alt.Color("inside:N").scale(domain=[True, False], range=[_FIRST, NEUTRAL]).legend(None)
    marked = nodes.transform_filter(
        f"(datum.layer == 0 && datum.k == {int(other)})"
        f" || (datum.layer == {int(layers)} && datum.k == {int(output)})"
    )
    chart = alt.layer(
        links.encode(x=x, x2="to:Q", y=y, y2="above:Q", color=alt.value(_FIRST)),
        nodes.mark_circle(size=70, opacity=1).encode(
            color=colour,
            size=alt.when("datum.inside").then(alt.value(80)).otherwise(alt.value(22)),
        ),
        marked.mark_point(size=230, strokeWidth=3, filled=False).encode(color=alt.value(CHOSEN)),
    )
    return chart.add_params(labels_param(labels), levels).properties(height=70 + 42 * layers)


def offset_bars(data: pd.DataFrame, *, places: Sequence[str], side: int) -> alt.TopLevelMixin:
    """Draw weights by how far away the word stands, around two places side by side.

    `data` is the rows of `frames.offset_frame` with one `panel`; `places` name the two.
    """
    ticks = list(range(-side, side + 1, max(1, side // 3)))
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("offset:O")
            .title("words before (−) or after (+)")
            .scale(domain=list(range(-side, side + 1)))
            .axis(values=ticks, labelAngle=0, labelExpr=_SIGNED, ticks=False),
            xOffset=alt.XOffset("place:O").scale(domain=[0, 1]),
            y=alt.Y("weight:Q").title(None).scale(domain=[0, 1]).axis(format="%", tickCount=5),
            color=alt.Color("place:O")
            .title(None)
            .scale(domain=[0, 1], range=[_FIRST, CHOSEN])
            .legend(orient="bottom", labelExpr="places[datum.value]", labelLimit=140),
            tooltip=[
                alt.Tooltip("offset:Q", title="words away", format="+d"),
                alt.Tooltip("word:N", title="there stands"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
    )
    named = bars.add_params(alt.param(name="places", value=list(places)))
    return named.properties(height=300)


def far_weights(data: pd.DataFrame, *, series: Sequence[str], chosen: int) -> alt.TopLevelMixin:
    """Draw the weight of one far word against distance, and what an even share would be.

    `data` is `frames.far_frame`; `chosen` is the distance that is chosen.
    """
    y = alt.Y("weight:Q").title("weight").scale(type="log", domain=[1e-4, 1], clamp=True)
    y = y.axis(values=[1, 0.1, 0.01, 0.001, 0.0001], format="~%")
    base = _against_distance(data, series)
    even = base.transform_filter(alt.datum.series == series[0]).encode(
        y=alt.Y("even:Q"), color=alt.value(NEUTRAL)
    )
    layers = [
        _here(data, chosen),
        even.mark_line(strokeDash=[5, 5], strokeWidth=1.5),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=55, opacity=1).encode(y=y),
    ]
    return alt.layer(*layers).properties(height=410)


def far_ranks(data: pd.DataFrame, *, series: Sequence[str], chosen: int) -> alt.TopLevelMixin:
    """Draw the rank of the far word among all tokens against distance, the first on top.

    `data` is `frames.far_frame`.
    """
    y = alt.Y("rank:Q").title("rank")
    y = y.scale(type="log", domain=[1, 512], reverse=True, nice=False, padding=8)
    y = y.axis(values=[1, 2, 3, 5, 10, 20, 50, 100, 200, 500], format="d")
    base = _against_distance(data, series)
    layers = [
        _here(data, chosen),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=55, opacity=1).encode(y=y),
    ]
    return alt.layer(*layers).properties(height=410)


def pair_row(data: pd.DataFrame, *, labels: Sequence[str], second: bool) -> alt.TopLevelMixin:
    """Draw what one word attends to in one of two texts, the query itself framed.

    `data` is `frames.pair_row_frame`; `labels` are the words of the text.
    """
    colour = CHOSEN if second else _FIRST
    bars = (
        alt.Chart(data)
        .mark_bar(height={"band": 0.7}, color=colour, strokeWidth=2)
        .encode(
            x=alt.X("weight:Q").title(None).scale(domain=[0, 1]).axis(format="%", tickCount=5),
            y=alt.Y("k:O").title(None).axis(position_axis()),
            stroke=alt.when("datum.is_query").then(alt.value(NEUTRAL)).otherwise(alt.value(colour)),
            tooltip=[
                alt.Tooltip("word:N", title="key"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
    )
    height = max(len(labels), 1) * ROW_HEIGHT + AXIS_HEIGHT
    return bars.add_params(labels_param(labels)).properties(height=height)


def similarity_lines(
    data: pd.DataFrame, *, stages: Sequence[str], series: Sequence[str], low: float
) -> alt.TopLevelMixin:
    """Draw how alike two vectors are at each stage, from the bare word to the last layer.

    `data` is `frames.similarity_frame`; `low` is where the axis starts.
    """
    base = alt.Chart(data).encode(
        x=alt.X("stage:O")
        .title(None)
        .scale(domain=list(range(len(stages))))
        .axis(labelExpr="stages[datum.value]", labelAngle=-30, labelOverlap=False, labelLimit=90),
        y=alt.Y("cosine:Q").title("cosine").scale(domain=[low, 1], nice=False, clamp=True),
        color=_series(series),
        tooltip=[
            alt.Tooltip("series:N", title="of"),
            alt.Tooltip("cosine:Q", title="cosine", format=".4f"),
        ],
    )
    values = base.transform_filter(alt.datum.series == series[0])
    layers = [
        base.mark_line(strokeWidth=2),
        base.mark_point(filled=True, size=60, opacity=1),
        values.mark_text(dy=-12, fontWeight=600).encode(text=alt.Text("cosine:Q", format=".2f")),
    ]
    chart = alt.layer(*layers).add_params(alt.param(name="stages", value=list(stages)))
    return chart.properties(height=400)


def _word_axis(first: int, count: int) -> alt.Axis:
    """Return an axis of numbers that shows words, as many as there is room for."""
    return alt.Axis(
        values=list(range(first, first + count)),
        labelExpr=f"labels[datum.value - {first}]",
        labelAngle=-45,
        labelOverlap="greedy",
        labelLimit=90,
        grid=False,
    )


def _series(names: Sequence[str]) -> alt.Color:
    return alt.Color("series:N").scale(domain=list(names)).legend(legend_below(names))


def _against_distance(data: pd.DataFrame, series: Sequence[str]) -> alt.Chart:
    return alt.Chart(data).encode(
        x=alt.X("distance:Q").title("tokens between the two words").scale(domain=[0, 400]),
        color=_series(series),
        tooltip=[
            alt.Tooltip("series:N", title="head"),
            alt.Tooltip("distance:Q", title="tokens back"),
            alt.Tooltip("weight:Q", title="weight", format=".4f"),
            alt.Tooltip("rank:Q", title="rank"),
            alt.Tooltip("tokens:Q", title="of all tokens"),
        ],
    )


def _here(data: pd.DataFrame, chosen: int) -> alt.Chart:
    rule = alt.Chart(data).transform_filter(alt.datum.distance == chosen)
    return rule.mark_rule(strokeDash=[4, 4], color=NEUTRAL).encode(x="distance:Q")
